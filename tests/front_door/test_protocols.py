"""HTTP/2, WebSocket and gRPC through the gateway, with the clients and servers that people use."""

import asyncio
import json
import socket
import subprocess
import threading
from concurrent import futures

import grpc
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import httpx
import hyperframe.frame
import pytest
import websockets.sync.server
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as websocket_connect

from support.configuration import configuration, domain, function, jwt
from support.http1 import head
from support.tokens import Key, jwks, key

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
BAD = Key("ES256").token({"sub": "ann"})
AUTH = jwt(jwks(KEY), "header:Authorization:Bearer,cookie:token,query:token", "header:sub:x-sub,cookie:sub:csub")


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    domains = [domain(auth=AUTH), domain("open.example.com")]
    return serve(configuration(domains, [function(recorder.url)]), recorder)


# --- HTTP/2 with prior knowledge ---


@pytest.fixture(scope="module")
def http2(gateway):
    with httpx.Client(http1=False, http2=True, base_url=gateway.url(), trust_env=False, timeout=20) as client:
        yield client


def h2_headers(host="api.example.com", token=TOKEN, **more):
    authorization = {"authorization": f"Bearer {token}"} if token else {}
    return {"host": host, **authorization, **more}


def test_http2_is_served(http2, recorder):
    response = http2.get("/a?b=1", headers=h2_headers())
    assert (response.status_code, response.http_version) == (200, "HTTP/2")
    seen = recorder.last
    assert (seen.method, seen.target, seen.version) == ("GET", "/a?b=1", "HTTP/1.1")
    assert seen.values("x-sub") == ["ann"]
    assert seen.values("host") == ["api.example.com"]


@pytest.mark.parametrize(("token", "message"), [(None, "missing or malformed jwt"), (BAD, "invalid or expired jwt")])
def test_http2_refusal(http2, recorder, token, message):
    before = len(recorder.requests)
    response = http2.get("/", headers=h2_headers(token=token))
    assert (response.status_code, response.json()["Message"]) == (401, message)
    assert response.json()["RequestId"] == response.headers["x-fc-request-id"]
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert len(recorder.requests) == before


def test_http2_unknown_host(http2):
    assert http2.get("/", headers=h2_headers(host="nobody.example.com")).json()["Code"] == "DomainNameNotFound"


def test_http2_body_and_spoofing(http2, recorder):
    body = bytes(range(256)) * 10_000
    headers = h2_headers(x_sub="evil", **{"x.sub": "evil", "content-type": "application/octet-stream"})
    assert http2.post("/", headers=headers, content=body).status_code == 200
    assert recorder.last.body == body
    assert recorder.last.values_of_alias("x-sub") == ["ann"]


def test_http2_cookie_crumbs_are_one_header_for_the_function(http2, recorder):
    """RFC 9113, section 8.2.3: cookies may come in several fields, and leave in one."""
    crumbs = [("host", "api.example.com"), ("cookie", "a=1"), ("cookie", f"token={TOKEN}"), ("cookie", "csub=evil")]
    assert http2.get("/", headers=crumbs).status_code == 200
    assert recorder.last.values("cookie") == [f"csub=ann; a=1; token={TOKEN}"]


def test_curl_with_prior_knowledge(gateway):
    command = [
        "curl", "-sS", "--noproxy", "*", "--http2-prior-knowledge", "-H", "Host: api.example.com",
        "-H", f"Authorization: Bearer {TOKEN}", "-w", "%{http_version} %{http_code}", gateway.url("/"),
    ]  # fmt: skip
    assert subprocess.run(command, check=True, capture_output=True, timeout=30).stdout == b"recorded\n2 200"


def test_many_streams_on_one_connection(gateway):
    async def everything():
        limits = httpx.Limits(max_connections=1)
        options = {"http1": False, "http2": True, "base_url": gateway.url(), "trust_env": False, "limits": limits}
        async with httpx.AsyncClient(timeout=30, **options) as client:

            async def ask(number):
                response = await client.get(f"/{number}", headers=h2_headers(token=TOKEN if number % 2 else BAD))
                return number % 2, response.status_code

            return await asyncio.gather(*(ask(number) for number in range(200)))

    assert set(asyncio.run(everything())) == {(1, 200), (0, 401)}


