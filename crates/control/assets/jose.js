// Keys and tokens in the browser, with WebCrypto alone: nothing here talks to anybody.

import { privateKeyInfo, keyKind } from "./der.js";

const HASHES = { 256: "SHA-256", 384: "SHA-384", 512: "SHA-512" };

/** The members of a JWK that make the key (RFC 7518, 6; RFC 8037, 2), public ones first. */
const MEMBERS = {
  RSA: { public: ["kty", "n", "e"], private: ["d", "p", "q", "dp", "dq", "qi"] },
  EC: { public: ["kty", "crv", "x", "y"], private: ["d"] },
  OKP: { public: ["kty", "crv", "x"], private: ["d"] },
  oct: { public: ["kty"], private: ["k"] },
};

/** Algorithms by key type, the usual one first. */
export const ALGORITHMS = {
  RSA: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  EC: ["ES256", "ES384", "ES512"],
  OKP: ["EdDSA"],
  oct: ["HS256", "HS384", "HS512"],
};

const CURVE_ALGORITHMS = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };
const CURVES = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

/** Whether this page may use WebCrypto: over https, and over http from this machine. */
export const hasCrypto = () => globalThis.crypto?.subtle !== undefined;

export function toBase64Url(bytes) {
  const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromBase64Url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error("not base64url: only letters, digits, - and _ are");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function toPem(der, label) {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(der)));
  return `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g).join("\n")}\n-----END ${label}-----\n`;
}

/** Makes a key. `size` is in bits (RSA, oct), `curve` a name (EC). */
export async function generate({ keyType, size, curve, algorithm, use, keyId }) {
  const extra = { ...(use && { use }), ...(algorithm && { alg: algorithm }) };
  if (keyType === "oct") {
    const secret = { kty: "oct", k: toBase64Url(crypto.getRandomValues(new Uint8Array(size / 8))) };
    return { privateJwk: await named({ ...secret, ...extra }, keyId) };
  }
  const parameters = {
    RSA: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: size, publicExponent: new Uint8Array([1, 0, 1]) },
    EC: { name: "ECDSA", namedCurve: curve },
    OKP: { name: "Ed25519" },
  };
  const pair = await crypto.subtle.generateKey(parameters[keyType], true, ["sign", "verify"]);
  const [jwk, pkcs8, spki] = await Promise.all([
    crypto.subtle.exportKey("jwk", pair.privateKey),
    crypto.subtle.exportKey("pkcs8", pair.privateKey),
    crypto.subtle.exportKey("spki", pair.publicKey),
  ]);
  const privateJwk = await named({ ...bare(jwk, true), ...extra }, keyId);
  return {
    privateJwk,
    publicJwk: publicHalf(privateJwk),
    privatePem: toPem(pkcs8, "PRIVATE KEY"),
    publicPem: toPem(spki, "PUBLIC KEY"),
  };
}

/** A JWK with its key ID: a thumbprint, a name, or none. */
async function named(jwk, keyId) {
  if (keyId === undefined) return jwk;
  return { ...jwk, kid: keyId.thumbprint ? await thumbprint(jwk) : keyId.name };
}

/** The SHA-256 thumbprint of a key (RFC 7638; RFC 8037, 2). */
export async function thumbprint(jwk) {
  const members = jwk.kty === "oct" ? ["k", "kty"] : [...MEMBERS[jwk.kty].public].sort();
  const text = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return toBase64Url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** The key without its private members. */
export function publicHalf(jwk) {
  const hidden = new Set([...MEMBERS[jwk.kty].private, "oth"]);
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !hidden.has(name)));
}

function bare(jwk, withPrivate) {
  const { public: open, private: hidden } = MEMBERS[jwk.kty];
  const names = [...open, ...(withPrivate ? hidden : [])].filter((name) => name in jwk);
  return Object.fromEntries(names.map((name) => [name, jwk[name]]));
}

/** The private JWK of a text: a JWK, a JWK set with one private key, or a private key in PEM. */
export async function readPrivateKey(text) {
  if (text.includes("-----BEGIN")) return privateJwkOfPem(text);
  const json = parseObject(text, "the key is neither PEM nor JSON");
  const keys = Array.isArray(json.keys) ? json.keys : [json];
  const key = keys.find((key) => MEMBERS[key?.kty]?.private[0] in key);
  if (!key) throw new Error("there is no private key in it: a JWK has the member d, a shared secret the member k");
  return key;
}

async function privateJwkOfPem(text) {
  const der = privateKeyInfo(text);
  const { keyType, curve } = keyKind(der);
  const parameters = {
    RSA: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    EC: { name: "ECDSA", namedCurve: curve },
    OKP: { name: "Ed25519" },
  };
  const key = await crypto.subtle.importKey("pkcs8", der, parameters[keyType], true, ["sign"]);
  return bare(await crypto.subtle.exportKey("jwk", key), true);
}

