// Fastify with its plugins for forms, uploads and cookies.
import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import multipart from "@fastify/multipart";
import Fastify from "fastify";
import { accessor, bodySha256, file, isJson, port } from "./report.mjs";

// The default of Fastify 4.
const routerOptions = { useSemicolonDelimiter: Boolean(process.env.SEMICOLON) };
const app = Fastify({ bodyLimit: 64 << 20, routerOptions });
app.register(cookie);
app.register(formbody);
app.register(multipart, { attachFieldsToBody: true });
app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));

// A field of a multipart form is an object with the value, or a list of such objects.
const value = (field) => (Array.isArray(field) ? field.map(value) : (field?.value ?? field));

app.all("*", async (request) => {
    const { body, query, cookies, headers } = request;
    const raw = Buffer.isBuffer(body);
    const json = isJson(headers["content-type"]);
    const form = {};
    const files = [];
    for (const [name, field] of raw || json ? [] : Object.entries(body ?? {})) {
        for (const one of [field].flat()) {
            if (one.toBuffer) files.push(file(name, one.filename, await one.toBuffer()));
        }
        const fields = [field].flat().filter((one) => !one.toBuffer).map(value);
        if (fields.length > 0) form[name] = fields.length === 1 ? fields[0] : fields;
    }
    const fuid = body?.fuid?.toBuffer ? String(await body.fuid.toBuffer()) : value(body?.fuid);
    return {
        accessors: [
            accessor("request.headers['x-uid']", "header", "x-uid", headers["x-uid"]),
            accessor("request.query.uid", "query", "uid", query.uid),
            accessor("request.body.fuid", "form", "fuid", fuid),
            accessor("request.cookies.cuid", "cookie", "cuid", cookies.cuid),
        ],
        all: {
            query,
            form: raw || json ? null : form,
            files,
            cookies,
            headers,
            json: json && !raw ? body : null,
            body_sha256: raw ? bodySha256(body) : null,
        },
    };
});

await app.listen({ port, host: "127.0.0.1" });
