"""What clients of the admin listener can take from the gateway and from each other: memory, connections, time."""

import hashlib
import json
import re
import resource
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from support import http1
from support.acs3 import Signer
from support.api import SECRET, with_access_keys
from support.configuration import configuration, domain, function

MIB = 1024 * 1024
LARGEST = 64 * MIB
#: More than claimgate reads past of a body that it does not want.
NOT_WANTED = 4 * MIB
#: What may come and go besides: buffers of connections, threads, what an allocator keeps.
SLACK = 64 * MIB


@pytest.fixture
def declared(recorder, tmp_path):
    declared = configuration([domain()], [function(recorder.url)])
    declared["store"] = {"sqlite": str(tmp_path / "claimgate.db")}
    return with_access_keys(declared, tmp_path)


@pytest.fixture
def gateway(serve, declared, recorder):
    gateway = serve(declared, recorder)
    assert get(gateway, "/metrics").status == 200 and gateway.get().status == 200
    return gateway


def get(gateway, path: str, host: str | None = None, source: str | None = None, **headers) -> http1.Response | None:
    lines = [("Host", host or f"127.0.0.1:{gateway.admin[1]}")]
    lines += [(name.replace("_", "-"), value) for name, value in headers.items()]
    with http1.Connection(gateway.admin, source=source) as connection:
        connection.send(http1.head("GET", path, lines))
        return connection.receive()


