"""Certificates from an ACME server: Pebble, which the makers of Let's Encrypt test clients with."""

import json
import ssl
import stat
import time

import pytest

from support import http1, tls
from support.command import claimgate
from support.configuration import configuration, domain, function
from support.pebble import NameServer, Pebble

NAME = "a.example.com"


@pytest.fixture(scope="module")
def names():
    server = NameServer()
    yield server
    server.stop()


class Subject:
    """A gateway and the ACME server that it uses."""

    def __init__(self, serve, recorder, names, folder, **settings):
        self.recorder = recorder
        self.gateway = serve(configuration([domain()], [function(recorder.url)], https="127.0.0.1:0"), recorder)
        ports = self.gateway.address[1], self.gateway.https[1]
        self.pebble = Pebble(folder, names, *ports, valid_seconds=settings.pop("valid_seconds", 3600))
        self.folder = self.gateway.file.parent / ".claimgate" / "acme"
        self.settings = {
            "directoryUrl": self.pebble.directory_url, "caFile": str(self.pebble.ca_file), "retrySeconds": 1, **settings
        }  # fmt: skip

    def configure(self, *names: str, **settings):
        domains = [domain(name) | {"protocol": "HTTPS", "certConfig": {"acme": True}} for name in names]
        more = {"https": "127.0.0.1:0", "acme": {**self.settings, **settings}}
        self.gateway.write(configuration(domains, [function(self.recorder.url)], **more))

    def wait_for(self, message: str, start: int = 0) -> dict:
        return self.gateway.wait_for_log(lambda line: message in line["message"], start, timeout=120)

    def challenges(self) -> set[str]:
        """Those that the server has looked at."""
        with http1.Connection(self.gateway.admin) as connection:
            connection.send(http1.head("GET", "/metrics", [("Host", "localhost")]))
            metrics = connection.receive().body
        path = "/.well-known/acme-challenge/"
        http = any(line.get("path", "").startswith(path) and line["status"] == 200 for line in self.gateway.log)
        tls_alpn = b'claimgate_tls_handshakes_total{result="acme_challenge"}' in metrics
        return {name for name, is_seen in (("http-01", http), ("tls-alpn-01", tls_alpn)) if is_seen}

    def certificate(self, name: str = NAME) -> dict:
        """What clients that trust the server see."""
        context = ssl.create_default_context(cadata=self.pebble.roots())
        with tls.connect(self.gateway, context, name) as connection:
            assert tls.exchange(self.gateway, connection, name).status == 200
            return connection.socket.getpeercert()


@pytest.fixture
def subject(serve, recorder, names, tmp_path, request):
    def start(**settings) -> Subject:
        subject = Subject(serve, recorder, names, tmp_path, **settings)
        request.addfinalizer(subject.pebble.stop)
        return subject

    return start


OBTAINED = "a certificate was obtained"
FAILED = "no certificate could be obtained"


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_a_certificate_is_obtained_and_kept(subject, serve, recorder, challenge):
    subject = subject(challenges=[challenge], contacts=["ops@example.com"])
    subject.configure(NAME, "b.example.com")
    for name in (NAME, "b.example.com"):
        subject.gateway.wait_for_log(
            lambda line, name=name: OBTAINED in line["message"] and line["domain"] == name, timeout=120
        )
        assert subject.certificate(name)["subjectAltName"] == (("DNS", name),)
    assert subject.challenges() == {challenge}

    files = [path for path in subject.folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"account.json", f"{NAME}.pem", "b.example.com.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    for path in files:
        secret = path.read_text().splitlines()[1] if path.suffix == ".pem" else json.loads(path.read_text())["key_pkcs8"]
        assert secret not in "".join(subject.gateway.lines)

    # What is kept is enough for the next start, though nobody else is there.
    kept = subject.certificate()
    roots = subject.pebble.roots()
    subject.pebble.stop()
    domains = [domain(NAME) | {"protocol": "HTTPS", "certConfig": {"acme": True}}]
    acme = {**subject.settings, "folder": str(subject.folder)}
    again = serve(configuration(domains, [function(recorder.url)], https="127.0.0.1:0", acme=acme), recorder)
    context = ssl.create_default_context(cadata=roots)
    with tls.connect(again, context, NAME) as connection:
        assert connection.socket.getpeercert() == kept


def test_nothing_but_a_pending_token_is_answered(subject):
    subject = subject(challenges=["http-01"])
    subject.configure(NAME)
    subject.wait_for(OBTAINED)
    response = subject.gateway.get("/.well-known/acme-challenge/x", host=NAME)
    assert response.status == 308
    offered = ssl.create_default_context(cadata=subject.pebble.roots())
    offered.set_alpn_protocols(["acme-tls/1"])
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        tls.connect(subject.gateway, offered, NAME)


def test_a_certificate_is_renewed_before_it_expires(subject):
    subject = subject(valid_seconds=9)
    subject.configure(NAME)
    subject.wait_for(OBTAINED)
    first = subject.certificate()
    # Kept over a reload, without another order.
    lines = len(subject.gateway.log)
    subject.gateway.file.touch()
    subject.wait_for("configuration reloaded", lines)
    assert subject.certificate()["serialNumber"] == first["serialNumber"]
    subject.wait_for(OBTAINED, lines)
    renewed = subject.certificate()
    assert renewed["serialNumber"] != first["serialNumber"]
    assert ssl.cert_time_to_seconds(renewed["notBefore"]) < ssl.cert_time_to_seconds(first["notAfter"])


def test_the_last_good_certificate_stays_when_the_server_fails(subject):
    subject = subject(valid_seconds=15)
    subject.configure(NAME)
    subject.wait_for(OBTAINED)
    first, roots = subject.certificate(), subject.pebble.roots()
    subject.pebble.stop()
    lines = len(subject.gateway.log)
    subject.wait_for(FAILED, lines)
    context = ssl.create_default_context(cadata=roots)
    if time.time() < ssl.cert_time_to_seconds(first["notAfter"]):
        with tls.connect(subject.gateway, context, NAME) as connection:
            assert connection.socket.getpeercert() == first
    # The server comes back without knowing anybody.
    subject.pebble.start()
    subject.wait_for(OBTAINED, lines)
    assert subject.certificate()["serialNumber"] != first["serialNumber"]


def test_a_failure_is_told_and_tried_again(subject):
    subject = subject(challenges=["http-01"])
    # Nobody listens where the server looks.
    subject.pebble.stop()
    subject.pebble.ports["httpPort"] = 1
    subject.pebble.start()
    subject.configure(NAME)
    line = subject.wait_for(FAILED)
    assert line["domain"] == NAME and "could not validate the domain" in line["message"], line
    with pytest.raises(ssl.SSLError, match="internal error"):
        subject.certificate()
    # With a second challenge to choose from it goes on.
    subject.configure(NAME, challenges=["http-01", "tls-alpn-01"])
    subject.wait_for(OBTAINED)
    assert subject.certificate()["subjectAltName"] == (("DNS", NAME),)


def test_a_folder_that_cannot_be_written_to_is_told_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    acme = {"directoryUrl": "https://acme.test/dir", "folder": str(tmp_path / "file")}
    domains = [domain(NAME) | {"protocol": "HTTPS", "certConfig": {"acme": True}}]
    file = tmp_path / "claimgate.yaml"
    file.write_text(json.dumps(configuration(domains, [function("http://127.0.0.1:1")], https="127.0.0.1:0", acme=acme)))
    result = claimgate("serve", "--config", file)
    assert result.code == 1 and "for ACME" in result.err.splitlines()[-1]
