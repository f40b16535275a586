// The Token Decoder page: what a token says, in words. The token stays in the browser.

import { decode, hasCrypto, verify } from "./jose.js";
import { element, make, tell, timeInWords } from "./page.js";

const MEANINGS = {
  iss: "issuer: who made the token",
  sub: "subject: whom it is about",
  aud: "audience: whom it is for",
  exp: "expiration time: it is refused from then on",
  nbf: "not before: it is refused until then",
  iat: "issued at",
  jti: "the token's own number",
  alg: "algorithm of the signature",
  typ: "media type of the token",
  kid: "ID of the key that signed it",
  crit: "extensions that must be understood; claimgate refuses such tokens",
  cty: "media type of the content",
  jku: "address of keys; claimgate never follows it",
  jwk: "a key inside of the token; claimgate never trusts it",
  x5u: "address of a certificate; claimgate never follows it",
  x5c: "certificates inside of the token; claimgate never trusts them",
};
const TIMES = new Set(["exp", "nbf", "iat", "auth_time", "updated_at"]);

const input = element("token");

function row(name, value) {
  const cells = [make("th", name), make("td"), make("td", MEANINGS[name] ?? "")];
  cells[0].scope = "row";
  cells[1].append(make("code", JSON.stringify(value)));
  if (TIMES.has(name) && typeof value === "number") cells[1].append(make("span", ` ${timeInWords(value)}`, "note"));
  const made = make("tr");
  made.append(...cells);
  return made;
}

function validity(claims, now = Date.now() / 1000) {
  const { exp, nbf } = claims;
  if (typeof exp === "number" && exp <= now) return [`This token has expired: ${timeInWords(exp)}.`, "bad"];
  if (typeof nbf === "number" && nbf > now) return [`This token is not valid yet: ${timeInWords(nbf)}.`, "bad"];
  if (typeof exp === "number") return [`By its times this token is valid; it expires at ${timeInWords(exp)}.`, "good"];
  return ["This token never expires: it has no exp.", "warn"];
}

function show() {
  // What is pasted may come with line breaks, and with the scheme before it.
  const token = input.value.replace(/\s+/g, " ").trim().replace(/^Bearer /i, "").replaceAll(" ", "");
  const decoded = element("decoded");
  decoded.hidden = token === "";
  tell(element("token-problems"));
  tell(element("validity"));
  for (const id of ["header-claims", "payload-claims"]) element(id).replaceChildren();
  if (token === "") return;
  const { header, payload, problems } = decode(token);
  tell(element("token-problems"), problems.join("; "));
  for (const [id, part] of [["header", header], ["payload", payload]]) {
    element(`${id}-json`).textContent = part ? JSON.stringify(part.json, null, 2) : "";
    element(`${id}-part`).hidden = !part;
    element(`${id}-claims`).replaceChildren(...Object.entries(part?.json ?? {}).map(([name, value]) => row(name, value)));
  }
  if (payload) {
    const [words, mark] = validity(payload.json);
    tell(element("validity"), words);
    element("validity").className = `notice ${mark}`;
  }
  check(token);
}

async function check(token) {
  const target = element("signature");
  const key = element("verification-key").value.trim();
  if (key === "" || !hasCrypto()) {
    target.className = "notice warn";
    return tell(target, "The signature was not checked: anybody can have written this.");
  }
  try {
    const { isGood, kid } = await verify(token, key);
    target.className = `notice ${isGood ? "good" : "bad"}`;
    const by = kid === undefined ? "with this key" : `with the key ${JSON.stringify(kid)}`;
    tell(target, isGood ? `The signature was made ${by}.` : "The signature was not made with this key, or the token was changed.");
  } catch (error) {
    target.className = "notice bad";
    tell(target, `The signature cannot be checked: ${error.message}.`);
  }
}

for (const id of ["token", "verification-key"]) element(id).addEventListener("input", show);
show();
