"""Requests whose client leaves before the answer, and answers that a function breaks off behind their head."""

import signal
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import pytest

from support.configuration import configuration, domain, function, jwt
from support.http1 import head
from support.metrics import read_metrics, wait_for_metric
from support.recorder import plain_answer
from support.tokens import jwks, key

KEY = key("ES256")
API = "api.example.com"
ROUTES = [{"path": "/orders/*", "functionName": "orders"}]
REQUESTS = "claimgate_requests_total"
BROKEN = "claimgate_answers_broken_off_total"


class Function:
    """Holds `/orders/hold` until it is let go, and breaks off what is asked of it by path."""

    def __init__(self):
        self.arrived = threading.Semaphore(0)
        self.release = threading.Event()

    def __call__(self, request, stream, number):
        if request.path == "/orders/hold":
            self.arrived.release()
            assert self.release.wait(30)
        elif request.path == "/orders/short":
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
            return True
        elif request.path == "/orders/chunk":
            stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nonly\r\nthis")
            return True
        elif request.path == "/orders/silent":
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
            stream.file.read()
            return True
        elif request.path == "/orders/endless":
            stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not self.release.wait(0.02):
                stream.write(b"1\r\nx\r\n")
            return True
        return plain_answer(request, stream, number)


@pytest.fixture
def held(request):
    held = Function()
    request.addfinalizer(held.release.set)
    return held


@pytest.fixture
def start(serve, start_function, held):
    def start(**timeouts):
        domains = [domain(API, ROUTES, jwt(jwks(KEY)))]
        return serve(configuration(domains, [function(start_function(held).url)], timeouts=timeouts))

    return start


def fields() -> list[tuple[str, str]]:
    return [("Host", API), ("Authorization", f"Bearer {KEY.token({'sub': 'ann'})}")]


def line_of(gateway, path: str) -> dict:
    return gateway.wait_for_log(lambda line: line.get("message") == "request" and line["path"] == path)


def counted(gateway, outcome: str, reason: str = "") -> float | None:
    labels = {"domain": API, "route": "/orders/*", "outcome": outcome, "reason": reason}
    return read_metrics(gateway).value(REQUESTS, **labels)


class Http2:
    """A client that sends one request on a connection."""

    def __init__(self, gateway, path: str):
        self.connection = gateway.connect()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        pseudo = [(":method", "GET"), (":scheme", "http"), (":authority", API), (":path", path)]
        self.h2.send_headers(1, pseudo + [("authorization", fields()[1][1])], end_stream=True)
        self.flush()

    def flush(self):
        self.connection.send(self.h2.data_to_send())

    def wait_for(self, kind):
        while data := self.connection.socket.recv(65536):
            for event in self.h2.receive_data(data):
                assert not isinstance(event, h2.events.StreamEnded)
                if isinstance(event, kind):
                    return event
            self.flush()
        raise AssertionError(f"the connection ended without {kind}")


# --- Clients that leave ---


def leave_http1(gateway, path):
    with gateway.connect() as connection:
        connection.send(head("GET", path, fields()))
        yield


def reset_stream(gateway, path):
    client = Http2(gateway, path)
    yield
    client.h2.reset_stream(1, h2.errors.ErrorCodes.CANCEL)
    client.flush()
    # The connection stays, and it is the stream alone that ends.
    client.h2.ping(b"12345678")
    client.flush()


def leave_http2(gateway, path):
    client = Http2(gateway, path)
    yield
    client.connection.close()


@pytest.mark.parametrize("client", [leave_http1, reset_stream, leave_http2])
def test_a_client_that_leaves_before_the_answer_is_counted_and_logged(start, held, client):
    gateway = start()
    for _ in client(gateway, "/orders/hold"):
        assert held.arrived.acquire(timeout=20)
    line = line_of(gateway, "/orders/hold")
    assert (line["status"], line["outcome"], line["reason"]) == (499, "client_left", "")
    assert (line["domain"], line["route"], line["function"], line["method"]) == (API, "/orders/*", "orders", "GET")
    assert line["client"] == "127.0.0.1" and line["request_id"]
    # It was with the function that the time went by.
    assert 0 < line["authenticate_us"] and 0 < line["function_us"] <= line["duration_us"]
    assert (counted(gateway, "client_left"), counted(gateway, "accepted")) == (1, None)
    wait_for_metric(gateway, 0, "claimgate_requests_in_flight")
    # How long it would have taken is not known.
    assert read_metrics(gateway).labels("claimgate_request_duration_seconds_count") == []


def test_a_client_that_is_answered_has_not_left(start):
    gateway = start()
    with gateway.connect() as connection:
        connection.send(head("GET", "/orders/1", fields()))
        assert connection.receive().status == 200
    wait_for_metric(gateway, 0, "claimgate_connections")
    assert (counted(gateway, "client_left"), counted(gateway, "accepted")) == (None, 1)


def test_a_client_that_leaves_in_the_middle_of_an_answer_is_nobodys_fault(start):
    gateway = start()
    with gateway.connect() as connection:
        connection.send(head("GET", "/orders/endless", fields()))
        assert connection.receive_head().status == 200
    client = Http2(gateway, "/orders/endless")
    client.wait_for(h2.events.ResponseReceived)
    client.connection.close()
    wait_for_metric(gateway, 0, "claimgate_connections")
    metrics = read_metrics(gateway)
    assert metrics.labels(BROKEN) == []
    assert {labels["outcome"] for labels in metrics.labels(REQUESTS)} == {"accepted"}


def test_a_request_that_the_gateway_gives_up_at_its_end_is_logged_as_failed(start, held):
    gateway = start(drainSeconds=1)
    with gateway.connect() as connection:
        connection.send(head("GET", "/orders/hold", fields()))
        assert held.arrived.acquire(timeout=20)
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(20) == 0
    line = line_of(gateway, "/orders/hold")
    assert (line["outcome"], line["reason"], line["status"]) == ("failed", "drain_timeout", 503)


# --- Functions that break off ---

BREAKS = {
    "/orders/short": "response_body",
    "/orders/chunk": "response_body",
    "/orders/silent": "response_body_timeout",
    "/orders/endless": "response_body_too_long",
}


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize(("path", "reason"), BREAKS.items())
def test_an_answer_that_breaks_off_is_counted_and_logged(start, protocol, path, reason):
    gateway = start(idleSeconds=1, responseSeconds=2)
    if protocol == "HTTP/1.1":
        with gateway.connect() as connection:
            connection.send(head("GET", path, fields()))
            response = connection.receive()
            assert response.status == 200 and not response.complete
    else:
        assert Http2(gateway, path).wait_for(h2.events.StreamReset).error_code == h2.errors.ErrorCodes.INTERNAL_ERROR
    broken = gateway.wait_for_log(lambda line: line.get("message") == "a function broke off its answer")
    assert broken["level"] == "WARN" and broken["error"]
    assert (broken["outcome"], broken["reason"]) == ("broken_off", reason)
    assert (broken["domain"], broken["route"], broken["function"]) == (API, "/orders/*", "orders")
    # Its head had come, and was logged with the request.
    line = line_of(gateway, path)
    assert (line["status"], line["outcome"], line["request_id"]) == (200, "accepted", broken["request_id"])
    metrics = read_metrics(gateway)
    assert metrics.value(BROKEN, domain=API, route="/orders/*", reason=reason) == 1
    assert len(metrics.labels(BROKEN)) == 1
