"""Three independent issuers: each makes its own keys, publishes its own JWKS and signs its own tokens."""

import functools
import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jwt as jwcrypto_jwt

from support.tokens import in_an_hour

ALGORITHMS = [
    "RS256", "RS384", "RS512",
    "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512",
    "HS256", "HS384", "HS512",
    "EdDSA",
]  # fmt: skip


@dataclass
class Issuer:
    jwks: dict
    tokens: dict[str, str]


@functools.cache
def issuer(name: str) -> Issuer:
    """An issuer by its library's name, with one token per algorithm; its keys are made once per run."""
    return {"pyjwt": _pyjwt, "jwcrypto": _jwcrypto, "jose": _jose}[name]()


def _pyjwt() -> Issuer:
    keys, tokens = [], {}
    for alg in ALGORITHMS:
        private, published = _pyjwt_key(alg)
        kid = f"pyjwt-{alg}"
        keys.append({**published, "kid": kid, "alg": alg, "use": "sig"})
        claims = {"name": f"{alg} by pyjwt", "exp": in_an_hour()}
        tokens[alg] = jwt.encode(claims, private, alg, headers={"kid": kid})
    return Issuer({"keys": keys}, tokens)


def _pyjwt_key(alg: str):
    curves = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
    algorithm = jwt.get_algorithm_by_name(alg)
    if alg.startswith("HS"):
        private = public = secrets.token_bytes(64)
    else:
        if alg == "EdDSA":
            private = ed25519.Ed25519PrivateKey.generate()
        elif alg in curves:
            private = ec.generate_private_key(curves[alg]())
        else:
            private = rsa.generate_private_key(65537, 2048)
        public = private.public_key()
    published = algorithm.to_jwk(public, as_dict=True)
    published.pop("key_ops", None)
    return private, published


def _jwcrypto() -> Issuer:
    keys, tokens = [], {}
    kinds = {
        "R": {"kty": "RSA", "size": 2048},
        "P": {"kty": "RSA", "size": 3072},
        "H": {"kty": "oct", "size": 512},
        "E": {"kty": "OKP", "crv": "Ed25519"},
    }
    curves = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
    for alg in [*ALGORITHMS, "Ed25519"]:
        kind = {"kty": "EC", "crv": curves[alg]} if alg in curves else kinds[alg[0]]
        key = jwcrypto_jwk.JWK.generate(**kind, kid=f"jwcrypto-{alg}", alg=alg, use="sig")
        keys.append(json.loads(key.export(private_key=alg.startswith("HS"))))
        token = jwcrypto_jwt.JWT(
            header={"alg": alg, "kid": key.kid},
            claims={"name": f"{alg} by jwcrypto", "exp": in_an_hour()},
            algs=[alg],
        )
        token.make_signed_token(key)
        tokens[alg] = token.serialize()
    return Issuer({"keys": keys}, tokens)


def _jose() -> Issuer:
    script = Path(__file__).with_name("issuer.mjs")
    made = subprocess.run(
        ["node", str(script), *ALGORITHMS, "Ed25519"], check=True, capture_output=True, text=True, timeout=60
    )
    return Issuer(**json.loads(made.stdout))
