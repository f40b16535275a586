"""HTTPS: versions, cipher suites, resumed sessions, and certificates that change."""

import json
import ssl

import pytest

from support import http1, tls
from support.certificates import Authority
from support.command import claimgate
from support.configuration import configuration, domain, function

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def secured(name: str, pair: tuple[str, str], **settings) -> dict:
    certificate = {"certificate": pair[0], "privateKey": pair[1]}
    return domain(name) | {"protocol": "HTTPS", "certConfig": certificate, "tlsConfig": settings}


@pytest.fixture(scope="module")
def gateway(serve, recorder, authority):
    def add(name, rsa_bits=None, **settings):
        return secured(name, authority.pair(name, rsa_bits=rsa_bits), **settings)

    domains = [
        add("default.test"),
        add("only12.test", minVersion="TLSv1.0", maxVersion="TLSv1.2"),
        add("only13.test", minVersion="TLSv1.3"),
        add(
            "suite.test",
            minVersion="TLSv1.2",
            maxVersion="TLSv1.2",
            cipherSuites=["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_RSA_WITH_RC4_128_SHA"],
        ),
        add("suite13.test", cipherSuites=["TLS_CHACHA20_POLY1305_SHA256"]),
        add("rsa.test", rsa_bits=2048),
    ]
    return serve(configuration(domains, [function(recorder.url)], https="127.0.0.1:0"), recorder)


@pytest.mark.parametrize(
    ("name", "version", "is_spoken"),
    [
        ("default.test", TLS12, True),
        ("default.test", TLS13, True),
        ("only12.test", TLS12, True),
        ("only12.test", TLS13, False),
        ("only13.test", TLS12, False),
        ("only13.test", TLS13, True),
        ("rsa.test", TLS12, True),
        ("rsa.test", TLS13, True),
    ],
)
def test_versions(gateway, authority, name, version, is_spoken):
    context = tls.context(authority, version=version)
    if is_spoken:
        assert tls.get(gateway, context, name).status == 200
    else:
        with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
            tls.connect(gateway, context, name)


