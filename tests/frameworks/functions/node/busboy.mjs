// Node's own server with busboy for urlencoded and multipart bodies.
import { createServer } from "node:http";
import { parse as parseQuery } from "node:querystring";
import busboy from "busboy";
import { parse as parseCookies } from "cookie";
import { accessor, bodySha256, file, grouped, listener, port, readBody } from "./report.mjs";

function read(request) {
    return new Promise((resolve, reject) => {
        const fields = [];
        const files = [];
        const parser = busboy({ headers: request.headers });
        parser.on("field", (name, value) => fields.push([name, value]));
        parser.on("file", (name, stream, { filename }) => {
            files.push(readBody(stream).then((data) => file(name, filename, data)));
        });
        parser.on("error", reject);
        parser.on("close", () => Promise.all(files).then((files) => resolve({ fields, files }), reject));
        request.pipe(parser);
    });
}

createServer(
    listener(async (request) => {
        const query = parseQuery(request.url.split("?").slice(1).join("?"));
        const cookies = parseCookies(request.headers.cookie ?? "");
        const isForm = /urlencoded|multipart/i.test(request.headers["content-type"] ?? "");
        const { fields, files } = isForm ? await read(request) : { fields: [], files: [] };
        const body = isForm ? null : await readBody(request);
        return {
            accessors: [
                accessor("req.headers['x-uid']", "header", "x-uid", request.headers["x-uid"]),
                accessor("querystring.parse().uid", "query", "uid", query.uid),
                accessor("fields.fuid", "form", "fuid", grouped(fields).fuid),
                accessor("cookie.parse().cuid", "cookie", "cuid", cookies.cuid),
            ],
            all: {
                query,
                form: isForm ? grouped(fields) : null,
                files,
                cookies,
                headers: request.headers,
                body_sha256: body?.length ? bodySha256(body) : null,
            },
        };
    }),
).listen(port, "127.0.0.1");
