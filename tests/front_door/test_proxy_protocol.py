"""The PROXY protocol before requests and before TLS, from trusted proxies alone."""

import socket
import struct

import pytest

from support import tls
from support.certificates import Authority
from support.configuration import configuration, domain, function
from support.http1 import Connection, head

API = "api.example.com"
PROXY, STRANGER = "127.0.0.2", "127.0.0.3"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
REQUEST = head("GET", "/", [("Host", API)])


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def gateway(serve, recorder, authority):
    certificate, private_key = authority.pair(API)
    certificate = {"certName": "test", "certificate": certificate, "privateKey": private_key}
    secure = domain(API) | {"protocol": "HTTP,HTTPS", "certConfig": certificate}
    listeners = {"https": "127.0.0.1:0", "trustedProxies": [PROXY, "10.0.0.0/8"], "proxyProtocol": True}
    timeouts = {"headerReadSeconds": 1}
    return serve(configuration([secure], [function(recorder.url)], timeouts=timeouts, **listeners), recorder)


def version_2(command: int, family: int, rest: bytes = b"") -> bytes:
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(rest)) + rest


def tcp4(source: str, more: bytes = b"") -> bytes:
    addresses = socket.inet_aton(source) + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 4711, 443)
    return version_2(0x21, 0x11, addresses + more)


HEADERS = [
    (b"PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\n", "203.0.113.9"),
    (b"PROXY TCP6 2001:db8::1 ::1 4711 443\r\n", "2001:db8::1"),
    (b"PROXY UNKNOWN\r\n", PROXY),
    (tcp4("203.0.113.9"), "203.0.113.9"),
    (tcp4("203.0.113.9", b"\x04\x00\x03abc"), "203.0.113.9"),
    (version_2(0x21, 0x21, socket.inet_pton(socket.AF_INET6, "2001:db8::1") + bytes(20)), "2001:db8::1"),
    (version_2(0x20, 0x00), PROXY),
]


@pytest.mark.parametrize(("header", "client"), HEADERS)
def test_the_client_is_whom_the_proxy_tells(gateway, header, client):
    with Connection(gateway.address, source=PROXY) as connection:
        for sent in (header + REQUEST, REQUEST):
            connection.send(sent)
            response = connection.receive()
            gateway.check(response, 0)
            assert response.seen.values("x-forwarded-for") == [client]
            assert gateway.access_line(response)["client"] == client


def test_a_header_may_come_in_pieces(gateway):
    header, client = HEADERS[3]
    with Connection(gateway.address, source=PROXY) as connection:
        for byte in header + REQUEST:
            connection.send(bytes([byte]))
        response = connection.receive()
    gateway.check(response, 0)
    assert response.seen.values("x-forwarded-for") == [client]


def test_it_comes_before_tls(gateway, authority):
    def wrap(plain):
        plain.sendall(HEADERS[0][0])
        return tls.context(authority).wrap_socket(plain, server_hostname=API)

    with Connection(gateway.https, source=PROXY, wrap=wrap) as connection:
        connection.send(REQUEST)
        response = connection.receive()
    gateway.check(response, 0)
    assert response.seen.values("x-forwarded-for") == ["203.0.113.9"]
    assert response.seen.values("x-forwarded-proto") == ["https"]


def test_the_client_that_is_told_is_trusted_as_far_as_any(gateway):
    fields = [("Host", API), ("X-Forwarded-For", "198.51.100.7")]
    for source, client in (("203.0.113.9", "203.0.113.9"), ("10.1.1.1", "198.51.100.7")):
        with Connection(gateway.address, source=PROXY) as connection:
            connection.send(tcp4(source) + head("GET", "/", fields))
            response = connection.receive()
        gateway.check(response, 0)
        assert gateway.access_line(response)["client"] == client


@pytest.mark.parametrize(
    "begin",
    [
        b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
        b"PROXY TCP4 203.0.113.9 10.0.0.1 4711\r\n" + REQUEST,
        b"PROXY TCP5 203.0.113.9 10.0.0.1 4711 443\r\n" + REQUEST,
        b"PROXY " + b"a" * 200 + REQUEST,
        version_2(0x31, 0x11, bytes(12)) + REQUEST,
        version_2(0x21, 0x11, bytes(4)) + REQUEST,
        version_2(0x21, 0x12, bytes(12)) + REQUEST,
    ],
)
def test_anything_else_closes_the_connection(gateway, begin):
    before = gateway.reached()
    with Connection(gateway.address, source=PROXY) as connection:
        connection.send(begin)
        assert connection.is_closed()
    assert gateway.reached() == before
    gateway.wait_for_log(lambda line: line["message"] == "a connection of a trusted proxy is closed")


@pytest.mark.parametrize("begin", [b"", HEADERS[0][0][:20], HEADERS[3][0][:14]])
def test_a_header_that_does_not_come_is_not_waited_for(gateway, begin):
    with Connection(gateway.address, source=PROXY) as connection:
        connection.send(begin)
        assert connection.is_closed()


@pytest.mark.parametrize("header", [HEADERS[0][0], HEADERS[3][0]])
def test_a_stranger_has_no_header(gateway, header):
    with Connection(gateway.address, source=STRANGER) as connection:
        connection.send(header + REQUEST)
        response = connection.receive()
    assert response.status in (400, 505)
    with Connection(gateway.address, source=STRANGER) as connection:
        connection.send(REQUEST)
        response = connection.receive()
    gateway.check(response, 0)
    assert response.seen.values("x-forwarded-for") == [STRANGER]


def test_a_proxy_that_says_nothing_does_not_hold_up_the_end(gateway):
    with Connection(gateway.address, source=PROXY):
        assert gateway.stop() == 0