/** The algorithms that a key can serve; its own one alone when it names one. */
export function algorithmsOf(jwk) {
  if (jwk.alg) return [jwk.alg];
  if (jwk.kty === "EC") return [CURVE_ALGORITHMS[jwk.crv]].filter(Boolean);
  return ALGORITHMS[jwk.kty] ?? [];
}

function parameters(algorithm) {
  const hash = HASHES[algorithm.slice(2)];
  switch (algorithm.slice(0, 2)) {
    case "RS": return { name: "RSASSA-PKCS1-v1_5", hash };
    case "PS": return { name: "RSA-PSS", hash, saltLength: Number(algorithm.slice(2)) / 8 };
    case "ES": return { name: "ECDSA", hash, namedCurve: CURVES[algorithm] };
    case "HS": return { name: "HMAC", hash };
    case "Ed": return { name: "Ed25519" };
    default: throw new Error(`the algorithm ${algorithm} is not known here`);
  }
}

/** A compact JWS (RFC 7515, 7.1) over the claims. */
export async function sign(claims, jwk, algorithm) {
  const header = { alg: algorithm, typ: "JWT", ...(jwk.kid && { kid: jwk.kid }) };
  const encode = (value) => toBase64Url(new TextEncoder().encode(JSON.stringify(value)));
  const input = `${encode(header)}.${encode(claims)}`;
  const use = parameters(algorithm);
  const key = await crypto.subtle.importKey("jwk", bare(jwk, true), use, false, ["sign"]);
  return `${input}.${toBase64Url(await crypto.subtle.sign(use, key, new TextEncoder().encode(input)))}`;
}

/** The parts of a compact JWS, unverified. Problems are told in words instead of thrown. */
export function decode(token) {
  const segments = token.split(".");
  if (segments.length === 5) return { problems: ["five segments: this token is encrypted (JWE), and only whoever has the key can read it"] };
  if (segments.length !== 3) return { problems: [`a token has three segments with dots between them, and this has ${segments.length}`] };
  const problems = [];
  const part = (name, segment) => {
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(fromBase64Url(segment));
      return { text, json: parseObject(text, `the ${name} is no JSON object`) };
    } catch (error) {
      problems.push(`${name}: ${error.message}`);
      return undefined;
    }
  };
  const [header, payload] = [part("header", segments[0]), part("payload", segments[1])];
  try {
    fromBase64Url(segments[2]);
  } catch (error) {
    problems.push(`signature: ${error.message}`);
  }
  return { header, payload, problems };
}

/** Checks a token's signature with a public key, a JWK set or a secret; tells what came out, in words. */
export async function verify(token, keyText) {
  const { header } = decode(token);
  const algorithm = header?.json.alg;
  if (typeof algorithm !== "string") throw new Error("the header names no algorithm");
  const use = parameters(algorithm);
  const keys = await publicKeys(keyText, use);
  const [head, payload, signature] = token.split(".");
  const input = new TextEncoder().encode(`${head}.${payload}`);
  const named = keys.filter(({ kid }) => kid === undefined || header.json.kid === undefined || kid === header.json.kid);
  if (named.length === 0) throw new Error(`no key has the key ID ${JSON.stringify(header.json.kid)} of the token`);
  for (const { kid, key } of named) {
    if (await crypto.subtle.verify(use, key, fromBase64Url(signature), input)) return { isGood: true, kid };
  }
  return { isGood: false };
}

async function publicKeys(text, use) {
  if (text.includes("-----BEGIN PUBLIC KEY-----")) {
    const der = Uint8Array.from(atob(text.replace(/-----[^-]+-----|\s/g, "")), (character) => character.charCodeAt(0));
    return [{ key: await crypto.subtle.importKey("spki", der, use, false, ["verify"]) }];
  }
  const json = parseObject(text, "the key is neither a public key in PEM nor JSON");
  const keys = Array.isArray(json.keys) ? json.keys : [json];
  const imported = await Promise.allSettled(
    keys.map(async (jwk) => ({
      kid: jwk.kid,
      key: await crypto.subtle.importKey("jwk", bare(jwk, jwk.kty === "oct"), use, false, ["verify"]),
    })),
  );
  const good = imported.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
  if (good.length === 0) throw new Error("none of these keys fits the token's algorithm");
  return good;
}

/** A JSON object of a text. */
export function parseObject(text, problem) {
  let json;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${problem}: ${error.message}`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Error(problem);
  return json;
}
