"""HTTPS: certificates by name, and what a connection may be used for."""

import json
import socket
import ssl
import threading
from concurrent import futures

import grpc
import h2.connection
import h2.events
import pytest
import websockets.sync.server
from websockets.sync.client import connect as websocket_connect

from support import http1, tls
from support.certificates import Authority
from support.command import claimgate
from support.configuration import configuration, domain, function, jwt
from support.process import wait_until
from support.tokens import jwks, key

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
AUTH = jwt(jwks(KEY), claim_pass_by="header:sub:x-sub")
FATAL = {"unrecognized_name": 112, "missing_extension": 109}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def secured(authority, name: str, protocol: str = "HTTPS", certified: str | None = None, **more) -> dict:
    certificate, private_key = authority.pair(certified or name)
    certificate_config = {"certName": "test", "certificate": certificate, "privateKey": private_key}
    return domain(name, **more) | {"protocol": protocol, "certConfig": certificate_config}


@pytest.fixture(scope="module")
def gateway(serve, recorder, authority):
    domains = [
        secured(authority, "api.example.com", auth=AUTH),
        secured(authority, "both.example.com", "HTTP,HTTPS"),
        secured(authority, "*.example.com"),
        domain("plain.example.com"),
        domain("plain.example.org"),
    ]
    timeouts = {"tlsHandshakeSeconds": 1}
    gateway = configuration(domains, [function(recorder.url)], https="127.0.0.1:0", timeouts=timeouts)
    return serve(gateway, recorder)


@pytest.fixture
def context(authority):
    return tls.context(authority)


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_curl_is_served_over_https(gateway, authority, recorder, option, version):
    assert tls.curl(gateway, authority, "both.example.com", option) == f"recorded\n|{version} 200"
    seen = recorder.last
    port = str(gateway.https[1])
    assert seen.values("host") == [f"both.example.com:{port}"]
    assert seen.values("x-forwarded-proto") == ["https"]
    assert seen.values("x-forwarded-port") == [port]
    authorized = tls.curl(gateway, authority, "api.example.com", option, "-H", f"Authorization: Bearer {TOKEN}")
    assert authorized == f"recorded\n|{version} 200"
    assert recorder.last.values("x-sub") == ["ann"]
    assert tls.curl(gateway, authority, "api.example.com", option).endswith(f"|{version} 401")


def test_the_port_of_https_is_443_unless_the_host_names_one(gateway, context):
    assert tls.get(gateway, context, "both.example.com").seen.values("x-forwarded-port") == ["443"]


