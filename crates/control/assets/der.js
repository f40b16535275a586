// As much of DER (ITU-T X.690) as private keys in PEM need.

const OIDS = {
  rsa: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
  ec: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  ed25519: [0x2b, 0x65, 0x70],
};

const CURVES = [
  { curve: "P-256", oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] },
  { curve: "P-384", oid: [0x2b, 0x81, 0x04, 0x00, 0x22] },
  { curve: "P-521", oid: [0x2b, 0x81, 0x04, 0x00, 0x23] },
];

/** The PKCS#8 form (RFC 5958) of a private key in PEM; the older forms of RSA and EC keys are wrapped. */
export function privateKeyInfo(pem) {
  const block = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([^-]*)-----END/.exec(pem);
  if (!block) throw new Error("there is no private key in this PEM");
  const [, label, base64] = block;
  if (label.startsWith("ENCRYPTED") || base64.includes("ENCRYPTED")) {
    throw new Error("the key is encrypted; decrypt it first: openssl pkcs8 -topk8 -nocrypt");
  }
  const der = Uint8Array.from(atob(base64.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  if (label === "PRIVATE KEY") return der;
  if (label === "RSA PRIVATE KEY") return wrap(OIDS.rsa, [0x05, 0x00], der);
  const curve = CURVES.find(({ oid }) => contains(der, oid));
  if (!curve) throw new Error("the key's curve is not P-256, P-384 or P-521");
  return wrap(OIDS.ec, element(0x06, curve.oid), der);
}

/** What a PKCS#8 key is. */
export function keyKind(der) {
  // The algorithm stands at the beginning; what looks like it later is part of the key.
  const start = der.subarray(0, 40);
  if (contains(start, OIDS.rsa)) return { keyType: "RSA" };
  if (contains(start, OIDS.ed25519)) return { keyType: "OKP" };
  const curve = CURVES.find(({ oid }) => contains(start, oid))?.curve;
  if (contains(start, OIDS.ec) && curve) return { keyType: "EC", curve };
  throw new Error("the key is neither RSA nor P-256, P-384, P-521 nor Ed25519");
}

function wrap(oid, parameters, key) {
  const algorithm = element(0x30, [...element(0x06, oid), ...parameters]);
  return Uint8Array.from(element(0x30, [0x02, 0x01, 0x00, ...algorithm, ...element(0x04, key)]));
}

function element(tag, content) {
  const length = content.length;
  if (length < 0x80) return [tag, length, ...content];
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return [tag, 0x80 | bytes.length, ...bytes, ...content];
}

function contains(bytes, part) {
  return bytes.some((_, start) => part.every((byte, position) => bytes[start + position] === byte));
}
