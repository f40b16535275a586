// Express with everything that its users install for bodies and cookies.
// VARIANT is `4`, `5` or `5-extended` (both parsers that make nested objects).
import cookieParser from "cookie-parser";
import multer from "multer";
import { accessor, bodySha256, file, isJson, port } from "./report.mjs";

const variant = process.env.VARIANT ?? "4";
const { default: express } = await import(variant === "4" ? "express4" : "express5");
const app = express();
if (variant === "5-extended") app.set("query parser", "extended");

app.use(multer({ storage: multer.memoryStorage() }).any());
app.use(express.json({ limit: "64mb" }));
app.use(express.urlencoded({ limit: "64mb", extended: variant !== "5" }));
app.use(express.raw({ limit: "64mb", type: (request) => !request.is("multipart") }));
app.use(cookieParser());

app.use((request, response) => {
    const { query, body, cookies, headers } = request;
    const uploads = (request.files ?? []).filter((one) => one.fieldname === "fuid");
    const raw = Buffer.isBuffer(body);
    const accessors = [
        accessor("req.headers['x-uid']", "header", "x-uid", headers["x-uid"]),
        accessor("req.get('X-Uid')", "header", "x-uid", request.get("X-Uid")),
        accessor("req.query.uid", "query", "uid", query.uid),
        accessor("req.body.fuid", "form", "fuid", body?.fuid),
        accessor("req.files", "file", "fuid", uploads.map((one) => String(one.buffer))),
        accessor("req.cookies.cuid", "cookie", "cuid", cookies.cuid),
    ];
    if (variant === "4") {
        for (const name of ["uid", "fuid"]) {
            accessors.push(accessor(`req.param('${name}')`, "any", name, request.param(name)));
        }
    }
    const json = isJson(headers["content-type"]);
    response.json({
        accessors,
        all: {
            query,
            form: raw || json ? null : body,
            files: (request.files ?? []).map((one) => file(one.fieldname, one.originalname, one.buffer)),
            cookies,
            headers,
            json: json && !raw ? body : null,
            body_sha256: raw ? bodySha256(body) : null,
        },
    });
});

app.listen(port, "127.0.0.1");
