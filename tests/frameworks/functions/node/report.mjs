// What the functions of Node have in common: the report, files, and a server that outlives a bad request.
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";

export const port = Number(process.env.PORT ?? process.argv[2]);

process.on("uncaughtException", (error) => console.error(error));

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

export const bodySha256 = (data) => (data == null ? null : sha256(data));

/** An accessor by which the framework's users read a parameter. */
export const accessor = (accessor, position, name, value) => ({ accessor, position, name, value: value ?? null });

export const file = (name, filename, data) => ({ name, filename, size: data.length, sha256: sha256(data) });

/** The files that formidable has written to disk, and what is in those that are sent as `fuid`. */
export async function savedFiles(files) {
    const found = [];
    const contents = [];
    for (const [name, value] of Object.entries(files ?? {})) {
        for (const saved of [value].flat()) {
            const data = await readFile(saved.filepath);
            await rm(saved.filepath, { force: true });
            found.push(file(name, saved.originalFilename, data));
            if (name === "fuid") contents.push(String(data));
        }
    }
    return { found, contents };
}

export async function readBody(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
}

/** Field names with several values as lists, others as they are. */
export function grouped(pairs) {
    const lists = Object.create(null);
    for (const [name, value] of pairs) (lists[name] ??= []).push(value);
    const result = Object.create(null);
    for (const name in lists) result[name] = lists[name].length === 1 ? lists[name][0] : lists[name];
    return result;
}

export const isJson = (type) => /^application\/([\w.-]+\+)?json\b/i.test(type ?? "");

/** Serves plain Node: `answer(request)` gives the report. */
export function listener(answer) {
    return async (request, response) => {
        try {
            const content = JSON.stringify(await answer(request));
            response.writeHead(200, { "content-type": "application/json" }).end(content);
        } catch (error) {
            console.error(error);
            request.resume();
            response.writeHead(error.httpCode ?? 400).end(String(error));
        }
    };
}
