"""Keys of every kind, made and written by OpenSSL."""

import functools
import subprocess

#: How `openssl genpkey` makes each kind of key.
KINDS = {
    "RSA-2048": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "RSA-3072": ["RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "RSA-4096": ["RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
    "RSA-2048-e3": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"],
    "P-256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "P-521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "Ed25519": ["ED25519"],
}


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True, timeout=120).stdout


@functools.cache
def private_pem(kind: str) -> bytes:
    """A private key as PKCS#8, made once per run."""
    return openssl("genpkey", "-algorithm", *KINDS[kind])


def forms(kind: str) -> dict[str, bytes]:
    """The key in every form that OpenSSL writes, by name; private ones say so."""
    private = private_pem(kind)
    made = {}
    for encoding in ("PEM", "DER"):
        made[f"private PKCS#8 {encoding}"] = openssl("pkcs8", "-topk8", "-nocrypt", "-outform", encoding, stdin=private)
        made[f"public SPKI {encoding}"] = openssl("pkey", "-pubout", "-outform", encoding, stdin=private)
        if kind.startswith("RSA"):
            made[f"private PKCS#1 {encoding}"] = openssl("rsa", "-traditional", "-outform", encoding, stdin=private)
            made[f"public PKCS#1 {encoding}"] = openssl("rsa", "-RSAPublicKey_out", "-outform", encoding, stdin=private)
        if kind.startswith("P-"):
            made[f"private SEC1 {encoding}"] = openssl("ec", "-outform", encoding, stdin=private)
        made[f"certificate {encoding}"] = certificate(private, encoding)
    return made


def certificate(private: bytes, encoding: str = "PEM") -> bytes:
    return openssl(
        "req", "-x509", "-key", "/dev/stdin", "-subj", "/CN=test", "-days", "1", "-outform", encoding, stdin=private
    )
