"""Requests that two parsers could read differently, and requests that are too large or too slow."""

import pytest

from support.configuration import configuration, domain, function, jwt
from support.forms import URLENCODED
from support.gateway import check_own_answer
from support.http1 import head
from support.tokens import jwks, key

KEY = key("ES256")
TOKEN = KEY.token()
HOST = b"Host: open.example.com\r\n"
# Behind every request comes another one: it must never be answered as one of its own.
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: open.example.com\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    domains = [domain("open.example.com"), domain(auth=jwt(jwks(KEY), "header:Authorization:Bearer,form:token"))]
    timeouts = {"headerReadSeconds": 1, "formReadSeconds": 1, "idleSeconds": 2}
    return serve(configuration(domains, [function(recorder.url)], timeouts=timeouts), recorder)


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked"
EMPTY = b"0\r\n\r\n"

SMUGGLING = {
    "CL and TE": post(b"Content-Length: 5", CHUNKED, body=EMPTY),
    "TE and CL": post(CHUNKED, b"Content-Length: 5", body=EMPTY),
    "CL 0 and TE": post(b"Content-Length: 0", CHUNKED, body=EMPTY),
    "two different CL": post(b"Content-Length: 0", b"Content-Length: 5", body=b"12345"),
    "two equal CL": post(b"Content-Length: 5", b"Content-Length: 5", body=b"12345"),
    "CL as a list": post(b"Content-Length: 5, 5", body=b"12345"),
    "CL with a sign": post(b"Content-Length: +5", body=b"12345"),
    "CL negative": post(b"Content-Length: -5", body=b"12345"),
    "CL hexadecimal": post(b"Content-Length: 0x5", body=b"12345"),
    "CL with a space inside": post(b"Content-Length: 1 5", body=b"12345"),
    "CL empty": post(b"Content-Length: ", body=b""),
    "CL over 64 bit": post(b"Content-Length: 18446744073709551621", body=b"12345"),
    "CL with an underscore": post(b"Content-Length: 1_0", body=b"1234567890"),
    "TE identity": post(b"Transfer-Encoding: identity", body=b""),
    "TE gzip": post(b"Transfer-Encoding: gzip", body=b""),
    "TE gzip, chunked": post(b"Transfer-Encoding: gzip, chunked", body=EMPTY),
    "TE chunked, gzip": post(b"Transfer-Encoding: chunked, gzip", body=EMPTY),
    "TE chunked, chunked": post(b"Transfer-Encoding: chunked, chunked", body=EMPTY),
    "TE chunked, identity": post(b"Transfer-Encoding: chunked, identity", body=EMPTY),
    "TE twice": post(CHUNKED, CHUNKED, body=EMPTY),
    "TE chunked and identity": post(CHUNKED, b"Transfer-Encoding: identity", body=EMPTY),
    "TE xchunked": post(b"Transfer-Encoding: xchunked", body=EMPTY),
    "TE in quotes": post(b'Transfer-Encoding: "chunked"', body=EMPTY),
    "TE with a parameter": post(b"Transfer-Encoding: chunked;q=1", body=EMPTY),
    "TE with a vertical tab": post(b"Transfer-Encoding: \x0bchunked", body=EMPTY),
    "TE empty": post(b"Transfer-Encoding: ", body=b""),
    "TE, a space before the colon": post(b"Transfer-Encoding : chunked", body=EMPTY),
    "TE under another name beside CL": post(b"Content-Length: 5", b"Transfer_Encoding : chunked", body=EMPTY),
    "TE in HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n\r\n" + EMPTY,
    "a space before the colon": post(b"X-A : 1"),
    "a space in a name": post(b"X A: 1"),
    "an empty name": post(b": 1"),
    "no colon": post(b"X-A"),
    "obs-fold": post(b"X-A: 1", b" 2"),
    "obs-fold by tab": post(b"X-A: 1", b"\tTransfer-Encoding: chunked"),
    "obs-fold as the first header": b"GET / HTTP/1.1\r\n X-A: 1\r\n" + HOST + b"\r\n",
    "NUL in a value": post(b"X-A: a\x00b"),
    "NUL in a name": post(b"X\x00A: b"),
    "bare CR in a value": post(b"X-A: a\rb"),
    "bare CR before a header": post(b"X-A: a\rX-B: b"),
    "bell in a value": post(b"X-A: a\x07b"),
    "bare LF behind the request line": b"GET / HTTP/1.1\n" + HOST + b"\r\n",
    "bare LF behind a header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: 1\nX-B: 2\r\n\r\n",
    "bare LF at the end": b"GET / HTTP/1.1\r\n" + HOST + b"\n",
    "bare LF everywhere": b"GET / HTTP/1.1\nHost: open.example.com\n\n",
    "non-ASCII name": post("X-É: 1".encode()),
    "request line: two spaces": b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    "request line: a tab": b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "request line: a space in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "request line: more behind it": b"GET / HTTP/1.1 x\r\n" + HOST + b"\r\n",
    "request line: no version": b"GET /\r\n" + HOST + b"\r\n",
    "request line: HTTP/1.2": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "request line: HTTP/3.0": b"GET / HTTP/3.0\r\n" + HOST + b"\r\n",
    "request line: http/1.1": b"GET / http/1.1\r\n" + HOST + b"\r\n",
    "request line: a bad method": b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "not HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
}


