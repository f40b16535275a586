// Runs calls with the original's SDK for Node: [[operation, ...arguments]] on standard input, what came of
// each on standard output.
import FunctionCompute from "@alicloud/fc20230330";
import { $OpenApiUtil } from "@alicloud/openapi-core";
import { readFileSync } from "node:fs";

const sdk = FunctionCompute;
const { endpoint, accessKeyId, accessKeySecret, calls } = JSON.parse(readFileSync(0, "utf8"));
const config = new $OpenApiUtil.Config({ endpoint, accessKeyId, accessKeySecret, protocol: "HTTP" });
const client = new sdk.default(config);

const outcomes = [];
for (const [operation, ...parameters] of calls) {
  try {
    const values = parameters.map((value) => {
      if (typeof value === "string") return value;
      const request = new sdk[`${operation[0].toUpperCase()}${operation.slice(1)}Request`](value.query ?? {});
      if (value.body) request.body = new sdk[value.type](value.body);
      return request;
    });
    const response = await client[operation](...values);
    outcomes.push({ status: response.statusCode, body: response.body?.toMap?.() ?? null });
  } catch (error) {
    outcomes.push({ code: error.code, status: error.statusCode, message: error.message, name: error.name });
  }
}
console.log(JSON.stringify(outcomes));
