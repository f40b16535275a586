// Node's own server with formidable for bodies, and the usual ways to read the rest.
import { createServer } from "node:http";
import { parse as parseUrl } from "node:url";
import { parse as parseCookies } from "cookie";
import formidable from "formidable";
import { accessor, isJson, listener, port, savedFiles } from "./report.mjs";

createServer(
    listener(async (request) => {
        const url = new URL(request.url, "http://localhost");
        const query = parseUrl(request.url, true).query;
        const cookies = parseCookies(request.headers.cookie ?? "");
        const hasBody = "content-length" in request.headers || "transfer-encoding" in request.headers;
        const form = formidable({ maxFieldsSize: 64 << 20, maxFileSize: 64 << 20, allowEmptyFiles: true, minFileSize: 0 });
        const [fields, files] = hasBody ? await form.parse(request) : [{}, {}];
        const saved = await savedFiles(files);
        const json = isJson(request.headers["content-type"]);
        return {
            accessors: [
                accessor("req.headers['x-uid']", "header", "x-uid", request.headers["x-uid"]),
                accessor("new URL().searchParams.get('uid')", "query", "uid", url.searchParams.get("uid")),
                accessor("url.parse(req.url, true).query.uid", "query", "uid", query.uid),
                accessor("fields.fuid", "form", "fuid", fields.fuid),
                accessor("files.fuid", "file", "fuid", saved.contents),
                accessor("cookie.parse().cuid", "cookie", "cuid", cookies.cuid),
            ],
            all: {
                query,
                form: json ? null : fields,
                files: saved.found,
                cookies,
                headers: request.headers,
                json: json ? fields : null,
            },
        };
    }),
).listen(port, "127.0.0.1");
