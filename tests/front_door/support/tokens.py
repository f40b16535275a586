"""Tokens that no library would make: header, payload and signature are whatever a test wants.

Signatures come from `cryptography` itself, so that a JOSE library's good manners are not in the way.
"""

import base64
import functools
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOUR = 3600


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64u_decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact_json(value) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def in_an_hour() -> int:
    return int(time.time()) + HOUR


class Key:
    """A private key with the JWK that an operator would paste."""

    def __init__(self, alg: str, kid: str | None = None):
        self.alg, self.kid, self.private = alg, kid, _private_key(alg)

    @property
    def public_jwk(self) -> dict:
        kid = {} if self.kid is None else {"kid": self.kid}
        return {"alg": self.alg, "use": "sig", **kid, **public_members(self.private)}

    def sign(self, signing_input: bytes, alg: str | None = None) -> bytes:
        return signature(self.private, alg or self.alg, signing_input)

    def token(self, claims: dict | bytes | str | None = None, header: dict | bytes | None = None) -> str:
        """A token; claims and header may be bytes to say exactly what is in them.

        A dictionary of claims gets an `exp` in an hour when it has none, and a dictionary of header
        parameters is added to the usual ones.
        """
        if claims is None or isinstance(claims, dict):
            claims = compact_json({"exp": in_an_hour(), **(claims or {})})
        if isinstance(claims, str):
            claims = claims.encode()
        if header is None or isinstance(header, dict):
            kid = {} if self.kid is None else {"kid": self.kid}
            header = compact_json({"alg": self.alg, "typ": "JWT", **kid, **(header or {})})
        return self.seal(b64u(header), b64u(claims))

    def seal(self, header: str, payload: str) -> str:
        """Signs two segments as they are."""
        return f"{header}.{payload}.{b64u(self.sign(f'{header}.{payload}'.encode()))}"


@functools.cache
def key(alg: str, kid: str | None = None) -> Key:
    """A key that is made once per run: RSA ones take a while."""
    return Key(alg, kid)


def jwks(*keys: Key) -> dict:
    return {"keys": [key.public_jwk for key in keys]}


def _private_key(alg: str):
    match alg[:2]:
        case "RS" | "PS":
            return rsa.generate_private_key(65537, 2048)
        case "ES":
            return ec.generate_private_key(_curve(alg))
        case "Ed":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return hashlib.shake_256(alg.encode()).digest(64)


def _curve(alg: str) -> ec.EllipticCurve:
    return {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[alg]()


def _hash(alg: str):
    return {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[alg[2:]]()


def public_members(private) -> dict:
    """A key's public members as in RFC 7518 section 6 and RFC 8037 section 2."""
    if isinstance(private, bytes):
        return {"kty": "oct", "k": b64u(private)}
    public = private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": b64u(_big_endian(numbers.n)), "e": b64u(_big_endian(numbers.e))}
    if isinstance(public, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64u(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    size = (public.key_size + 7) // 8
    numbers = public.public_numbers()
    coordinates = {name: b64u(getattr(numbers, name).to_bytes(size, "big")) for name in ("x", "y")}
    return {"kty": "EC", "crv": {32: "P-256", 48: "P-384", 66: "P-521"}[size], **coordinates}


def _big_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def signature(private, alg: str, signing_input: bytes) -> bytes:
    match alg[:2]:
        case "HS":
            return hmac.digest(private, signing_input, "sha" + alg[2:])
        case "RS":
            return private.sign(signing_input, padding.PKCS1v15(), _hash(alg))
        case "PS":
            digest = _hash(alg)
            pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
            return private.sign(signing_input, pss, digest)
        case "ES":
            der = private.sign(signing_input, ec.ECDSA(_hash(alg)))
            size = (private.key_size + 7) // 8
            return b"".join(part.to_bytes(size, "big") for part in utils.decode_dss_signature(der))
        case _:
            return private.sign(signing_input)