def raw_http2(gateway, headers: list[tuple[str, str]], data: bytes | None = None) -> str | None:
    """Sends fields that no client would; gives the status, or None when stream or connection is reset."""
    quiet = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    connection = h2.connection.H2Connection(quiet)
    with socket.create_connection(gateway.address, 20) as tcp:
        connection.initiate_connection()
        connection.send_headers(1, headers, end_stream=data is None)
        if data is not None:
            connection.send_data(1, data, end_stream=True)
        tcp.sendall(connection.data_to_send())
        while received := tcp.recv(65536):
            try:
                events = connection.receive_data(received)
            except h2.exceptions.ProtocolError:
                return None
            for event in events:
                if isinstance(event, h2.events.ResponseReceived):
                    return dict(event.headers)[b":status"].decode()
                if isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                    return None
            tcp.sendall(connection.data_to_send())
    return None


PSEUDO = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "open.example.com")]


def pseudo(**changes) -> list[tuple[str, str]]:
    fields = {name.lstrip(":"): value for name, value in PSEUDO} | changes
    return [(f":{name}", value) for name, value in fields.items() if value is not None]


HOSTILE_HTTP2 = {
    "upper case name": [*PSEUDO, ("X-A", "1")],
    "connection": [*PSEUDO, ("connection", "close")],
    "transfer-encoding": [*PSEUDO, ("transfer-encoding", "chunked")],
    "upgrade": [*PSEUDO, ("upgrade", "websocket")],
    "line break in a value": [*PSEUDO, ("x-a", "a\r\nx-sub: evil")],
    "NUL in a value": [*PSEUDO, ("x-a", "a\x00b")],
    "line break in a name": [*PSEUDO, ("x-a: 1\r\nx-b", "1")],
    "a colon in a name": [*PSEUDO, ("x:a", "1")],
    "unknown pseudo-header": [*PSEUDO, (":evil", "1")],
    "pseudo-header behind a field": [*PSEUDO[:3], ("x-a", "1"), PSEUDO[3]],
    "two paths": [*PSEUDO, (":path", "/b")],
    "no path": pseudo(path=None),
    "empty path": pseudo(path=""),
    "a path without slash": pseudo(path="a"),
    "line break in the path": pseudo(path="/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a space in the path": pseudo(path="/a b"),
    "line break in the method": pseudo(method="GET / HTTP/1.1\r\nx: y"),
    "no authority and no host": pseudo(authority=None),
    "authority and another host": [*PSEUDO, ("host", "api.example.com")],
    "user in the authority": pseudo(authority="u@open.example.com"),
    "CONNECT": [(":method", "CONNECT"), (":authority", "open.example.com:80")],
    "extended CONNECT": [*pseudo(method="CONNECT"), (":protocol", "websocket")],
    "content-length that lies": [*PSEUDO, ("content-length", "5")],
}


@pytest.mark.parametrize("fields", HOSTILE_HTTP2.values(), ids=HOSTILE_HTTP2.keys())
def test_hostile_http2(gateway, recorder, fields):
    before = len(recorder.requests)
    assert raw_http2(gateway, fields) in (None, "400", "404", "405")
    assert len(recorder.requests) == before


def test_http2_host_may_stand_for_authority(gateway):
    assert raw_http2(gateway, [*pseudo(authority=None), ("host", "open.example.com")]) == "200"


@pytest.mark.parametrize(("name", "status"), [("x-a", "200"), ("x" * 60_000, "431")])
def test_http2_header_limit(gateway, name, status):
    assert raw_http2(gateway, [*PSEUDO, (name, "v" * 10_000)]) in (status, None if status == "431" else status)


def test_http2_number_of_fields(gateway):
    assert raw_http2(gateway, PSEUDO + [("x", "y")] * 400) in ("431", None)


def ended_by(gateway, frames, limit: int) -> bool:
    """Sends frame after frame and says whether the gateway ended the connection before the limit."""
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    with socket.create_connection(gateway.address, 20) as tcp:
        tcp.sendall(connection.data_to_send())
        try:
            for _ in range(limit):
                tcp.sendall(next(frames))
        except OSError:
            return True
        return False


def continuations():
    start = hyperframe.frame.HeadersFrame(1, b"\x82")
    yield start.serialize()
    while True:
        yield hyperframe.frame.ContinuationFrame(1, b"\x00\x01a\x01b" * 3000).serialize() * 20


def rapid_resets():
    encoder = h2.connection.H2Connection().encoder
    stream = 1
    while True:
        block = encoder.encode(pseudo(authority="api.example.com"))
        headers = hyperframe.frame.HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"]).serialize()
        yield headers + hyperframe.frame.RstStreamFrame(stream, 8).serialize()
        stream += 2


def test_a_header_that_goes_on_and_on_ends_the_connection(gateway):
    assert ended_by(gateway, continuations(), 2_000)
    assert gateway.get(token=TOKEN).status == 200


def test_rapid_resets_do_not_keep_others_from_being_served(gateway):
    ended_by(gateway, rapid_resets(), 20_000)
    assert gateway.get(token=TOKEN).status == 200


# --- Upgrades ---

UPGRADES = {
    "h2c": [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")],
    "another protocol": [("Connection", "Upgrade"), ("Upgrade", "irc/6.9")],
    "several": [("Connection", "Upgrade"), ("Upgrade", "h2c, websocket")],
    "websocket, not listed in Connection": [("Upgrade", "websocket")],
    "TLS": [("Connection", "Upgrade"), ("Upgrade", "TLS/1.2")],
}


@pytest.mark.parametrize("headers", UPGRADES.values(), ids=UPGRADES.keys())
def test_other_upgrades_are_plain_requests(gateway, headers):
    response = gateway.get(host="open.example.com", headers=headers)
    assert response.status == 200
    for name in ("upgrade", "http2-settings", "connection"):
        assert "upgrade" not in "".join(response.seen.values(name)).lower()
    assert response.seen.values("upgrade") == response.seen.values("http2-settings") == []


WEBSOCKET = [
    ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
]  # fmt: skip


def test_bytes_behind_an_upgrade_that_is_refused_are_a_request_of_their_own(gateway, recorder):
    """The function answers 200 instead of 101: what follows must be authenticated as usual."""
    before = len(recorder.requests)
    smuggled = head("GET", "/smuggled", [("Host", "api.example.com")])
    headers = [("Host", "api.example.com"), ("Authorization", f"Bearer {TOKEN}"), *WEBSOCKET]
    with gateway.connect() as connection:
        connection.send(head("GET", "/", headers) + smuggled)
        assert connection.receive().status == 200
        response = connection.receive()
        assert response is None or response.status in (400, 401)
    assert [request.target for request in recorder.requests[before:]] == ["/"]


@pytest.fixture(scope="module")
def websockets_gateway(serve):
    """A gateway before a WebSocket server that says who came and then repeats what it hears."""

    def handler(connection):
        connection.send(json.dumps([connection.request.headers.get_all("x-sub"), connection.request.path]))
        for message in connection:
            connection.send(message)

    with websockets.sync.server.serve(handler, "127.0.0.1", 0, max_size=None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        yield serve(configuration([domain(auth=AUTH)], [function(url)], timeouts={"idleSeconds": 1}))
        server.shutdown()


def websocket(gateway, path="/chat", headers=None):
    tcp = socket.create_connection(gateway.address, 20)
    return websocket_connect(
        f"ws://api.example.com{path}", sock=tcp, additional_headers=headers, max_size=None, proxy=None
    )


@pytest.mark.parametrize("place", ["header", "cookie", "query"])
def test_websocket_carries_claims_and_messages(websockets_gateway, place):
    headers = {"header": {"Authorization": f"Bearer {TOKEN}"}, "cookie": {"Cookie": f"token={TOKEN}"}}.get(place)
    path = f"/chat?token={TOKEN}" if place == "query" else "/chat"
    with websocket(websockets_gateway, path, headers) as connection:
        assert json.loads(connection.recv(timeout=10)) == [["ann"], path]
        for message in ["text", "Snær", b"\x00\xff" * 10, "", "x" * 3_000_000]:
            connection.send(message)
            assert connection.recv(timeout=10) == message


def test_a_quiet_websocket_stays_open(websockets_gateway):
    """Longer than the time that a function's answer may pause; it is no answer any more."""
    with websocket(websockets_gateway, headers={"Authorization": f"Bearer {TOKEN}"}) as connection:
        connection.recv(timeout=10)
        with pytest.raises(TimeoutError):
            connection.recv(timeout=2.5)
        connection.send("still there")
        assert connection.recv(timeout=10) == "still there"


def test_websocket_closes_with_code_and_reason(websockets_gateway):
    with websocket(websockets_gateway, headers={"Authorization": f"Bearer {TOKEN}"}) as connection:
        connection.recv(timeout=10)
        connection.close(4000, "enough")
    assert connection.close_code == 4000


@pytest.mark.parametrize("headers", [None, {"Authorization": f"Bearer {BAD}"}], ids=["no token", "bad token"])
def test_websocket_without_a_good_token_is_refused(websockets_gateway, headers):
    with pytest.raises(InvalidStatus) as refusal:
        websocket(websockets_gateway, headers=headers)
    assert refusal.value.response.status_code == 401


# --- gRPC ---


class Service(grpc.GenericRpcHandler):
    """Answers with the `x-sub` that came with the call before what it was sent."""

    def service(self, details):
        return {
            "/t.T/Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "/t.T/Both": grpc.stream_stream_rpc_method_handler(self.both),
            "/t.T/Fails": grpc.unary_unary_rpc_method_handler(self.fails),
        }.get(details.method)

    @staticmethod
    def sub(context) -> bytes:
        values = [value for name, value in context.invocation_metadata() if name == "x-sub"]
        return ",".join(values).encode()

    def unary(self, request, context):
        context.set_trailing_metadata([("x-trailer", "there")])
        return self.sub(context) + b":" + request

    def both(self, requests, context):
        for request in requests:
            yield self.sub(context) + b":" + request

    def fails(self, _, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today")


@pytest.fixture(scope="module")
def grpc_channel(serve):
    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Service()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    gateway = serve(configuration([domain(auth=AUTH)], [function(f"http://127.0.0.1:{port}")]))
    options = [("grpc.default_authority", "api.example.com"), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{gateway.address[1]}", options=options) as channel:
        yield channel
    server.stop(0).wait(10)


GRPC_TOKEN = [("authorization", f"Bearer {TOKEN}"), ("x-sub", "evil")]


def test_grpc_unary(grpc_channel):
    answer, call = grpc_channel.unary_unary("/t.T/Unary").with_call(b"hello", metadata=GRPC_TOKEN, timeout=20)
    assert answer == b"ann:hello"
    assert ("x-trailer", "there") in call.trailing_metadata()


def test_grpc_large_message(grpc_channel):
    message = bytes(range(256)) * 8_000
    assert grpc_channel.unary_unary("/t.T/Unary")(message, metadata=GRPC_TOKEN, timeout=20) == b"ann:" + message


def test_grpc_streams_both_ways_at_once(grpc_channel):
    """Each message is sent only after the answer to the one before has come."""
    answered = threading.Semaphore(1)

    def messages():
        for number in range(10):
            assert answered.acquire(timeout=10)
            yield b"%d" % number

    answers = []
    for answer in grpc_channel.stream_stream("/t.T/Both")(messages(), metadata=GRPC_TOKEN, timeout=30):
        answers.append(answer)
        answered.release()
    assert answers == [b"ann:%d" % number for number in range(10)]


def test_grpc_status_and_message_pass(grpc_channel):
    with pytest.raises(grpc.RpcError) as failure:
        grpc_channel.unary_unary("/t.T/Fails")(b"", metadata=GRPC_TOKEN, timeout=20)
    assert (failure.value.code(), failure.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "not today")


@pytest.mark.parametrize("metadata", [[], [("authorization", f"Bearer {BAD}")]], ids=["no token", "bad token"])
def test_grpc_without_a_good_token_is_unauthenticated(grpc_channel, metadata):
    with pytest.raises(grpc.RpcError) as failure:
        grpc_channel.unary_unary("/t.T/Unary")(b"", metadata=metadata, timeout=20)
    assert failure.value.code() == grpc.StatusCode.UNAUTHENTICATED
