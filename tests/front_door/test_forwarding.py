"""How a request and its answer travel: headers, bodies both ways, functions that fail. Rule 7 of the design."""

import hashlib
import os
import re
import socket
import subprocess
import threading
import time

import pytest

from support import http1
from support.configuration import configuration, domain, function, jwt
from support.http1 import chunked, head
from support.recorder import Recorder, plain_answer
from support.tokens import jwks, key

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
TIMEOUTS = {"connectSeconds": 2, "firstByteSeconds": 1, "idleSeconds": 1}


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    domains = [
        domain(auth=jwt(jwks(KEY), claim_pass_by="header:sub:x-sub")),
        domain("open.example.com"),
    ]
    return serve(configuration(domains, [function(recorder.url)]), recorder)


@pytest.fixture
def behind(serve, start_function):
    """A gateway before a function with its own behaviour; the recorder is `gateway.recorder`."""

    def start(answer, **gateway):
        recorder = start_function(answer)
        domains = [domain("open.example.com"), domain(auth=jwt(jwks(KEY)))]
        return serve(configuration(domains, [function(recorder.url)], **gateway), recorder)

    return start


def answer_with(data: bytes, close: bool = True):
    """A function that reads the request and answers with these bytes."""

    def answer(request, stream, _):
        stream.read_body(request)
        stream.write(data)
        return close

    return answer


# --- Headers of the request ---

HOP_BY_HOP = [
    ("Connection", "close, x-listed"), ("X-Listed", "1"), ("Keep-Alive", "timeout=5"), ("TE", "trailers, deflate"),
    ("Proxy-Connection", "keep-alive"), ("Proxy-Authorization", "Basic x"), ("Upgrade", "h2c"),
]  # fmt: skip


def test_hop_by_hop_headers_stay_behind(gateway):
    seen = gateway.get(token=TOKEN, headers=[*HOP_BY_HOP, ("X-Kept", "1")]).seen
    for name, _ in HOP_BY_HOP:
        assert seen.values(name) == [], name
    assert seen.values("x-kept") == ["1"]


def test_the_token_is_not_lost_to_the_clients_own_connection_header(gateway):
    """A client may list its own Authorization: then it has sent no token, and nothing else happens."""
    response = gateway.get(token=TOKEN, headers=[("Connection", "close, Authorization")])
    assert response.status in (200, 401)


@pytest.mark.parametrize(
    "name",
    ["x-fc-account-id", "X-Fc-Request-Id", "X-FC-ACCESS-KEY-ID", "x-fc-", "x_fc_account_id", "x.fc.account.id"],
)
def test_the_clients_own_function_compute_headers_are_dropped(gateway, name):
    seen = gateway.get(token=TOKEN, headers=[(name, "evil")]).seen
    assert b"evil" not in seen.everything


FORWARDED = [
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix",
    "X-Forwarded-Server", "X-Forwarded-User", "x_forwarded_for", "X.Forwarded.Proto", "Forwarded", "X-Real-Ip",
]  # fmt: skip


@pytest.mark.parametrize("name", FORWARDED)
def test_the_clients_own_forwarded_headers_are_dropped(gateway, name):
    seen = gateway.get(token=TOKEN, headers=[(name, "evil")]).seen
    assert b"evil" not in seen.everything


def test_the_gateways_forwarded_headers(gateway):
    seen = gateway.get(host="API.example.com:8443", token=TOKEN).seen
    assert seen.values("x-forwarded-for") == ["127.0.0.1"]
    assert seen.values("x-forwarded-proto") == ["http"]
    assert seen.values("x-forwarded-host") == ["API.example.com:8443"]


@pytest.mark.parametrize("value", ["host", "Host, x-other", "keep-alive, HOST"])
def test_connection_cannot_remove_the_host(gateway, value):
    seen = gateway.get(headers=[("Connection", value), ("X-Other", "1")], host="api.example.com", token=TOKEN).seen
    assert seen.values("host") == seen.values("x-forwarded-host") == ["api.example.com"]
    assert seen.values("x-other") == ([] if "x-other" in value else ["1"])


