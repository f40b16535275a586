// Greets the caller by the claim that claimgate hands over as `x-name`.
import { createServer } from "node:http";

createServer((request, response) => {
  response.end(Buffer.from(`Hello, ${request.headers["x-name"]}, from Node\n`, "latin1"));
}).listen(process.env.PORT ?? 9000, "127.0.0.1");
