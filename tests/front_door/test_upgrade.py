"""Another version of the program takes over, and no client notices."""

import os
import signal
import socket
import threading
import time

import h2.connection
import httpx
import hyperframe.frame
import pytest
import websockets.sync.server
from websockets.sync.client import connect as websocket_connect

from support.certificates import Authority
from support.configuration import configuration, domain, function, jwt
from support.http1 import head
from support.process import Request, is_alive, process, wait_until, with_processes
from support.recorder import plain_answer
from support.tokens import jwks, key
from support.upgrade import Load, UpgradableGateway

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
RELOADED = "configuration reloaded"
ECHO = {"functionName": "orders", "builtin": "echo"}
REQUEST = head("GET", "/", [("Host", "api.example.com")])


def message(text: str):
    return lambda line: line.get("message") == text


@pytest.fixture
def gateway(serve, recorder):
    return serve(configuration([domain()], [function(recorder.url)]), recorder, UpgradableGateway)


def admin(gateway, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{gateway.admin[1]}{path}", trust_env=False, timeout=10)


class Held:
    """A function that answers when it is released."""

    def __init__(self):
        self.arrived, self.release = threading.Event(), threading.Event()

    def __call__(self, request, stream, number):
        self.arrived.set()
        assert self.release.wait(60)
        plain_answer(request, stream, number)


# --- A steady load ---


@pytest.mark.parametrize(
    ("rate", "reloads"), [(200, 10), pytest.param(2000, 50, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
def test_a_steady_load_fails_nowhere_while_everything_changes(serve, tmp_path, rate, reloads):
    """Reloads, a new certificate, and two upgrades, under connections that are kept and new ones, with TLS and
    without."""
    authority = Authority(tmp_path)
    certificate, private_key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    authority.issue(certificate, private_key, "api.example.com")
    files = {"certificateFile": str(certificate), "privateKeyFile": str(private_key)}

    def version(number: int) -> dict:
        auth = jwt(jwks(KEY), claim_pass_by=f"header:sub:x-version-{number}")
        both = domain(auth=auth) | {"protocol": "HTTP,HTTPS", "certConfig": files}
        return configuration([both], [ECHO], https="127.0.0.1:0", accessLog="none")

    gateway = serve(version(0), kind=UpgradableGateway)
    common = ["--host", "api.example.com", "--header", f"Authorization: Bearer {TOKEN}", "--rate", str(rate / 2)]
    loads = [Load(gateway.address, *common), Load(gateway.https, *common, "--authority", str(authority.file))]

    def reload(number: int):
        before = len(gateway.log)
        gateway.write(version(number))
        gateway.signal(signal.SIGHUP)
        gateway.wait_for_log(message(RELOADED), before)
        time.sleep(reloads / 100)

    for number in range(1, reloads // 2):
        reload(number)
    before = len(gateway.log)
    authority.issue(certificate, private_key, "api.example.com", "www.example.com")
    gateway.wait_for_log(lambda line: "certificate" in line.get("message", ""), before)
    for _ in range(2):
        # Connections that are kept move, so that the old process ends long before its time runs out.
        gateway.wait_for_end(gateway.upgrade(), timeout=25)
    for number in range(reloads // 2, reloads + 1):
        reload(number)
    time.sleep(1)
    for load in loads:
        result = load.finish()
        print(result)
        assert result["failures"] == []
        # All moved at least once; between the upgrades some come late enough to miss the second process.
        assert result["kept"] >= 2 * 10


# --- What the old process had begun ---


def test_requests_in_flight_are_answered_and_new_ones_go_to_the_new_process(serve, start_function):
    held = Held()
    orders = start_function(held)
    gateway = serve(configuration([domain()], [function(orders.url)]), orders, UpgradableGateway)
    with gateway.connect() as connection:
        connection.send(REQUEST)
        assert held.arrived.wait(15)
        old = gateway.upgrade()
        assert is_alive(old) and is_alive(gateway.pid)
        new = Request(gateway)
        held.release.set()
        answer = connection.receive()
        assert (answer.status, answer.header("connection")) == (200, "close")
        assert connection.is_closed()
        assert new.answer().status == 200
    gateway.wait_for_end(old)


def test_kept_connections_move_with_their_next_request(gateway):
    with gateway.connect() as connection:
        connection.send(REQUEST)
        assert connection.receive().header("connection") is None
        old = gateway.upgrade()

        def is_last() -> bool:
            connection.send(REQUEST)
            response = connection.receive()
            assert response.status == 200
            return response.header("connection") == "close"

        # It may not have heard of it yet.
        wait_until(is_last)
        assert connection.is_closed()
    gateway.wait_for_end(old)
    assert gateway.get().status == 200


def test_http2_connections_are_told_to_go_away(gateway):
    """RFC 9113, section 6.8: first that an end comes, and, when the client knows, which requests are answered."""
    client = h2.connection.H2Connection()
    client.initiate_connection()
    fields = {":method": "GET", ":scheme": "http", ":path": "/", ":authority": "api.example.com"}
    client.send_headers(1, fields.items(), end_stream=True)
    with socket.create_connection(gateway.address, 20) as tcp:
        tcp.sendall(client.data_to_send())
        file = tcp.makefile("rb")

        def frames():
            while header := file.read(9):
                frame, length = hyperframe.frame.Frame.parse_frame_header(memoryview(header))
                frame.parse_body(memoryview(file.read(length)))
                yield frame

        received = frames()
        assert any("END_STREAM" in frame.flags for frame in received)
        old = gateway.upgrade()
        last_streams = []
        for frame in received:
            if isinstance(frame, hyperframe.frame.GoAwayFrame):
                assert frame.error_code == 0
                last_streams.append(frame.last_stream_id)
            elif isinstance(frame, hyperframe.frame.PingFrame) and "ACK" not in frame.flags:
                tcp.sendall(hyperframe.frame.PingFrame(0, frame.opaque_data, flags=["ACK"]).serialize())
        assert last_streams == [2**31 - 1, 1]
    gateway.wait_for_end(old)


def test_a_connection_on_which_nothing_happens_does_not_hold_the_old_process_for_ever(serve, recorder):
    written = configuration([domain()], [function(recorder.url)], timeouts={"drainSeconds": 2})
    gateway = serve(written, recorder, UpgradableGateway)
    with gateway.connect() as connection:
        old = gateway.upgrade()
        gateway.wait_for_end(old)
        assert connection.is_closed()
    assert not [line for line in gateway.log if "cut off" in line.get("message", "")]


def test_an_old_process_that_is_told_to_stop_does_not_wait(gateway):
    with gateway.connect() as connection:
        old = gateway.upgrade()
        os.kill(old, signal.SIGTERM)
        assert connection.is_closed()
        gateway.wait_for_end(old, timeout=10)
    assert gateway.get().status == 200


def test_a_websocket_goes_on_in_the_old_process(serve):
    def handler(connection):
        for text in connection:
            connection.send(text)

    with websockets.sync.server.serve(handler, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        gateway = serve(configuration([domain()], [function(url)]), kind=UpgradableGateway)
        tcp = socket.create_connection(gateway.address, 20)
        with websocket_connect("ws://api.example.com/", sock=tcp, proxy=None) as connection:
            old = gateway.upgrade()
            connection.send("still there")
            assert connection.recv(timeout=10) == "still there"
            assert is_alive(old)
        gateway.wait_for_end(old)
        server.shutdown()


def test_a_functions_process_serves_out_the_old_gateways_requests_and_ends_with_it(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)), kind=UpgradableGateway)
    gate = tmp_path / "gate"
    slow = Request(gateway, f"/hold?gate={gate}")
    wait_until(lambda: (tmp_path / "requests").exists())
    old = gateway.upgrade()
    other = gateway.get().json()["pid"]
    gate.touch()
    answer = slow.answer()
    assert answer.status == 200
    first = answer.json()["pid"]
    assert first != other
    gateway.wait_for_end(old)
    wait_until(lambda: not is_alive(first))
    assert gateway.get().json()["pid"] == other


# --- What the new process has ---


def test_the_admin_listener_is_the_new_processes(serve, start_function):
    held = Held()
    orders = start_function(held)
    gateway = serve(configuration([domain()], [function(orders.url)]), orders, UpgradableGateway)
    with gateway.connect() as connection:
        connection.send(REQUEST)
        assert held.arrived.wait(15)
        old = gateway.upgrade()
        for _ in range(10):
            assert admin(gateway, "/readyz").status_code == 200
            assert 'claimgate_requests_total{' not in admin(gateway, "/metrics").text
        held.release.set()
        assert connection.receive().status == 200
    gateway.wait_for_end(old)


def test_an_address_that_has_changed_is_taken_over(gateway, recorder):
    with socket.socket() as free:
        free.bind(("127.0.0.2", 0))
        address = f"127.0.0.2:{free.getsockname()[1]}"
    gateway.write(configuration([domain()], [function(recorder.url)], http=address))
    gateway.wait_for_log(message(RELOADED))
    before = len(gateway.log)
    gateway.upgrade()
    line = gateway.wait_for_log(lambda line: line.get("listener") == "http", before)
    assert line["address"] == address

    def is_refused() -> bool:
        try:
            gateway.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    gateway.poll(is_refused)  # The old process closes its listener once it hears that the new one serves.


def test_a_new_process_can_be_replaced_too(gateway):
    pids = {gateway.pid}
    for _ in range(3):
        gateway.wait_for_end(gateway.upgrade())
        pids.add(gateway.pid)
        assert gateway.get().status == 200
    assert len(pids) == 4


# --- When it fails ---


def script(gateway: UpgradableGateway, text: str):
    """Replaces the program by a script."""
    new = gateway.binary.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o755)
    new.replace(gateway.binary)


BAD_PROGRAMS = {
    "fails": ("#!/bin/sh\nexit 3\n", "the new process ended before it served: exit status: 3"),
    "ends well": ("#!/bin/sh\nexit 0\n", "the new process ended before it served: exit status: 0"),
    "is no program": ("\x7fELF", "the new process ended before it served: exit status: 127"),
    "names no interpreter that is there": ("#!/nowhere\n", "cannot run"),
}


@pytest.mark.parametrize(("text", "reason"), BAD_PROGRAMS.values(), ids=BAD_PROGRAMS.keys())
def test_a_bad_program_takes_nothing_over(gateway, text, reason):
    script(gateway, text)
    assert reason in gateway.fail_to_upgrade()[0]
    assert gateway.get().status == 200


def test_a_bad_configuration_takes_nothing_over_and_is_explained(gateway):
    gateway.write("gateway: {http: nowhere}\n")
    gateway.wait_for_log(message("configuration refused, the last good one stays"))
    reason, said = gateway.fail_to_upgrade()
    assert "ended before it served" in reason
    assert [line for line in said if "gateway.http" in line]
    assert gateway.get().status == 200


def test_a_gateway_that_stops_ends_the_process_that_was_to_take_over(gateway, tmp_path):
    note = tmp_path / "pid"
    script(gateway, f"#!/bin/sh\necho $$ >{note}.new && mv {note}.new {note}\nexec sleep 100\n")
    gateway.signal(signal.SIGUSR2)
    wait_until(note.exists)
    assert gateway.get().status == 200
    gateway.signal(signal.SIGTERM)
    gateway.wait_for_end(gateway.process.pid)
    wait_until(lambda: not is_alive(int(note.read_text())))