def test_one_request_id_for_the_function_the_client_and_the_log(gateway):
    response = gateway.get("/a?secret=1", token=TOKEN)
    (request_id,) = response.values("x-fc-request-id")
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{12}", request_id)
    assert response.seen.values("x-fc-request-id") == [request_id]
    assert gateway.access_line(response)["status"] == 200
    assert gateway.get(token=TOKEN).header("x-fc-request-id") != request_id


GOOD_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BAD_PARENTS = [
    "", "x", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", GOOD_PARENT.upper(), GOOD_PARENT + "-x",
]  # fmt: skip


def test_a_trace_goes_on(gateway):
    headers = [("Traceparent", GOOD_PARENT), ("Tracestate", "a=1")]
    seen = gateway.get(token=TOKEN, headers=headers).seen
    (parent,) = seen.values("traceparent")
    assert parent.split("-")[1] == GOOD_PARENT.split("-")[1]
    assert seen.values("tracestate") == ["a=1"]


@pytest.mark.parametrize("sent", [None, *BAD_PARENTS])
def test_a_trace_begins_where_none_was(gateway, sent):
    headers = [("Traceparent", sent), ("Tracestate", "a=1")] if sent is not None else []
    seen = gateway.get(token=TOKEN, headers=headers).seen
    (parent,) = seen.values("traceparent")
    assert re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", parent)
    assert parent != sent and seen.values("tracestate") == []


# --- Bodies ---


@pytest.mark.parametrize("coding", ["length", "chunked"])
@pytest.mark.parametrize("size", [0, 1, 100_000, 32 * 2**20])
def test_bodies_of_any_size_arrive(gateway, size, coding):
    body = os.urandom(size)
    headers = [("Content-Type", "application/octet-stream")]
    if coding == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
        pieces = [body[at : at + 65_537] for at in range(0, size, 65_537)]
        response = gateway.post(token=TOKEN, headers=headers, body=chunked(*pieces))
    else:
        response = gateway.post(token=TOKEN, headers=headers, body=body)
        assert response.seen.values("content-length") == [str(size)]
        assert response.seen.values("transfer-encoding") == []
    assert hashlib.sha256(response.seen.body).digest() == hashlib.sha256(body).digest()


def test_a_get_without_a_body_gets_none(gateway):
    seen = gateway.get(token=TOKEN).seen
    assert seen.values("content-length") == [] and seen.values("transfer-encoding") == []


def test_the_answer_streams(behind):
    """The second piece is written only when the client has the first."""
    first_arrived = threading.Event()

    def answer(_, stream, __):
        stream.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert first_arrived.wait(15)
        stream.write(b"6\r\nsecond\r\n0\r\n\r\n")

    gateway = behind(answer, timeouts={"idleSeconds": 20})
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", "open.example.com")]))
        assert connection.receive_head().status == 200
        assert connection.receive_chunk() == b"first"
        first_arrived.set()
        assert connection.receive_chunk() == b"second"
        assert connection.receive_chunk() == b""


def test_the_answers_head_comes_before_its_body(behind):
    head_arrived = threading.Event()

    def answer(_, stream, __):
        stream.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 4\r\n\r\n")
        assert head_arrived.wait(15)
        stream.write(b"body")

    gateway = behind(answer, timeouts={"idleSeconds": 20})
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", "open.example.com")]))
        assert connection.receive_head().header("content-type") == "text/event-stream"
        head_arrived.set()
        assert connection.file.read(4) == b"body"


