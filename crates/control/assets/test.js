// The Test page: makes a request, signs its token here, and shows what became of it.

import { algorithmsOf, hasCrypto, parseObject, readPrivateKey, sign } from "./jose.js";
import { copy, element, keyAtHand, tell } from "./page.js";

const form = element("test-form");
const fields = form.elements;
const csrf = document.querySelector("meta[name=csrf-token]")?.content ?? "";
/** Places of tokens, as the chosen domain has them. */
let places = [];
/** Whether the user has chosen where the token comes from; until then the domain decides. */
let tokenIsChosen = false;

async function showDomain() {
  const host = fields.host.value.trim();
  if (host === "") return;
  const answer = await fetch(`/console/test/domain?domain=${encodeURIComponent(host)}`);
  const domain = answer.status === 200 ? await answer.json() : null;
  if (host !== fields.host.value.trim()) return;
  places = domain?.tokenLookup ?? [];
  const options = places.map((place, position) => new Option(inWords(place), position));
  fields.place.replaceChildren(...options);
  tell(element("domain-facts"), domain ? domain.detail : "No custom domain and no HTTP trigger has this name.");
  if (domain && fields.claims.value.trim() === "{}") fields.claims.value = JSON.stringify(domain.claims, null, 2);
  if (domain && !domain.schemes.includes(fields.scheme.value)) fields.scheme.value = domain.schemes[0];
  if (domain && fields.path.value === "/") fields.path.value = domain.path;
  if (domain && !tokenIsChosen) fields.tokenFrom.value = places.length === 0 ? "none" : "sign";
  showTokenFields();
}

function inWords({ readPosition, parameterName, prefix }) {
  return `${readPosition} ${parameterName}${prefix ? `, with the prefix ${prefix}` : ""}`;
}

function showTokenFields() {
  for (const part of form.querySelectorAll("[data-token]")) {
    part.hidden = !part.dataset.token.split(" ").includes(fields.tokenFrom.value);
  }
}

function showKey() {
  const key = keyAtHand.get();
  const name = key && (key.kid ? `${key.kty} key ${key.kid}` : `${key.kty} key without a key ID`);
  tell(element("key-at-hand"), key ? `Signed with the ${name}.` : "No key is at hand: paste one, or make one on the Keys page.");
  element("other-key").open = !key;
  const selected = fields.algorithm.value;
  fields.algorithm.replaceChildren(...(key ? algorithmsOf(key) : []).map((name) => new Option(name, name)));
  if ([...fields.algorithm.options].some(({ value }) => value === selected)) fields.algorithm.value = selected;
}

async function useKey() {
  try {
    keyAtHand.set(await readPrivateKey(fields.key.value));
    fields.key.value = "";
    tell(element("test-problem"));
  } catch (error) {
    tell(element("test-problem"), `This key cannot be used: ${error.message}`);
  }
  showKey();
}

async function token() {
  if (fields.tokenFrom.value === "none") return undefined;
  if (fields.tokenFrom.value === "paste") return fields.pasted.value.trim().replace(/^Bearer\s+/i, "").replace(/\s/g, "");
  if (!hasCrypto()) throw new Error("this browser signs only on secure pages: open the console over https, or at localhost");
  const key = keyAtHand.get();
  if (!key) throw new Error("there is no key to sign with: paste one, or make one on the Keys page");
  const now = Math.floor(Date.now() / 1000);
  const valid = fields.valid.value === "" ? {} : { exp: now + Number(fields.valid.value) };
  const claims = { iat: now, ...valid, ...parseObject(fields.claims.value, "the claims are no JSON object") };
  return sign(claims, key, fields.algorithm.value);
}

/** The request with its token, as the server takes it. */
async function request() {
  const headers = fields.headers.value.split("\n").filter((line) => line.trim() !== "").map((line) => {
    const [name, ...value] = line.split(":");
    if (value.length === 0) throw new Error(`the header line ${JSON.stringify(line)} has no colon`);
    return [name.trim(), value.join(":").trim()];
  });
  let [target, body] = [fields.path.value.trim(), fields.body.value];
  const [made, place] = [await token(), places[Number(fields.place.value)]];
  if (made !== undefined && place) {
    const pair = `${encodeURIComponent(place.parameterName)}=${encodeURIComponent(made)}`;
    if (place.readPosition === "header") headers.push([place.parameterName, place.prefix ? `${place.prefix} ${made}` : made]);
    if (place.readPosition === "cookie") headers.push(["cookie", `${place.parameterName}=${made}`]);
    if (place.readPosition === "query") target += (target.includes("?") ? "&" : "?") + pair;
    if (place.readPosition === "form") {
      body += (body === "" ? "" : "&") + pair;
      if (!headers.some(([name]) => name.toLowerCase() === "content-type")) headers.push(["content-type", "application/x-www-form-urlencoded"]);
    }
  }
  return { scheme: fields.scheme.value, host: fields.host.value.trim(), method: fields.method.value, target, headers, body };
}

async function submit(event) {
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button.main");
  const outcome = element("outcome");
  tell(element("test-problem"));
  outcome.setAttribute("aria-busy", "true");
  try {
    const body = JSON.stringify({ ...(await request()), send: button.value === "send" });
    const headers = { "content-type": "application/json", "x-csrf-token": csrf };
    const answer = await fetch("/console/test", { method: "POST", headers, body });
    if (answer.headers.get("content-type")?.startsWith("text/html") && answer.ok) outcome.innerHTML = await answer.text();
    else throw new Error((await answer.json().catch(() => ({}))).Message ?? `the console answered ${answer.status}`);
  } catch (error) {
    tell(element("test-problem"), error.message);
  } finally {
    outcome.removeAttribute("aria-busy");
  }
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

async function copyCurl() {
  try {
    const { scheme, host, method, target, headers, body } = await request();
    const address = form.dataset[scheme];
    const lines = [`curl --connect-to ${quoted(`::${address}`)} -X ${method} ${quoted(`${scheme}://${host}${target}`)}`];
    lines.push(...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`));
    if (body !== "") lines.push(`--data-raw ${quoted(body)}`);
    await copy(element("copy-curl"), lines.join(" \\\n  "));
  } catch (error) {
    tell(element("test-problem"), error.message);
  }
}

form.addEventListener("submit", submit);
fields.host.addEventListener("change", showDomain);
fields.tokenFrom.addEventListener("change", () => {
  tokenIsChosen = true;
  showTokenFields();
});
element("use-key").addEventListener("click", useKey);
element("forget-key").addEventListener("click", () => {
  keyAtHand.forget();
  showKey();
});
element("copy-curl").addEventListener("click", copyCurl);
showKey();
showTokenFields();
showDomain();
// Not before: sent by the browser itself, the form would have its key in the address.
for (const button of form.querySelectorAll(".actions [disabled]")) button.disabled = false;
