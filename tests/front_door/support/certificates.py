"""A certificate authority of the test's own, and certificates for loopback."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """Issues certificates; its own is in `file`."""

    def __init__(self, folder: Path):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("test authority")
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = self._sign(self._name, self._key, constraints)
        self.file = folder / "authority.pem"
        self.file.write_bytes(_pem(self._certificate))

    def issue(self, certificate: Path, key: Path, *names: str):
        """Writes a new certificate for names or addresses, and its key."""
        chain, private = self.pair(*names)
        certificate.write_text(chain)
        key.touch(mode=0o600)
        key.write_text(private)

    def pair(self, *names: str, rsa_bits: int | None = None, age: int = 0) -> tuple[str, str]:
        """A new certificate in PEM, issued so many days ago for two, and its key."""
        private = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        certificate = self._sign(_name("test"), private, alternatives, age)
        key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return _pem(certificate).decode(), key.decode()

    def _sign(self, name: x509.Name, private, extension, age: int = 0) -> x509.Certificate:
        day = datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.UTC) - age * day
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name)
        builder = builder.public_key(private.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - day).not_valid_after(now + day)
        return builder.add_extension(extension, critical=False).sign(self._key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
