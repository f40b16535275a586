// Koa with koa-body, which puts JSON and form fields into one bag.
import Koa from "koa";
import { koaBody } from "koa-body";
import { accessor, isJson, port, savedFiles } from "./report.mjs";

const app = new Koa();
app.use(
    koaBody({
        multipart: true,
        formLimit: "64mb",
        jsonLimit: "64mb",
        textLimit: "64mb",
        onError: (error, ctx) => ctx.throw(error.status ?? error.httpCode ?? 400, error),
    }),
);

app.use(async (ctx) => {
    const body = ctx.request.body;
    const files = await savedFiles(ctx.request.files);
    const json = isJson(ctx.get("content-type"));
    ctx.body = {
        accessors: [
            accessor("ctx.get('X-Uid')", "header", "x-uid", ctx.get("X-Uid") || null),
            accessor("ctx.query.uid", "query", "uid", ctx.query.uid),
            accessor("ctx.request.body.fuid", "form", "fuid", body?.fuid),
            accessor("ctx.request.files.fuid", "file", "fuid", files.contents),
            accessor("ctx.cookies.get('cuid')", "cookie", "cuid", ctx.cookies.get("cuid")),
        ],
        all: {
            query: ctx.query,
            form: json ? null : body,
            files: files.found,
            headers: ctx.headers,
            json: json ? body : null,
        },
    };
});

app.listen(port, "127.0.0.1");