def test_the_request_streams(behind):
    """The client sends the second piece only when the function has the first."""
    first_arrived = threading.Event()

    def answer(request, stream, _):
        first = stream.read_chunk()
        first_arrived.set()
        stream.read_body(request)
        request.body = first + request.body
        stream.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    gateway = behind(answer, timeouts={"firstByteSeconds": 20})
    with gateway.connect() as connection:
        connection.send(head("POST", "/", [("Host", "open.example.com"), ("Transfer-Encoding", "chunked")]))
        connection.send(b"5\r\nfirst\r\n")
        assert first_arrived.wait(15)
        connection.send(b"6\r\nsecond\r\n0\r\n\r\n")
        assert connection.receive().status == 200
    assert gateway.recorder.last.body == b"firstsecond"


def test_a_client_that_hangs_up_ends_the_request_at_the_function(behind):
    arrived, ended = threading.Event(), threading.Event()

    def answer(request, stream, _):
        try:
            while stream.read_chunk():
                arrived.set()
        except OSError:
            ended.set()
        return True

    gateway = behind(answer)
    with gateway.connect() as connection:
        connection.send(head("POST", "/", [("Host", "open.example.com"), ("Transfer-Encoding", "chunked")]))
        connection.send(b"5\r\nfirst\r\n")
        assert arrived.wait(15)
        assert not ended.is_set()
    assert ended.wait(15)


def test_expect_continue_is_answered_by_the_gateway_itself(gateway, recorder):
    body = b"x" * 5000
    with gateway.connect() as connection:
        headers = [("Host", "open.example.com"), ("Content-Length", "5000"), ("Expect", "100-continue")]
        connection.send(head("POST", "/", headers))
        assert connection.receive_head().status == 100
        connection.send(body)
        assert connection.receive().status == 200
    assert recorder.last.body == body


def test_a_refused_request_is_not_told_to_send_its_body(gateway):
    response = gateway.request("POST", "/", headers=[("Content-Length", "5000"), ("Expect", "100-continue")])
    assert response.status == 401


def test_curl_uploads_a_file(gateway, recorder, tmp_path):
    file = tmp_path / "upload.bin"
    file.write_bytes(os.urandom(3 * 2**20))
    command = ["curl", "-sS", "--noproxy", "*", "-H", "Host: open.example.com", "-T", str(file), gateway.url("/up")]
    assert subprocess.run(command, check=True, capture_output=True, timeout=30).stdout == b"recorded\n"
    assert (recorder.last.method, recorder.last.body) == ("PUT", file.read_bytes())


# --- Answers ---


def test_the_answers_headers_pass_but_for_hop_by_hop_and_function_computes_own(behind):
    gateway = behind(
        answer_with(
            b"HTTP/1.1 418 I'm a teapot\r\nX-Odd: a  b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nDate: then\r\n"
            b"Server: mine\r\nContent-Disposition: attachment\r\nx-fc-status: 404\r\nX-Fc-Request-Id: evil\r\n"
            b"Connection: x-listed\r\nX-Listed: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nhi",
            close=False,
        )
    )
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", "open.example.com")]))
        response = connection.receive()
    assert (response.status, response.body) == (418, b"hi")
    assert response.values("x-odd") == ["a  b"]
    assert response.values("set-cookie") == ["a=1", "b=2"]
    assert response.values("content-disposition") == ["attachment"]
    assert response.values("server") == ["mine"]
    assert response.values("date") == ["then"]
    for name in ("x-fc-status", "x-listed", "keep-alive"):
        assert response.values(name) == [], name
    assert len(response.values("x-fc-request-id")) == 1 and "evil" not in response.header("x-fc-request-id")


