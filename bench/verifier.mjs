// An application that verifies tokens itself: Node and jose at the same job as claimgate.
// node verifier.mjs <port> <upstream port> <file with {jwk, algorithm, issuer, audience}>

import { readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, upstreamPort, file] = process.argv.slice(2);
const { jwk, algorithm, issuer, audience } = JSON.parse(readFileSync(file, "utf8"));
const packages = createRequire(new URL("../tests/front_door/package.json", import.meta.url));
const { importJWK, jwtVerify } = await import(pathToFileURL(packages.resolve("jose")).href);

const key = await importJWK(jwk, algorithm);
const rules = { algorithms: [algorithm], issuer, audience, requiredClaims: ["exp"] };
const agent = new http.Agent({ keepAlive: true, maxSockets: 128 });

async function answer(request, response) {
    const [scheme, token] = (request.headers.authorization ?? "").split(" ");
    let claims;
    try {
        if (scheme !== "Bearer") throw new Error("no token");
        claims = (await jwtVerify(token, key, rules)).payload;
    } catch {
        response.writeHead(401).end();
        return;
    }
    const headers = { ...request.headers, "x-sub": claims.sub, "x-name": claims.name };
    delete headers.connection;
    const { method, url: path } = request;
    const forwarded = http.request({ host: "127.0.0.1", port: upstreamPort, method, path, headers, agent });
    forwarded.on("response", (upstream) => {
        response.writeHead(upstream.statusCode, upstream.headers);
        upstream.pipe(response);
    });
    forwarded.on("error", () => response.headersSent ? response.destroy() : response.writeHead(502).end());
    request.pipe(forwarded);
}

http.createServer(answer).listen(Number(port), "127.0.0.1");
