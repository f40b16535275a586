"""Limits of connections, streams and time that are not a request's own."""

import contextlib
import json
import socket
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest

from support import http1
from support.command import claimgate
from support.configuration import configuration, domain, function
from support.gateway import BINARY, check_own_answer


def metric(gateway, name: str) -> float:
    with urlopen(f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(name + " ")).split(" ")[1])


def until(condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
    return found


def get(connection: http1.Connection) -> http1.Response | None:
    try:
        connection.send(http1.head("GET", "/", [("Host", "api.example.com")]))
        return connection.receive()
    except (BrokenPipeError, ConnectionResetError):
        return None


# --- Connections ---


def test_connections_beyond_the_limit_are_closed(serve, recorder):
    gateway = serve(configuration([domain()], [function(recorder.url)], limits={"connections": 3}), recorder)
    with contextlib.ExitStack() as opened:
        kept = [opened.enter_context(gateway.connect()) for _ in range(3)]
        assert [get(connection).status for connection in kept] == [200] * 3
        for _ in range(2):
            with gateway.connect() as fourth:
                refused = fourth.receive()
                assert refused.status == 503 and refused.header("connection") == "close"
                assert refused.header("retry-after") == "1"
                check_own_answer(refused)
                assert fourth.is_closed()
        assert [get(connection).status for connection in kept] == [200] * 3
        assert metric(gateway, "claimgate_connections_refused_total") == 2
        warnings = [line for line in gateway.log if "connections are refused" in line.get("message", "")]
        assert len(warnings) == 1 and warnings[0]["limit"] == 3
        kept[0].close()

        def served():
            with gateway.connect() as another:
                return (answer := get(another)) and answer.status == 200

        until(served)


def test_the_limit_of_connections_changes_with_the_file(serve, recorder):
    limited = configuration([domain()], [function(recorder.url)], limits={"connections": 1})
    gateway = serve(limited, recorder)
    with gateway.connect() as first:
        assert get(first).status == 200
        with gateway.connect() as second:
            assert second.receive().status == 503
        gateway.write({**limited, "gateway": {**limited["gateway"], "limits": {"connections": 2}}})
        gateway.wait_for_log(lambda line: "configuration" in line.get("message", "") and "reloaded" in line["message"])
        with gateway.connect() as second:
            assert get(second).status == 200


def test_a_tunnel_holds_its_place(serve, start_function):
    def switch(request, stream, number):
        stream.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        stream.file.read()
        return True

    function_ = start_function(switch)
    gateway = serve(configuration([domain()], [function(function_.url)], limits={"connections": 1}))
    with gateway.connect() as tunnel:
        lines = [("Host", "api.example.com"), ("Connection", "upgrade"), ("Upgrade", "websocket")]
        tunnel.send(http1.head("GET", "/", lines))
        assert tunnel.receive().status == 101
        with gateway.connect() as second:
            assert second.receive().status == 503

    def has_place():
        with gateway.connect() as another:
            another.send(http1.head("GET", "/", lines))
            return (answer := another.receive()) and answer.status == 101

    until(has_place)


def test_as_many_files_may_be_open_as_may_be(tmp_path):
    """A shell's soft limit is no limit for a server; the hard one is told of when it is too low."""
    file = tmp_path / "claimgate.yaml"
    # Beside what the process itself and the admin listener need, two for each connection.
    for connections, is_enough in (418, True), (419, False):
        declared = configuration([], [], limits={"connections": connections})
        declared["admin"]["limits"] = {"connections": 100}
        file.write_text(json.dumps(declared))
        command = ["bash", "-c", 'ulimit -Sn 300; ulimit -Hn 1000; exec "$@"', "bash", BINARY, "serve", "--config", file]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            lines = []
            for line in process.stderr:
                lines.append(json.loads(line))
                if lines[-1].get("listener") == "http":
                    break
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            process.terminate()
            process.stderr.read()
        assert next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3] == "1000"
        warned = [line for line in lines if "open fewer files" in line["message"]]
        assert [line["open_files"] for line in warned] == ([] if is_enough else [1000])


# --- HTTP/2 ---