def post(gateway, path: str, source: str | None = None, body: bytes = b"", **headers) -> http1.Response:
    lines = {"Host": f"127.0.0.1:{gateway.admin[1]}", "Content-Length": str(len(body))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    with http1.Connection(gateway.admin, source=source) as connection:
        connection.send(http1.head("POST", path, list(lines.items())) + body)
        return connection.receive("POST")


def most_memory(gateway) -> int:
    """The most that the process has held in memory so far, in bytes."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def files(gateway) -> int:
    return len(list(Path(f"/proc/{gateway.process.pid}/fd").iterdir()))


def signer(gateway) -> Signer:
    return Signer(gateway, {"accessKeyId": "id-of-editor", "accessKeySecret": SECRET})


def signed_head(gateway, length: int, sha256: str, path: str = "/api/v1/apply", **changed) -> bytes:
    """The head of a signed POST whose body has this hash; `changed` are fields that differ from what was signed."""
    changed = {name.replace("_", "-"): value for name, value in changed.items()}
    head = signer(gateway).request("POST", path, sha256=sha256, changed=changed)
    return head.replace(b"content-length: 0\r\n", f"content-length: {length}\r\n".encode())


# --- Bodies ---


def unsigned(gateway, path: str, *more: tuple[str, str]) -> bytes:
    lines = [("Host", f"127.0.0.1:{gateway.admin[1]}"), ("Content-Length", str(LARGEST)), *more]
    return http1.head("POST", path, lines)


ZEROS = hashlib.sha256(bytes(LARGEST)).hexdigest()

#: Heads of requests of clients that are not known, with a body of 64 MiB.
UNKNOWN = {
    "nothing": lambda gateway: unsigned(gateway, "/api/v1/apply"),
    "Function Compute": lambda gateway: unsigned(gateway, "/2023-03-30/functions"),
    "basic": lambda gateway: unsigned(gateway, "/api/v1/apply", ("Authorization", "Basic YTpi")),
    "bearer": lambda gateway: unsigned(gateway, "/api/v1/apply", ("Authorization", "Bearer x")),
    "no session": lambda gateway: unsigned(gateway, "/api/v1/apply", ("Cookie", "claimgate_session=" + "A" * 43)),
    "console": lambda gateway: unsigned(gateway, "/console/users", ("Cookie", "claimgate_session=" + "A" * 43)),
    "sign-in": lambda gateway: unsigned(gateway, "/console/sign-in"),
    "link": lambda gateway: unsigned(gateway, "/console/sign-in/AAAA"),
    "no hash": lambda gateway: signed_head(gateway, LARGEST, ZEROS, x_acs_content_sha256="UNSIGNED-PAYLOAD"),
    "another hash": lambda gateway: signed_head(gateway, LARGEST, ZEROS, x_acs_content_sha256="0" * 64),
    "date": lambda gateway: signed_head(gateway, LARGEST, ZEROS, x_acs_date="2020-01-01T00:00:00Z"),
    "key": lambda gateway: signed_head(gateway, LARGEST, ZEROS).replace(b"id-of-editor", b"id-of-nobody"),
    "signature": lambda gateway: re.sub(rb"Signature=..", b"Signature=00", signed_head(gateway, LARGEST, ZEROS)),
}


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("kind", UNKNOWN)
def test_an_unknown_client_is_answered_before_its_body_has_come(gateway, kind, chunked):
    head = UNKNOWN[kind](gateway)
    piece = bytes(NOT_WANTED)
    if chunked:
        head = re.sub(rb"(?i)content-length: \d+", b"Transfer-Encoding: chunked", head)
        piece = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    with http1.Connection(gateway.admin) as connection:
        connection.send(head)
        try:
            connection.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It was answered already.
        response = connection.receive("POST")
    assert response.status in (302, 303, 400, 403, 413), response


def test_who_asks_before_sending_is_answered_at_once(gateway):
    with http1.Connection(gateway.admin) as connection:
        connection.send(unsigned(gateway, "/api/v1/apply", ("Expect", "100-continue")))
        assert connection.receive("POST").status == 400
    with http1.Connection(gateway.admin) as connection:
        head = signed_head(gateway, 2, hashlib.sha256(b"{}").hexdigest())
        connection.send(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert connection.receive_head().status == 100
        connection.send(b"{}")
        assert connection.receive("POST").status == 400


def send_as_far_as_it_goes(connection: http1.Connection, total: int):
    """Sends zeros until the other end takes no more."""
    try:
        while total > 0:
            connection.send(bytes(min(total, MIB)))
            total -= MIB
    except OSError:
        pass


@pytest.mark.parametrize("kind", ["nothing", "sign-in", "signature"])
def test_unknown_clients_take_no_memory(gateway, kind):
    before = most_memory(gateway)
    with ExitStack() as open_connections:
        connections = [open_connections.enter_context(http1.Connection(gateway.admin)) for _ in range(12)]
        for connection in connections:
            connection.send(UNKNOWN[kind](gateway))
        arguments = [(connection, LARGEST - 1) for connection in connections]
        threads = [threading.Thread(target=send_as_far_as_it_goes, args=pair) for pair in arguments]
        for thread in threads:
            thread.start()
        assert gateway.get().status == 200
        for thread in threads:
            thread.join()
        assert gateway.get().status == 200
        assert most_memory(gateway) - before < SLACK
    assert get(gateway, "/metrics").status == 200


def test_a_known_caller_sends_what_it_has_signed(gateway):
    digest = lambda body: hashlib.sha256(body).hexdigest()  # noqa: E731
    large = b"[" + b" " * (3 * MIB) + b"]"

    def send(head: bytes, body: bytes) -> http1.Response:
        with http1.Connection(gateway.admin) as connection:
            connection.send(head + body)
            return connection.receive("POST")

    wrong = send(signed_head(gateway, len(large), digest(large)), large)
    assert (wrong.status, wrong.json()["Code"]) == (400, "InvalidArgument"), "it was read, and is no set of documents"
    other = send(signed_head(gateway, len(large), digest(large)), large.replace(b"]", b"}"))
    assert (other.status, other.json()["Code"]) == (403, "SignatureNotMatch")
    head = signed_head(gateway, 2, digest(b"{}"))
    assert send(head, b"{}").json()["Code"] == "InvalidArgument"
    assert send(head, b"{}").json()["Code"] == "SignatureNonceUsed"
    changes = json.dumps({"changes": []}).encode()
    assert send(signed_head(gateway, len(changes), digest(changes)), changes).status == 200
    head = signed_head(gateway, len(changes), digest(changes))
    head = re.sub(rb"(?i)content-length: \d+", b"Transfer-Encoding: chunked", head)
    assert send(head, f"{len(changes):x}\r\n".encode() + changes + b"\r\n0\r\n\r\n").status == 200
    large = send(signed_head(gateway, LARGEST + 1, ZEROS), b"")
    assert (large.status, large.json()["Code"]) == (413, "EntityTooLarge")


def test_all_bodies_together_are_bounded(gateway):
    def begin() -> http1.Connection:
        connection = http1.Connection(gateway.admin)
        connection.send(signed_head(gateway, LARGEST, ZEROS) + b"0")
        return connection

    def is_refused() -> http1.Response | None:
        with begin() as connection:
            connection.socket.settimeout(8)
            try:
                return connection.receive("POST")
            except TimeoutError:
                return None

    with begin(), begin():
        response = gateway.poll(is_refused)
        assert (response.status, response.json()["Code"]) == (503, "ResourceThrottled")
        assert int(response.header("retry-after")) >= 1
        assert get(gateway, "/metrics").status == 200 and gateway.get().status == 200
    gateway.poll(lambda: is_refused() is None)


def test_memory_is_given_back(gateway):
    body = b"[" + b" " * (LARGEST - 2) + b"]"
    digest = hashlib.sha256(body).hexdigest()

    def send():
        with http1.Connection(gateway.admin) as connection:
            connection.send(signed_head(gateway, len(body), digest) + body)
            assert connection.receive("POST").status == 400

    before = gateway.memory()
    for _ in range(4):
        send()
    gateway.poll(lambda: gateway.memory() - before < SLACK)


# --- Connections ---


def raise_own_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def half_sent(gateway, connections: ExitStack, count: int, sources: int) -> list[socket.socket]:
    opened = []
    for number in range(count):
        source = (f"127.0.1.{1 + number % sources}", 0)
        connection = socket.create_connection(gateway.admin, 20, source)
        connections.callback(connection.close)
        try:
            connection.sendall(b"GET /api/v1/functions HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        except OSError:
            pass  # It was closed already.
        opened.append(connection)
    return opened


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def refused(gateway) -> int:
    line = re.search(r"^claimgate_admin_connections_refused_total (\d+)", get(gateway, "/metrics").body.decode(), re.M)
    return int(line[1])


def test_half_sent_requests_leave_the_data_plane_its_files(serve, declared, recorder):
    raise_own_limit()
    gateway = serve(declared, recorder, launcher=["bash", "-c", 'ulimit -n 1024; exec "$@"', "bash"])
    assert gateway.get().status == 200
    before = files(gateway)
    with ExitStack() as connections:
        opened = half_sent(gateway, connections, 1500, sources=100)
        gateway.poll(lambda: sum(map(is_closed, opened)) >= 1500 - 256)
        assert files(gateway) - before <= 256
        # Each holds a file, and one to the function while it is answered.
        clients = [connections.enter_context(gateway.connect()) for _ in range(300)]
        for client in clients:
            client.send(http1.head("GET", "/", [("Host", "api.example.com")]))
        assert [client.receive().status for client in clients] == [200] * len(clients)
        assert not [line for line in gateway.log if "cannot accept" in line["message"]]
    gateway.poll(lambda: get(gateway, "/metrics"))
    assert refused(gateway) >= 1500 - 256


def test_one_address_leaves_places_for_others(serve, declared, recorder):
    declared["admin"]["limits"] = {"connections": 20, "connectionsPerAddress": 8}
    gateway = serve(declared, recorder)
    with ExitStack() as connections:
        opened = half_sent(gateway, connections, 30, sources=1)
        gateway.poll(lambda: sum(map(is_closed, opened)) == 22)
        assert get(gateway, "/metrics", source="127.0.0.9").status == 200
        warned = [line for line in gateway.log if line.get("limit") == "admin.limits.connectionsPerAddress"]
        assert len(warned) == 1 and warned[0]["client"].startswith("127.0.1.1:")
        more = half_sent(gateway, connections, 20, sources=20)
        gateway.poll(lambda: sum(map(is_closed, more)) >= 8)
        assert gateway.get().status == 200
    gateway.poll(lambda: get(gateway, "/metrics"))


def test_a_trusted_proxy_has_no_limit_of_an_address(serve, declared, recorder):
    declared["admin"] |= {"limits": {"connections": 20, "connectionsPerAddress": 2}, "trustedProxies": ["127.0.1.1"]}
    gateway = serve(declared, recorder)
    with ExitStack() as connections:
        opened = half_sent(gateway, connections, 10, sources=1)
        assert get(gateway, "/metrics", source="127.0.1.1").status == 200
        assert not any(map(is_closed, opened))


def test_connections_that_stand_still_are_closed(gateway):
    host = ("Host", f"127.0.0.1:{gateway.admin[1]}")
    with ExitStack() as connections:
        connect = lambda: connections.enter_context(http1.Connection(gateway.admin, timeout=120))  # noqa: E731
        still = {name: connect() for name in ("nothing", "half a head", "between requests", "half a body")}
        still["half a head"].send(b"GET /metrics HTTP/1.1\r\nHost:")
        still["between requests"].send(http1.head("GET", "/healthz", [host]))
        assert still["between requests"].receive().status == 200
        still["half a body"].send(signed_head(gateway, 2, ZEROS) + b"{")
        # What is asked for again and again, and never taken.
        reader = connect()
        reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.socket.settimeout(5)
        try:
            while True:
                reader.send(http1.head("GET", "/metrics", [host]))
        except (TimeoutError, OSError):
            pass
        assert still["half a body"].receive("POST").status == 408
        for name, connection in still.items():
            assert connection.file.read() is not None, name
        gateway.poll(lambda: open_connections(gateway) == 1, timeout=120)


def open_connections(gateway) -> int:
    return int(re.search(r"^claimgate_admin_connections (\d+)", get(gateway, "/metrics").body.decode(), re.M)[1])


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nx: " + b"x" * (128 * 1024),
        b"GET /" + b"x" * (128 * 1024),
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 5000,
    ],
    ids=["field", "target", "fields"],
)
def test_heads_are_bounded(gateway, head):
    with http1.Connection(gateway.admin) as connection:
        try:
            connection.send(head)
        except OSError:
            pass
        response = connection.receive()
    assert response is None or response.status in (400, 414, 431)
