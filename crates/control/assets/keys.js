// The Keys page: makes key pairs in the browser. Nothing that is made here is sent anywhere.

import { ALGORITHMS, generate, hasCrypto } from "./jose.js";
import { element, jwksForDomain, keyAtHand, serveButtons, tell } from "./page.js";

const form = element("key-form");
const result = element("key-result");
const json = (value) => JSON.stringify(value, null, 2);

function showOptions() {
  const keyType = form.elements.keyType.value;
  for (const field of form.querySelectorAll("[data-for]")) {
    const isShown = field.dataset.for.split(" ").includes(keyType);
    field.hidden = !isShown;
    for (const control of field.querySelectorAll("select")) control.disabled = !isShown;
  }
  showAlgorithms();
}

/** An EC key serves the one algorithm of its curve. */
function showAlgorithms() {
  const { keyType, curve, algorithm } = form.elements;
  const ofCurve = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };
  const names = keyType.value === "EC" ? [ofCurve[curve.value]] : ALGORITHMS[keyType.value];
  const options = names.map((name) => new Option(name, name));
  algorithm.replaceChildren(...options, new Option("(not set)", ""));
}

function showKeyId() {
  const isOwn = form.elements.keyId.value === "own";
  element("own-key-id").hidden = !isOwn;
  form.elements.ownKeyId.disabled = !isOwn;
  form.elements.ownKeyId.required = isOwn;
}

function request() {
  const { keyType, curve, algorithm, use, keyId, ownKeyId } = form.elements;
  const size = Number(form.elements[keyType.value === "oct" ? "secretSize" : "size"].value);
  const keyIds = { thumbprint: { thumbprint: true }, own: { name: ownKeyId.value }, none: undefined };
  return {
    keyType: keyType.value,
    size,
    curve: curve.value,
    algorithm: algorithm.value,
    use: use.value,
    keyId: keyIds[keyId.value],
  };
}

async function makeKey(event) {
  event.preventDefault();
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  tell(element("key-problem"));
  try {
    show(await generate(request()));
  } catch (error) {
    tell(element("key-problem"), `The key could not be made: ${error.message}`);
  } finally {
    button.disabled = false;
  }
}

function show({ privateJwk, publicJwk, privatePem, publicPem }) {
  const isSecret = publicJwk === undefined;
  const jwks = json({ keys: [publicJwk ?? privateJwk] });
  const texts = {
    "private-jwk": json(privateJwk),
    "private-pem": privatePem,
    "public-jwk": publicJwk && json(publicJwk),
    "public-pem": publicPem,
    jwks,
  };
  for (const [id, text] of Object.entries(texts)) {
    element(id).textContent = text ?? "";
    element(id).closest(".key-output").hidden = text === undefined;
  }
  element("private-jwk-title").textContent = isSecret ? "Secret (JWK)" : "Private key (JWK)";
  element("jwks-title").textContent = isSecret ? "JWKS (with the secret)" : "JWKS (public)";
  element("secret-note").hidden = !isSecret;
  element("use-in-domain").onclick = () => {
    jwksForDomain.set(jwks);
    location.assign(element("use-in-domain").dataset.target);
  };
  keyAtHand.set(privateJwk);
  result.hidden = false;
  element("key-result-title").focus();
  const what = isSecret ? "secret" : "key pair";
  tell(element("key-status"), `The ${what} was made in this browser. The Test page can sign with it until this tab is closed.`);
}

if (hasCrypto()) {
  form.addEventListener("submit", makeKey);
} else {
  const text = "This browser makes keys only on pages that it calls secure: open the console over https, or at localhost.";
  tell(element("key-problem"), text);
  form.querySelector("button[type=submit]").disabled = true;
}
form.elements.keyType.addEventListener("change", showOptions);
form.elements.curve.addEventListener("change", showAlgorithms);
form.elements.keyId.addEventListener("change", showKeyId);
serveButtons(result);
showOptions();
showKeyId();
