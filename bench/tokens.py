"""Keys and tokens: one issuer for each algorithm, one token for each user."""

import base64
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER = "https://issuer.example.com"
AUDIENCE = "api.example.com"
KEY_ID = "bench"
LIFETIME_SECONDS = 4 * 60 * 60


@dataclass
class Issuer:
    """Who signs the tokens of one algorithm, and what verifiers know of it."""

    algorithm: str
    signing_key: object
    jwk: dict
    haproxy_key: str
    """What HAProxy's jwt_verify takes: the secret itself, or the file of a public key."""

    def sign(self, user: int, **changes) -> str:
        """A token of a user; `changes` replace claims, `None` removes one."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": f"user-{user:06}",
            "name": f"John Snow {user}",
            "email": f"john.snow.{user}@example.com",
            "roles": ["ranger", "steward"],
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": f"{user:032x}",
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(claims, self.signing_key, self.algorithm, headers={"kid": KEY_ID})

    def mislabel(self, user: int, algorithm: str) -> str:
        """A good token but for `alg`, which names another algorithm than the signature's."""
        payload = self.sign(user).split(".")[1]
        header = base64url(json.dumps({"alg": algorithm, "kid": KEY_ID}).encode())
        signer = jwt.get_algorithm_by_name(self.algorithm)
        signature = signer.sign(f"{header}.{payload}".encode(), signer.prepare_key(self.signing_key))
        return f"{header}.{payload}.{base64url(signature)}"


EC_CURVES = {"ES256": ec.SECP256R1, "ES512": ec.SECP521R1}


def issuer(algorithm: str, directory: Path, rsa_bits: int = 2048) -> Issuer:
    """An issuer with a new key, whose public part lies in the directory."""
    if algorithm.startswith("HS"):
        secret = secrets.token_hex(32)
        jwk = {"kty": "oct", "k": base64url(secret.encode())}
        return Issuer(algorithm, secret, described(jwk, algorithm), secret)
    if algorithm.startswith("RS"):
        key, kind = rsa.generate_private_key(65537, rsa_bits), jwt.algorithms.RSAAlgorithm
    elif algorithm == "EdDSA":
        key, kind = ed25519.Ed25519PrivateKey.generate(), jwt.algorithms.OKPAlgorithm
    else:
        key, kind = ec.generate_private_key(EC_CURVES[algorithm]()), jwt.algorithms.ECAlgorithm
    public = key.public_key()
    file = directory / f"{algorithm}.pem"
    file.write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    jwk = json.loads(kind.to_jwk(public))
    return Issuer(algorithm, key, described(jwk, algorithm), str(file))


def described(jwk: dict, algorithm: str) -> dict:
    jwk.pop("key_ops", None)
    return jwk | {"kid": KEY_ID, "use": "sig", "alg": algorithm}


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
