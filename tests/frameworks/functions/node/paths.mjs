// Routes for /admin and /admin/…, which answer with a secret. SERVER is `4` or `5` (Express) or `node`.
import { createServer } from "node:http";
import { port } from "./report.mjs";

const server = process.env.SERVER ?? "4";

if (server === "node") {
    // Node alone, with the URL of the web platform for the path.
    createServer((request, response) => {
        let path;
        try {
            path = new URL(request.url, "http://localhost").pathname;
        } catch {
            return response.writeHead(400).end();
        }
        const secret = path === "/admin" || path.startsWith("/admin/");
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ secret, path }));
    }).listen(port, "127.0.0.1");
} else {
    const { default: express } = await import(server === "4" ? "express4" : "express5");
    const app = express();
    app.get("/admin", (request, response) => response.json({ secret: true, path: request.path }));
    app.get("/admin/:x", (request, response) => response.json({ secret: true, path: request.path }));
    app.use((request, response) => response.json({ secret: false, path: request.path }));
    app.listen(port, "127.0.0.1");
}
