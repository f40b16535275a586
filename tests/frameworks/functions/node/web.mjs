// Node's own server with the Request of the web platform, whose formData() is undici's.
import { createServer } from "node:http";
import { parse as parseCookies } from "cookie";
import { accessor, bodySha256, file, grouped, listener, port, readBody } from "./report.mjs";

createServer(
    listener(async (incoming) => {
        const url = new URL(incoming.url, "http://localhost");
        const body = await readBody(incoming);
        const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
        const method = body.length ? "POST" : "GET";
        const request = new Request(url, { method, headers, body: body.length ? body : undefined });
        const isForm = /urlencoded|multipart/i.test(incoming.headers["content-type"] ?? "");
        const form = isForm && body.length ? await request.formData() : new FormData();
        const isFile = ([, value]) => value instanceof File;
        const files = [...form].filter(isFile).map(async ([name, value]) => {
            return file(name, value.name, Buffer.from(await value.arrayBuffer()));
        });
        const fields = [...form].filter((pair) => !isFile(pair));
        const texts = form.getAll("fuid").map((value) => (value instanceof File ? value.text() : value));
        const fuid = await Promise.all(texts);
        const cookies = parseCookies(incoming.headers.cookie ?? "");
        return {
            accessors: [
                accessor("request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
                accessor("searchParams.get('uid')", "query", "uid", url.searchParams.get("uid")),
                accessor("searchParams.getAll('uid')", "query", "uid", url.searchParams.getAll("uid")),
                accessor("formData.get('fuid')", "form", "fuid", fuid[0]),
                accessor("formData.getAll('fuid')", "form", "fuid", fuid),
                accessor("cookie.parse().cuid", "cookie", "cuid", cookies.cuid),
            ],
            all: {
                query: grouped(url.searchParams),
                form: grouped(fields),
                files: await Promise.all(files),
                cookies,
                headers: incoming.headers,
                body_sha256: isForm || !body.length ? null : bodySha256(body),
            },
        };
    }),
).listen(port, "127.0.0.1");