@pytest.mark.parametrize("data", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_refused_and_closed(gateway, recorder, data):
    before = len(recorder.requests)
    with gateway.connect() as connection:
        connection.send(data + NEXT)
        response = connection.receive()
        assert response is None or response.status in (400, 501, 505), response
        assert response is None or connection.is_closed()
    assert len(recorder.requests) == before


UNREADABLE = {
    "400": (b"GET / HTTP/1.1\r\nX A: 1\r\n\r\n", 400),
    "400, a NUL": (b"GET / HTTP/1.1\r\nHost: open.example.com\r\nX-A: \x00\r\n\r\n", 400),
    "414": (b"GET /" + b"a" * 500_000 + b" HTTP/1.1\r\nHost: open.example.com\r\n\r\n", 414),
    "431": (b"GET / HTTP/1.1\r\nHost: open.example.com\r\nX-A: " + b"a" * 500_000 + b"\r\n\r\n", 431),
    "431, fields": (b"GET / HTTP/1.1\r\nHost: open.example.com\r\n" + b"a: b\r\n" * 5_000 + b"\r\n", 431),
}


@pytest.mark.parametrize(("data", "status"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_even_a_request_that_cannot_be_read_is_answered_in_the_common_shape(gateway, data, status):
    response = gateway.raw(data)
    assert response.status == status
    check_own_answer(response)


BROKEN_CHUNKS = {
    "no number": b"x\r\nhello\r\n0\r\n\r\n",
    "a negative number": b"-5\r\nhello\r\n0\r\n\r\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "over 64 bit": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "too short": b"4\r\nhello\r\n0\r\n\r\n",
    "too long": b"6\r\nhello\r\n0\r\n\r\n",
    "bare LF behind the number": b"5\nhello\r\n0\r\n\r\n",
    "bare LF behind the chunk": b"5\r\nhello\n0\r\n\r\n",
    "a bare CR in the extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "a bare LF in the extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "a huge extension": b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
    "a length in the trailers": b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n",
    "a coding in the trailers": b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a bare LF behind the trailers": b"5\r\nhello\r\n0\r\nX-A: 1\r\n\n",
    "an empty number": b"\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS.keys())
def test_broken_chunks_are_no_body_and_what_follows_is_no_request(gateway, recorder, body):
    before = len(recorder.requests)
    with gateway.connect() as connection:
        try:
            connection.send(post(CHUNKED, b"Content-Type: text/plain", body=body) + NEXT)
        except OSError:
            pass
        response = connection.receive()
        assert response is None or response.status in (400, 502)
        assert response is None or connection.is_closed()
    new = recorder.requests[before:]
    assert [request.target for request in new if request.target == "/smuggled"] == []
    assert not any(request.body == b"hello" for request in new)


def test_chunk_extensions_and_trailers_end_at_the_gateway(gateway, recorder):
    """The function's reader may take them for something else; chunks are written anew."""
    body = b'5;a;b="c"\r\nhello\r\n0;d\r\nX-Sub: evil\r\n\r\n'
    response = gateway.raw(post(CHUNKED, b"Content-Type: text/plain", body=body) + NEXT)
    assert response.status == 200 and response.seen.body == b"hello"
    assert b"evil" not in response.seen.everything and b";" not in response.seen.everything
    assert response.seen.trailers == []


def test_a_body_that_stops_is_not_waited_for(gateway):
    with gateway.connect() as connection:
        connection.send(post(b"Content-Length: 100", body=b"short"))
        response = connection.receive()
        assert response.status == 408
        check_own_answer(response)
        assert connection.is_closed()
    assert gateway.access_line(response)["reason"] == "request_body_timeout"


def test_a_connection_without_requests_is_ended(gateway):
    with gateway.connect() as silent, gateway.connect() as kept:
        kept.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert kept.receive().status == 200
        assert silent.is_closed() and kept.is_closed()


def test_a_body_that_breaks_off_is_not_taken_for_whole(gateway, recorder):
    with gateway.connect() as connection:
        connection.send(post(b"Content-Length: 100", body=b"short"))
        connection.finish_sending()
        response = connection.receive()
    assert response is None or response.status == 400


def with_header_bytes(size: int) -> bytes:
    lines = [("Host", "open.example.com")]
    used = sum(len(name) + len(value) for name, value in lines)
    names = [f"x-{number:02}" for number in range(8)]
    used += sum(map(len, names))
    share, rest = divmod(size - used, len(names))
    lines += [(name, "v" * (share + (rest if name == "x-00" else 0))) for name in names]
    return head("GET", "/", lines)


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (70_000, 431)])
def test_size_of_the_header(gateway, size, status):
    assert gateway.raw(with_header_bytes(size)).status == status


@pytest.mark.parametrize(("fields", "status"), [(200, 200), (201, 431)])
def test_number_of_header_fields(gateway, fields, status):
    lines = [("Host", "open.example.com")] + [("x", "y")] * (fields - 1)
    assert gateway.raw(head("GET", "/", lines)).status == status


@pytest.mark.parametrize(("length", "status"), [(16_000, 200), (17_000, 414), (60_000, 414)])
def test_length_of_the_request_line(gateway, length, status):
    assert gateway.get("/" + "a" * (length - 15), host="open.example.com").status == status


@pytest.mark.parametrize(("length", "status"), [(16_000, 200), (17_000, 414)])
def test_length_of_the_query(gateway, length, status):
    assert gateway.get("/?" + "a" * (length - 16), host="open.example.com").status == status


def test_a_single_header_that_never_ends(gateway):
    with gateway.connect() as connection:
        with pytest.raises(OSError):
            connection.send(b"GET / HTTP/1.1\r\nHost: open.example.com\r\nX-A: " + b"a" * 50_000_000)


def test_a_header_that_does_not_arrive_is_not_waited_for(gateway):
    with gateway.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: open.example.com\r\n")
        response = connection.receive()
        assert response is None or (response.status == 408 and connection.is_closed())


def test_a_header_that_drips_is_not_waited_for(gateway):
    with gateway.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n")
        connection.socket.settimeout(0.3)
        for _ in range(20):
            try:
                connection.send(b"X-A: 1\r\n")
                connection.socket.recv(1)
                break  # An answer, or the end of the connection.
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("six seconds, and the gateway still reads")


def test_a_form_that_does_not_arrive_is_not_waited_for(gateway, recorder):
    before = len(recorder.requests)
    with gateway.connect() as connection:
        headers = [("Host", "api.example.com"), URLENCODED, ("Content-Length", "100")]
        connection.send(head("POST", "/", headers) + b"token=")
        response = connection.receive()
    assert response is None or response.status == 408
    assert len(recorder.requests) == before


def test_a_header_that_breaks_off_in_the_middle_gets_408(gateway):
    with gateway.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n" + HOST)
        response = connection.receive()
        assert response.status == 408
        check_own_answer(response)
        assert connection.is_closed()


def test_a_malformed_request_behind_a_good_one_is_answered_after_it(gateway, recorder):
    with gateway.connect() as connection:
        connection.send(b"GET /first HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLING["CL and TE"] + NEXT)
        assert connection.receive().status == 200
        response = connection.receive()
        assert response.status == 400
        check_own_answer(response)
        assert connection.is_closed()


def test_an_answer_reaches_a_client_that_goes_on_sending(gateway):
    with gateway.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 4_000_000)
        response = connection.receive()
        assert response.status == 431
        check_own_answer(response)


def test_the_gateway_still_serves_after_all_this(gateway):
    assert gateway.get(token=TOKEN).status == 200
