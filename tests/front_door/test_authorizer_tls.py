"""The authorizer behind its own TLS."""

import http.client
import ssl

import httpx
import pytest

from support import http1
from support.authorizer import SNOW
from support.certificates import Authority
from support.command import claimgate


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def files(authority, tmp_path):
    """A certificate and its key."""
    files = [tmp_path / "cert.pem", tmp_path / "key.pem"]
    authority.issue(*files, "127.0.0.1")
    return files


@pytest.fixture
def login(authorizer, files):
    return authorizer(tls={"certificateFile": str(files[0]), "privateKeyFile": str(files[1])}, timeouts={"headerReadSeconds": 1})


def serial_number(login, authority) -> int:
    """Of the certificate that a client which trusts the authority sees."""
    context = ssl.create_default_context(cafile=authority.file)
    connection = http.client.HTTPSConnection(*login.address, context=context, timeout=20)
    connection.connect()
    number = connection.sock.getpeercert()["serialNumber"]
    connection.close()
    return number


def test_tokens_come_over_tls_only(login, authority):
    context = ssl.create_default_context(cafile=authority.file)
    assert login.log_in(verify=context).status_code == 200
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        login.log_in()
    with http1.Connection(login.address) as plain, http1.Connection(login.address) as silent:
        plain.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        # What comes is an alert of TLS, if anything.
        assert b"HTTP/1" not in plain.file.read(100)
        assert silent.file.read(100) == b""


def test_a_renewed_certificate_is_taken_over_and_a_bad_one_is_not(login, authority, files):
    first = serial_number(login, authority)
    authority.issue(*files, "127.0.0.1")
    login.wait_until(lambda: serial_number(login, authority) != first)
    second = serial_number(login, authority)

    for file in files:
        good = file.read_bytes()
        file.write_text("-----BEGIN nothing")
        login.wait_for_log(lambda line, file=file: "certificate refused" in line["message"] and str(file) in line["message"])
        assert serial_number(login, authority) == second
        file.write_bytes(good)
        login.wait_until(lambda: login.metrics()['claimgate_authorizer_last_reload_good{what="tls"}'] == 1)


def test_a_certificate_that_cannot_be_used_is_told_at_the_start(authority, files, tmp_path):
    (tmp_path / "users.yaml").write_text(f"users: [{{username: snow, passwordHash: '{SNOW['passwordHash']}'}}]")
    config = tmp_path / "authorizer.yaml"
    config.write_text(
        "issuer: https://localhost\nlisten: 127.0.0.1:0\nkeys: {folder: keys}\nusers: {file: users.yaml}\n"
        "tls: {certificateFile: cert.pem, privateKeyFile: key.pem}\n"
    )
    other = [tmp_path / "other.pem", tmp_path / "key.pem"]
    authority.issue(*other, "127.0.0.1")
    result = claimgate("authorizer", "--config", config)
    assert result.code == 1 and "cannot use tls.privateKeyFile" in result.err.splitlines()[-1]
    files[0].unlink()
    result = claimgate("authorizer", "--config", config)
    assert result.code == 1 and "cannot use tls.certificateFile" in result.err.splitlines()[-1]