ANSWERS = {
    "no content": ("GET", b"HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n", 204, b""),
    "not modified": ("GET", b'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n', 304, b""),
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\n", 200, b""),
    "until the connection ends": ("GET", b"HTTP/1.0 200 OK\r\n\r\nto the end", 200, b"to the end"),
    "redirect": ("GET", b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n", 302, b""),
    "early hints": (
        "GET", b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", 200, b"x",
    ),
    "error": ("GET", b"HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\noops", 500, b"oops"),
    "its own 401": ("GET", b"HTTP/1.1 401 No\r\nwww-authenticate: Basic\r\ncontent-length: 2\r\n\r\nno", 401, b"no"),
}  # fmt: skip


@pytest.mark.parametrize(("method", "data", "status", "body"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answers_pass(behind, method, data, status, body):
    gateway = behind(answer_with(data))
    with gateway.connect() as connection:
        connection.send(head(method, "/", [("Host", "open.example.com")]))
        response = connection.receive(method)
    assert (response.status, response.body) == (status, body)
    if method == "HEAD":
        assert response.values("content-length") == ["12345"]


def test_answer_trailers_do_not_break_the_answer(behind):
    data = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n2\r\nhi\r\n0\r\nx-t: 1\r\n\r\n"
    gateway = behind(answer_with(data))
    response = gateway.get(host="open.example.com")
    assert (response.status, response.body, response.complete) == (200, b"hi", True)


# --- Functions that fail ---


def unusable_port() -> tuple[socket.socket, int]:
    """A port that is taken, so that nobody else listens there, and refuses connections."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken, taken.getsockname()[1]


def test_connection_refused_is_502(serve):
    taken, port = unusable_port()
    with taken:
        gateway = serve(configuration([domain()], [function(f"http://127.0.0.1:{port}")]))
        response = gateway.get()
    assert response.status == 502
    line = gateway.access_line(response)
    assert (line["outcome"], line["function"]) == ("failed", "orders")


BROKEN = {
    "hangs up": b"",
    "no HTTP": b"220 smtp.example.com ESMTP\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "an unasked upgrade": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_is_502(behind, data):
    gateway = behind(answer_with(data))
    assert gateway.get(host="open.example.com").status == 502


def test_no_answer_in_time_is_504(behind):
    release = threading.Event()
    gateway = behind(lambda *_: release.wait(30), timeouts=TIMEOUTS)
    response = gateway.get(host="open.example.com")
    release.set()
    assert response.status == 504
    assert gateway.access_line(response)["outcome"] == "failed"


def test_an_answer_that_breaks_off_breaks_off_at_the_client_too(behind):
    gateway = behind(answer_with(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this"))
    response = gateway.get(host="open.example.com")
    assert not response.complete and response.body == b"only this"


def test_an_answer_in_chunks_that_breaks_off_is_not_ended_well(behind):
    gateway = behind(answer_with(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nonly\r\n"))
    response = gateway.get(host="open.example.com")
    assert not response.complete


def test_an_answer_that_stalls_is_cut_off(behind):
    release = threading.Event()

    def answer(_, stream, __):
        stream.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        release.wait(30)
        return True

    gateway = behind(answer, timeouts=TIMEOUTS)
    response = gateway.get(host="open.example.com")
    release.set()
    assert not response.complete


def test_a_slow_upload_is_no_slow_answer(behind):
    """The time to the first byte counts from the request's last byte."""
    gateway = behind(plain_answer, timeouts={"firstByteSeconds": 1})
    with gateway.connect() as connection:
        connection.send(head("POST", "/", [("Host", "open.example.com"), ("Transfer-Encoding", "chunked")]))
        for _ in range(4):
            connection.send(b"1\r\nx\r\n")
            time.sleep(0.4)
        connection.send(b"0\r\n\r\n")
        assert connection.receive().status == 200


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_request_with_a_body_is_not_sent_twice(behind, coding):
    gateway = behind(lambda *_: True)  # It hangs up after the head.
    body = b"x" * 100_000
    if coding == "chunked":
        response = gateway.post(host="open.example.com", headers=[("Transfer-Encoding", "chunked")], body=chunked(body))
    else:
        response = gateway.post(host="open.example.com", body=body)
    assert response.status == 502
    assert len(gateway.recorder.requests) == 1


def test_a_function_that_closes_idle_connections_costs_nobody_a_request(behind):
    def answer(request, stream, number):
        plain_answer(request, stream, number)
        return True  # Without having said so: the gateway learns it from the connection.

    gateway = behind(answer)
    assert [gateway.get(host="open.example.com").status for _ in range(50)] == [200] * 50


def test_connections_to_a_function_are_kept(behind):
    connections = set()

    def answer(request, stream, number):
        connections.add(stream)
        plain_answer(request, stream, number)

    gateway = behind(answer)
    assert [gateway.get(host="open.example.com").status for _ in range(20)] == [200] * 20
    assert len(connections) < 5


def test_a_function_on_a_unix_socket(serve, start_function, tmp_path):
    recorder = start_function(plain_answer, unix=str(tmp_path / "orders.sock"))
    functions = [function(f"unix:{tmp_path}/orders.sock")]
    gateway = serve(configuration([domain(auth=jwt(jwks(KEY), claim_pass_by="header:sub:x-sub"))], functions), recorder)
    response = gateway.post("/a?b", token=TOKEN, body=b"body")
    assert response.status == 200
    assert (response.seen.target, response.seen.body, response.seen.values("x-sub")) == ("/a?b", b"body", ["ann"])
    assert response.seen.values("host") == ["api.example.com"]
    assert gateway.get().status == 401


def test_a_unix_socket_that_is_not_there_is_502(serve, tmp_path):
    gateway = serve(configuration([domain()], [function(f"unix:{tmp_path}/nobody.sock")]))
    assert gateway.get().status == 502


# --- Connections ---


def test_many_requests_on_one_connection_each_authenticated(gateway, recorder):
    before = len(recorder.requests)
    with gateway.connect() as connection:
        for token, status in [(TOKEN, 200), (None, 401), (TOKEN, 200), ("x", 401), (None, 401), (TOKEN, 200)] * 5:
            headers = [("Host", "api.example.com")] + ([("Authorization", f"Bearer {token}")] if token else [])
            connection.send(head("GET", "/", headers))
            response = connection.receive()
            assert response.status == status
    assert len(recorder.requests) == before + 15


def test_pipelined_requests_are_answered_in_order(gateway):
    good = head("GET", "/", [("Host", "api.example.com"), ("Authorization", f"Bearer {TOKEN}")])
    bad = head("GET", "/", [("Host", "api.example.com")])
    with gateway.connect() as connection:
        connection.send(good + bad + good + bad)
        assert [connection.receive().status for _ in range(4)] == [200, 401, 200, 401]


def test_the_body_of_a_refused_request_is_no_request(gateway, recorder):
    before = len(recorder.requests)
    smuggled = head("GET", "/smuggled", [("Host", "open.example.com")])
    headers = [("Host", "api.example.com"), ("Content-Length", str(len(smuggled)))]
    with gateway.connect() as connection:
        connection.send(head("POST", "/", headers) + smuggled)
        assert connection.receive().status == 401
        # Either the connection ends, or the next request on it is read where the body ended.
        try:
            connection.send(head("GET", "/", [("Host", "api.example.com")]))
            response = connection.receive()
        except OSError:
            response = None
    assert response is None or response.status == 401
    assert len(recorder.requests) == before


def test_http_1_0_is_served_and_closed(gateway):
    with gateway.connect() as connection:
        connection.send(b"GET /old HTTP/1.0\r\nHost: open.example.com\r\n\r\n")
        response = connection.receive()
        assert response.status == 200 and connection.is_closed()
        assert response.values("transfer-encoding") == []


def test_the_recorder_itself_reads_chunks():
    recorder = Recorder()
    with http1.Connection(recorder.address) as connection:
        connection.send(head("POST", "/", [("Transfer-Encoding", "chunked")]) + chunked(b"ab", b"c"))
        assert connection.receive().status == 200
    recorder.close()
    assert recorder.last.body == b"abc"
