"""Who sent a request, behind proxies that are trusted and others."""

import pytest

from support.certificates import Authority
from support.configuration import configuration, domain, function
from support.http1 import Connection, head

API = "api.example.com"
#: Loopback has more than one address; the gateway trusts this one.
PROXY, STRANGER = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def gateway(serve, recorder):
    trusted = {"trustedProxies": [PROXY, "10.0.0.0/8"]}
    return serve(configuration([domain(API)], [function(recorder.url)], **trusted), recorder)


def send(gateway, *fields: tuple[str, str], peer: str = PROXY):
    """What reached the function, and the line of the log."""
    with Connection(gateway.address, source=peer) as connection:
        connection.send(head("GET", "/", [("Host", API), *fields]))
        response = connection.receive()
    gateway.check(response, 0)
    return response.seen, gateway.access_line(response)


def told(seen) -> dict[str, str]:
    """Every header of the family, however it is spelt."""
    names = {name.lower().replace("_", "-") for name, _ in seen.headers}
    family = sorted(name for name in names if name.startswith("x-forwarded-") or name in ("forwarded", "x-real-ip"))
    return {name: ", ".join(seen.values_of_alias(name)) for name in family}


def test_a_proxy_without_a_word_is_the_client(gateway):
    seen, line = send(gateway)
    host, port = API, "80"
    own = {"x-forwarded-for": PROXY, "x-forwarded-host": host, "x-forwarded-port": port, "x-forwarded-proto": "http"}
    assert told(seen) == own
    assert line["client"] == PROXY


def test_what_a_trusted_proxy_tells_is_taken_over_and_extended(gateway):
    seen, line = send(
        gateway,
        ("X-Forwarded-For", "6.6.6.6, 203.0.113.9"),
        ("X-Forwarded-For", "10.1.2.3"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "www.example.com"),
        ("X-Forwarded-Prefix", "/evil"),
        ("X-Real-IP", "6.6.6.6"),
        ("Forwarded", "for=6.6.6.6"),
    )
    assert told(seen) == {
        "x-forwarded-for": f"6.6.6.6, 203.0.113.9, 10.1.2.3, {PROXY}",
        "x-forwarded-host": "www.example.com",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    assert line["client"] == "203.0.113.9"


def test_forwarded_is_taken_over_and_extended(gateway):
    seen, line = send(gateway, ("Forwarded", 'for="[2001:db8::1]:1234";proto=https;host=www.example.com, for=10.0.0.9'))
    assert told(seen) == {
        "forwarded": 'for="[2001:db8::1]:1234";proto=https;host=www.example.com, for=10.0.0.9, '
        f'for={PROXY};host="{API}";proto=http',
        "x-forwarded-for": f"2001:db8::1, 10.0.0.9, {PROXY}",
        "x-forwarded-host": "www.example.com",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    assert line["client"] == "2001:db8::1"


@pytest.mark.parametrize("spelling", ["X-Forwarded-{}", "x_forwarded_{}", "X.Forwarded.{}"])
def test_a_stranger_tells_nothing(gateway, spelling):
    names = {"For": "10.0.0.1", "Proto": "https", "Host": "evil.example", "Port": "1", "Prefix": "/x"}
    fields = [(spelling.format(name), value) for name, value in names.items()]
    seen, line = send(gateway, *fields, ("Forwarded", "for=10.0.0.1"), ("X-Real-IP", "10.0.0.1"), peer=STRANGER)
    assert told(seen) == {
        "x-forwarded-for": STRANGER,
        "x-forwarded-host": API,
        "x-forwarded-port": "80",
        "x-forwarded-proto": "http",
    }
    assert line["client"] == STRANGER


def test_the_host_that_a_proxy_tells_picks_no_domain(gateway):
    with Connection(gateway.address, source=PROXY) as connection:
        connection.send(head("GET", "/", [("Host", "other.example"), ("X-Forwarded-Host", API)]))
        assert connection.receive().status == 404


def test_trust_ends_with_the_configuration_that_gave_it(gateway, recorder):
    with Connection(gateway.address, source=PROXY) as connection:
        for client in ("203.0.113.9", PROXY):
            connection.send(head("GET", "/", [("Host", API), ("X-Forwarded-For", "203.0.113.9")]))
            response = connection.receive()
            gateway.check(response, 0)
            assert gateway.access_line(response)["client"] == client
            gateway.write(configuration([domain(API)], [function(recorder.url)]))
            gateway.wait_for_log(lambda line: line["message"] == "configuration reloaded")


def test_a_proxy_that_ends_tls_reaches_a_domain_of_https(serve, recorder, tmp_path):
    certificate, private_key = Authority(tmp_path).pair(API)
    certificate = {"certName": "test", "certificate": certificate, "privateKey": private_key}
    secure = domain(API) | {"protocol": "HTTPS", "certConfig": certificate}
    listeners = {"https": "127.0.0.1:0", "trustedProxies": [PROXY]}
    gateway = serve(configuration([secure], [function(recorder.url)], **listeners), recorder)
    seen, line = send(gateway, ("X-Forwarded-Proto", "https"))
    assert (seen.values("x-forwarded-proto"), line["scheme"]) == (["https"], "https")
    for peer, proto in [(PROXY, "http"), (PROXY, "x"), (STRANGER, "https")]:
        with Connection(gateway.address, source=peer) as connection:
            connection.send(head("GET", "/", [("Host", API), ("X-Forwarded-Proto", proto)]))
            assert connection.receive().status == 308