@pytest.mark.parametrize(("offered", "chosen"), [(("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), ((), None)])
def test_protocols_are_negotiated(gateway, authority, offered, chosen):
    with tls.connect(gateway, tls.context(authority, *offered), "both.example.com") as connection:
        assert connection.socket.selected_alpn_protocol() == chosen


def test_other_protocols_are_refused(gateway, authority):
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        tls.connect(gateway, tls.context(authority, "imap"), "both.example.com")


@pytest.mark.parametrize(
    ("name", "certified"),
    [
        ("api.example.com", "api.example.com"),
        ("both.example.com", "both.example.com"),
        ("BOTH.example.com", "both.example.com"),
        ("other.example.com", "*.example.com"),
    ],
)
def test_the_exact_name_goes_before_the_wildcard(gateway, context, name, certified):
    with tls.connect(gateway, context, name) as connection:
        assert tls.names(connection) == [certified]


@pytest.mark.parametrize(
    ("name", "alert"),
    [
        ("unknown.example.org", "unrecognized_name"),
        ("a.b.example.com", "unrecognized_name"),
        ("plain.example.org", "unrecognized_name"),
        # Served over HTTP alone, and a wildcard beside it changes nothing of that.
        ("plain.example.com", "unrecognized_name"),
        (None, "missing_extension"),
    ],
)
def test_names_without_a_certificate_are_refused(gateway, context, name, alert):
    before = gateway.reached()
    with pytest.raises(ssl.SSLError):
        tls.connect(gateway, context, name)
    assert raw_alert(gateway, context, name) == FATAL[alert]
    assert gateway.reached() == before


def raw_alert(gateway, context, name: str | None) -> int:
    """The alert that answers a client's first message."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with socket.create_connection(gateway.https, 20) as tcp:
        tcp.sendall(outgoing.read())
        answer = b""
        while received := tcp.recv(100):
            answer += received
    assert answer[:6] == bytes([21, 3, 3, 0, 2, 2]) and len(answer) == 7
    return answer[6]


# --- the request and the connection ---


def test_a_request_for_another_domain_is_misdirected(gateway, context):
    with tls.connect(gateway, context, "both.example.com") as connection:
        for host in ("api.example.com", "other.example.com", "plain.example.com", "nowhere.test"):
            response = tls.exchange(gateway, connection, host, authorization=f"Bearer {TOKEN}")
            assert (response.status, response.json()["Code"]) == (421, "MisdirectedRequest")
            assert gateway.access_line(response)["reason"] == "misdirected"
        for host in ("both.example.com", "Both.Example.com.", "both.example.com:1234"):
            assert tls.exchange(gateway, connection, host).status == 200


def test_hosts_of_one_wildcard_share_a_connection(gateway, context):
    with tls.connect(gateway, context, "one.example.com") as connection:
        assert tls.exchange(gateway, connection, "two.example.com").status == 200
        assert tls.exchange(gateway, connection, "both.example.com").status == 421


def test_http2_is_judged_by_request(gateway, authority, recorder):
    before = len(recorder.requests)
    statuses = http2_statuses(gateway, authority, "both.example.com", ["both.example.com", "api.example.com"])
    assert statuses == {1: "200", 3: "421"}
    assert len(recorder.requests) == before + 1


def http2_statuses(gateway, authority, name, hosts) -> dict[int, str]:
    connection, statuses = h2.connection.H2Connection(), {}
    with tls.connect(gateway, tls.context(authority, "h2"), name) as stream:
        connection.initiate_connection()
        for number, host in enumerate(hosts):
            fields = [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", "/")]
            connection.send_headers(2 * number + 1, fields, end_stream=True)
        stream.send(connection.data_to_send())
        while len(statuses) < len(hosts):
            for event in connection.receive_data(stream.socket.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    statuses[event.stream_id] = dict(event.headers)[b":status"].decode()
    return statuses


# --- HTTP to a domain that is served over HTTPS ---


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_http_is_redirected_before_any_token_is_read(gateway, method):
    port = gateway.https[1]
    for target in ("/", "/a/b?token=x&b=%20", "//elsewhere.test/x", "/no%2Froute"):
        body = b"x=1" if method == "POST" else None
        response = gateway.request(method, target, token="no.token.at-all", body=body, host="API.example.com:8080")
        assert response.status == 308
        assert response.values("location") == [f"https://api.example.com:{port}{target}"]
        assert set(response.json()) == {"RequestId", "Code", "Message"}
        assert gateway.access_line(response)["reason"] == "https_only"
    assert gateway.get("/%zz").status == 400


def test_http_is_served_where_the_protocol_says_so(gateway):
    assert gateway.get(host="both.example.com").seen.values("x-forwarded-proto") == ["http"]
    assert gateway.get(host="plain.example.com").status == 200
    assert gateway.get(host="other.example.com").status == 308


@pytest.mark.parametrize(("port", "written"), [(443, ""), (8443, ":8443")])
def test_the_port_that_clients_see_may_be_another(serve, authority, recorder, port, written):
    domains = [secured(authority, "api.example.com")]
    functions = [function(recorder.url)]
    gateway = serve(configuration(domains, functions, https="127.0.0.1:0", httpsPublicPort=port), recorder)
    assert gateway.get("/a").values("location") == [f"https://api.example.com{written}/a"]


# --- what else goes over HTTPS ---


def test_websockets_over_https(serve, authority, context):
    server = websockets.sync.server.serve(lambda socket: [socket.send(message) for message in socket], "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        gateway = serve(configuration([secured(authority, "ws.example.com")], [function(url)], https="127.0.0.1:0"))
        tcp = socket.create_connection(gateway.https, 20)
        with websocket_connect("wss://ws.example.com/", sock=tcp, ssl=context, proxy=None) as client:
            for message in ("hello", "x" * 100_000, b"\0\1"):
                client.send(message)
                assert client.recv(timeout=20) == message
    finally:
        server.shutdown()
        thread.join()


def test_grpc_over_https_carries_claims_and_trailers(serve, authority):
    def reverse(message: bytes, context) -> bytes:
        context.set_trailing_metadata([("x-trailer", "there")])
        claims = [value for name, value in context.invocation_metadata() if name == "x-sub"]
        return ",".join(claims).encode() + b":" + message[::-1]

    handler = grpc.unary_unary_rpc_method_handler(reverse)
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", {"Reverse": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        domains = [secured(authority, "grpc.example.com", auth=AUTH)]
        gateway = serve(configuration(domains, [function(f"http://127.0.0.1:{port}")], https="127.0.0.1:0"))
        credentials = grpc.ssl_channel_credentials(authority.file.read_bytes())
        options = [("grpc.ssl_target_name_override", "grpc.example.com"), ("grpc.enable_http_proxy", 0)]
        host, https_port = gateway.https
        with grpc.secure_channel(f"{host}:{https_port}", credentials, options) as channel:
            call = channel.unary_unary("/test.Echo/Reverse")
            metadata = [("authorization", f"Bearer {TOKEN}"), ("x-sub", "evil")]
            answer, done = call.with_call(b"abc", metadata=metadata, timeout=20)
            assert answer == b"ann:cba"
            assert ("x-trailer", "there") in done.trailing_metadata()
            with pytest.raises(grpc.RpcError) as refusal:
                call(b"abc", timeout=20)
            assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED
    finally:
        server.stop(0).wait()


# --- handshakes that never end ---


def test_slow_handshakes_end_and_keep_nobody_waiting(gateway, authority, context):
    silent = [http1.Connection(gateway.https) for _ in range(20)]
    for connection in silent[::2]:
        connection.send(b"\x16\x03\x01\x02\x00\x01")
    assert tls.get(gateway, context, "both.example.com").status == 200
    for connection in silent:
        assert connection.is_closed()
        connection.close()
    # A connection is closed before that is counted.
    wait_until(lambda: handshakes(gateway).get("timeout", 0) >= 20)


def test_plain_http_to_the_port_of_https_ends(gateway):
    with http1.Connection(gateway.https) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: both.example.com\r\n\r\n")
        # What comes is an alert of TLS, if anything.
        assert b"HTTP" not in connection.file.read(100)


def test_a_handshake_does_not_hold_up_the_end(serve, authority, recorder):
    domains = [secured(authority, "a.test")]
    gateway = serve(configuration(domains, [function(recorder.url)], https="127.0.0.1:0"), recorder)
    with http1.Connection(gateway.https):
        assert tls.get(gateway, tls.context(authority), "a.test").status == 200
        assert gateway.stop() == 0
        assert not [line for line in gateway.log if "ran out" in line["message"]]


def handshakes(gateway) -> dict[str, int]:
    counts = {}
    for line in metrics(gateway):
        if line.startswith("claimgate_tls_handshakes_total{"):
            counts[line.split('"')[1]] = int(line.rsplit(" ", 1)[1])
    return counts


def metrics(gateway) -> list[str]:
    with http1.Connection(gateway.admin) as connection:
        connection.send(http1.head("GET", "/metrics", [("Host", "localhost")]))
        return connection.receive().body.decode().splitlines()


def test_handshakes_are_counted(gateway, context):
    before = handshakes(gateway)
    tls.get(gateway, context, "both.example.com")
    with pytest.raises(ssl.SSLError):
        tls.connect(gateway, context, "unknown.example.org")
    after = handshakes(gateway)
    for result in ("completed", "unknown_server_name"):
        assert after[result] == before.get(result, 0) + 1


# --- bad configurations ---


def test_a_key_of_another_certificate_is_refused_and_never_told(authority, tmp_path):
    first, second = authority.pair("api.example.com"), authority.pair("api.example.com")
    bad = domain() | {"protocol": "HTTPS", "certConfig": {"certificate": first[0], "privateKey": second[1]}}
    file = tmp_path / "claimgate.yaml"
    file.write_text(json.dumps(configuration([bad], [function("http://127.0.0.1:1")], https="127.0.0.1:0")))
    result = claimgate("check", "--config", file)
    assert result.code == 1
    assert "certConfig.privateKey: the private key is not that of the certificate" in result.err
    assert second[1].splitlines()[1] not in result.err + result.text