def test_cipher_suites(gateway, authority):
    def chosen(name, **more):
        with tls.connect(gateway, tls.context(authority, **more), name) as connection:
            return connection.socket.cipher()[0]

    chacha = "ECDHE-ECDSA-CHACHA20-POLY1305"
    assert chosen("suite.test", ciphers=f"ECDHE-ECDSA-AES128-GCM-SHA256:{chacha}") == chacha
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        chosen("suite.test", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256", version=TLS12)
    assert chosen("suite13.test") == "TLS_CHACHA20_POLY1305_SHA256"


# --- resumed sessions ---


def session(gateway, context, name, session=None) -> tuple[bool, ssl.SSLSession]:
    """Whether a session was resumed, and the one to go on with, which comes with the first answer."""
    with tls.connect(gateway, context, name, session) as connection:
        assert tls.exchange(gateway, connection, name).status == 200
        return connection.socket.session_reused, connection.socket.session


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_sessions_are_resumed(gateway, authority, version):
    context = tls.context(authority, version=version)
    resumed, ticket = session(gateway, context, "default.test")
    assert not resumed
    for _ in range(3):
        # On another connection, which another thread may serve.
        resumed, ticket = session(gateway, context, "default.test", ticket)
        assert resumed


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_no_session_is_resumed_for_another_domain(gateway, authority, version):
    context = tls.context(authority, version=version)
    _, ticket = session(gateway, context, "default.test")
    assert not session(gateway, context, "rsa.test", ticket)[0]


def test_sessions_outlive_reloads(serve, recorder, authority):
    pair = authority.pair("a.test")
    gateway = serve(configuration([secured("a.test", pair)], [function(recorder.url)], https="127.0.0.1:0"), recorder)
    context = tls.context(authority)
    _, ticket = session(gateway, context, "a.test")
    gateway.write(
        configuration([secured("a.test", pair), secured("b.test", authority.pair("b.test"))], [function(recorder.url)], https="127.0.0.1:0")
    )
    gateway.wait_for_log(lambda line: line["message"] == "configuration reloaded")
    assert session(gateway, context, "a.test", ticket)[0]
    assert not session(gateway, context, "b.test")[0]


# --- certificates that change ---


@pytest.fixture
def files(tmp_path):
    return [tmp_path / "cert.pem", tmp_path / "key.pem"]


@pytest.fixture
def from_files(serve, recorder, authority, files):
    authority.issue(*files, "a.test")
    certificate = {"certificateFile": str(files[0]), "privateKeyFile": str(files[1])}
    domains = [domain("a.test") | {"protocol": "HTTPS", "certConfig": certificate}]
    return serve(configuration(domains, [function(recorder.url)], https="127.0.0.1:0"), recorder)


def serial_number(gateway, authority) -> str:
    with tls.connect(gateway, tls.context(authority), "a.test") as connection:
        return connection.socket.getpeercert()["serialNumber"]


def gauge(gateway, name: str) -> float:
    with http1.Connection(gateway.admin) as connection:
        connection.send(http1.head("GET", "/metrics", [("Host", "localhost")]))
        lines = connection.receive().body.decode().splitlines()
    return float(next(line for line in lines if line.startswith(name)).rsplit(" ", 1)[1])


def test_a_renewed_certificate_is_taken_over_and_a_bad_one_is_not(from_files, authority, files):
    gateway = from_files
    first = serial_number(gateway, authority)
    open_connection = tls.connect(gateway, tls.context(authority), "a.test")
    authority.issue(*files, "a.test")
    gateway.wait_for_log(lambda line: line["message"] == "certificate reloaded")
    second = serial_number(gateway, authority)
    assert second != first
    with open_connection:
        assert tls.exchange(gateway, open_connection, "a.test").status == 200

    good = [file.read_bytes() for file in files]
    authority.issue(files[0].with_name("x"), files[1], "a.test")
    others = {
        files[0]: (b"-----BEGIN nothing", authority.pair("b.test")[0].encode()),
        files[1]: (b"", files[1].read_bytes()),
    }
    for number, file in enumerate(files):
        for bad in others[file]:
            lines = len(gateway.log)
            for path, content in zip(files, good, strict=True):
                path.write_bytes(bad if path == file else content)
            line = gateway.wait_for_log(lambda line: "the last good one stays" in line["message"], lines)
            assert str(files[number]) in line["message"] and line["domain"] == "a.test"
            assert serial_number(gateway, authority) == second
            assert gauge(gateway, 'claimgate_tls_certificate_is_current{domain="a.test"}') == 0
    lines = len(gateway.log)
    files[1].write_bytes(good[1])
    gateway.wait_for_log(lambda line: line["message"] == "certificate reloaded", lines)
    assert gauge(gateway, 'claimgate_tls_certificate_is_current{domain="a.test"}') == 1
    expected = ssl.cert_time_to_seconds(peer(gateway, authority)["notAfter"])
    assert gauge(gateway, 'claimgate_tls_certificate_not_after_timestamp_seconds{domain="a.test"}') == expected
    assert good[1].splitlines()[1].decode() not in "".join(gateway.lines)


def peer(gateway, authority) -> dict:
    with tls.connect(gateway, tls.context(authority), "a.test") as connection:
        return connection.socket.getpeercert()


def test_an_expired_certificate_is_a_warning(authority, tmp_path):
    file = tmp_path / "claimgate.yaml"
    expired = secured("a.test", authority.pair("a.test", age=4))
    file.write_text(json.dumps(configuration([expired], [function("http://127.0.0.1:1")], https="127.0.0.1:0")))
    result = claimgate("check", "--config", file)
    assert result.code == 0
    assert "warning: customDomains[0].certConfig.certificate: the certificate expired 3 days ago" in result.err + result.text


def test_files_are_found_beside_the_configuration(authority, tmp_path):
    authority.issue(tmp_path / "cert.pem", tmp_path / "key.pem", "a.test")
    certificate = {"certificateFile": "cert.pem", "privateKeyFile": "key.pem"}
    file = tmp_path / "claimgate.yaml"
    named = domain("a.test") | {"protocol": "HTTPS", "certConfig": certificate}
    file.write_text(json.dumps(configuration([named], [function("http://127.0.0.1:1")], https="127.0.0.1:0")))
    assert claimgate("check", "--config", file).code == 0
    (tmp_path / "key.pem").unlink()
    result = claimgate("check", "--config", file)
    assert result.code == 1 and "key.pem: there is no such file" in result.err