class Http2:
    """A connection whose frames are read one event at a time."""

    def __init__(self, gateway, **settings):
        self.socket = socket.create_connection(gateway.address, timeout=20)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.local_settings.update(settings)
        self.h2.initiate_connection()
        self.waiting = []
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def get(self, path="/", end_stream=True) -> int:
        stream = self.h2.get_next_available_stream_id()
        names = [(":method", "GET"), (":scheme", "http"), (":authority", "api.example.com"), (":path", path)]
        self.h2.send_headers(stream, names, end_stream=end_stream)
        self.flush()
        return stream

    def events(self, acknowledge=True) -> list | None:
        """What comes next; None at the end of the connection."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return None
        if not data:
            return None
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            # After a GOAWAY this library takes no PING, by which the gateway asks whether it was heard.
            assert self.h2.state_machine.state == h2.connection.ConnectionState.CLOSED
            return []
        for event in events:
            if isinstance(event, h2.events.DataReceived) and acknowledge:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        with contextlib.suppress(OSError):
            self.flush()
        return events

    def wait_for(self, kind, **more):
        """The next event of a kind; what comes behind it stays for the next call."""
        while True:
            while self.waiting:
                if isinstance(event := self.waiting.pop(0), kind):
                    return event
            self.waiting = self.events(**more)
            assert self.waiting is not None, f"the connection ended without {kind}"

    def wait_for_end(self, **more):
        while self.events(**more) is not None:
            pass


def answer_later(request, stream, number):
    """Answers `/slow` when the test lets it."""
    if request.path == "/slow":
        until(lambda: answer_later.go)
    stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_streams_of_a_connection_are_limited(serve, start_function):
    answer_later.go = False
    gateway = serve(configuration([domain()], [function(start_function(answer_later).url)], limits={"http2Streams": 2}))
    with Http2(gateway) as client:
        settings = client.wait_for(h2.events.RemoteSettingsChanged).changed_settings
        assert settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS].new_value == 2
        slow = [client.get("/slow"), client.get("/slow")]
        client.h2.remote_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = 100
        client.h2.remote_settings.acknowledge()
        third = client.get("/")
        reset = client.wait_for(h2.events.StreamReset)
        assert (reset.stream_id, reset.error_code) == (third, h2.errors.ErrorCodes.REFUSED_STREAM)
        answer_later.go = True
        ended = {client.wait_for(h2.events.StreamEnded).stream_id}
        while ended != set(slow):
            ended.add(client.wait_for(h2.events.StreamEnded).stream_id)


def test_an_http2_connection_without_requests_is_ended(serve, start_function):
    answer_later.go = False
    timeouts = {"headerReadSeconds": 1}
    gateway = serve(configuration([domain()], [function(start_function(answer_later).url)], timeouts=timeouts))
    with Http2(gateway) as idle, Http2(gateway) as busy:
        slow = busy.get("/slow")
        idle.wait_for_end()
        assert idle.h2.state_machine.state == h2.connection.ConnectionState.CLOSED  # A GOAWAY came.
        answer_later.go = True
        assert busy.wait_for(h2.events.StreamEnded).stream_id == slow
        busy.wait_for_end()


def test_a_header_that_does_not_end_ends_the_connection(serve, recorder):
    gateway = serve(configuration([domain()], [function(recorder.url)], timeouts={"headerReadSeconds": 1}), recorder)
    before = gateway.reached()
    with Http2(gateway) as slow:
        # HEADERS without END_HEADERS, of an index that every table has; CONTINUATION never comes.
        slow.socket.sendall(b"\x00\x00\x01\x01\x01\x00\x00\x00\x01\x82")
        slow.wait_for_end()
    assert gateway.reached() == before


def test_a_client_that_takes_no_answer_is_given_up(serve, start_function):
    def large(request, stream, number):
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
        stream.write(b"x" * 4_000_000)

    gateway = serve(configuration([domain()], [function(start_function(large).url)], timeouts={"idleSeconds": 1}))
    with Http2(gateway) as client:
        client.get()
        client.wait_for(h2.events.DataReceived, acknowledge=False)
        client.wait_for_end(acknowledge=False)
    with Http2(gateway) as client:  # One that reads slowly, but reads, gets all of it.
        client.get()
        client.wait_for(h2.events.StreamEnded)


# --- The whole of an answer ---


def test_an_answer_has_to_end_in_time(serve, start_function):
    def trickle(request, stream, number):
        if request.path == "/never":
            stream.file.read()
            return True
        if request.path == "/trickle":
            stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                stream.write(b"1\r\nx\r\n")
                time.sleep(0.05)
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    timeouts = {"responseSeconds": 1}
    gateway = serve(configuration([domain()], [function(start_function(trickle).url)], timeouts=timeouts))
    response = gateway.get("/never")
    assert (response.status, response.json()["Code"]) == (504, "FunctionTimeout")
    assert gateway.access_line(response)["reason"] == "response_timeout"
    response = gateway.get("/trickle")
    assert response.status == 200 and not response.complete and set(response.body) == {ord("x")}
    response = gateway.get("/")
    assert response.complete and response.body == b"ok"


@pytest.mark.parametrize("name", ["connections", "http2Streams"])
def test_zero_is_no_limit(tmp_path, name):
    file = tmp_path / "claimgate.yaml"
    file.write_text(f"gateway: {{limits: {{{name}: 0}}}}")
    result = claimgate("check", "--config", file)
    assert result.code == 1 and f"gateway.limits.{name}: expected a whole number from 1" in result.err
