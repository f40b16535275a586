// Hono on Node.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { getCookie } from "hono/cookie";
import { accessor, file, isJson, port } from "./report.mjs";

const app = new Hono();

app.all("*", async (c) => {
    const json = isJson(c.req.header("content-type")) ? await c.req.json() : null;
    const body = json ? {} : await c.req.parseBody();
    const all = json ? {} : await c.req.parseBody({ all: true });
    const form = {};
    const files = [];
    for (const [name, value] of Object.entries(all)) {
        for (const one of [value].flat()) {
            if (one instanceof File) files.push(file(name, one.name, Buffer.from(await one.arrayBuffer())));
        }
        const fields = [value].flat().filter((one) => !(one instanceof File));
        if (fields.length > 0) form[name] = fields.length === 1 ? fields[0] : fields;
    }
    const text = async (value) => (value instanceof File ? await value.text() : value);
    return c.json({
        accessors: [
            accessor("c.req.header('X-Uid')", "header", "x-uid", c.req.header("X-Uid")),
            accessor("c.req.query('uid')", "query", "uid", c.req.query("uid")),
            accessor("c.req.queries('uid')", "query", "uid", c.req.queries("uid")),
            accessor("(await c.req.parseBody()).fuid", "form", "fuid", await text(body.fuid)),
            accessor("parseBody({ all: true }).fuid", "form", "fuid", await text(all.fuid)),
            accessor("getCookie(c, 'cuid')", "cookie", "cuid", getCookie(c, "cuid")),
        ],
        all: { query: c.req.queries(), form, files, cookies: getCookie(c), headers: c.req.header(), json },
    });
});

serve({ fetch: app.fetch, port, hostname: "127.0.0.1" });
