"""Floods that HTTP/2 makes cheap for a client: each costs the connection, and no more."""

import contextlib
import socket
import time
from pathlib import Path

import hpack
import hyperframe.frame as frames
import pytest

from support.configuration import configuration, domain, function

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames.SettingsFrame(0).serialize()
HEADERS = [(":method", "GET"), (":scheme", "http"), (":authority", "api.example.com"), (":path", "/")]
NO_ERROR, ENHANCE_YOUR_CALM = 0, 0xB
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    return serve(configuration([domain()], [function(recorder.url)]), recorder)


def frame(kind, stream: int, flags=(), **more) -> bytes:
    return kind(stream, flags=flags, **more).serialize()


def request(encoder: hpack.Encoder, stream: int, flags=("END_HEADERS", "END_STREAM")) -> bytes:
    return frame(frames.HeadersFrame, stream, flags, data=encoder.encode(HEADERS))


class Flood:
    """A raw connection that is flooded until the gateway has enough of it."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.socket = socket.create_connection(gateway.address, timeout=20)
        self.socket.sendall(PREFACE)
        self.received = b""

    def send(self, pieces, most_bytes: int) -> int:
        """Sends until the gateway closes the connection; how many bytes that took."""
        sent = 0
        try:
            for piece in pieces:
                self.socket.sendall(piece)
                sent += len(piece)
                assert sent < most_bytes, "the gateway took all of it"
        except (BrokenPipeError, ConnectionResetError):
            pass
        return sent

    def goodbye(self) -> int | None:
        """The code of the last GOAWAY, if it came before a reset of the connection took it."""
        with contextlib.suppress(ConnectionResetError):
            while data := self.socket.recv(65536):
                self.received += data
        code, rest = None, self.received
        while len(rest) >= 9:
            head, length = frames.Frame.parse_frame_header(memoryview(rest[:9]))
            if isinstance(head, frames.GoAwayFrame):
                code = int.from_bytes(rest[13:17], "big")
            rest = rest[9 + length :]
        return code

    def close(self):
        self.socket.close()


@pytest.fixture
def flood(gateway):
    before = memory(gateway)
    flood = Flood(gateway)
    yield flood
    flood.close()
    # Everybody else is served, and nothing of the flood is kept.
    assert gateway.get("/").status == 200
    assert memory(gateway) - before < 64 * MEBIBYTE


def memory(gateway) -> int:
    lines = Path(f"/proc/{gateway.process.pid}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def odd(count: int):
    return range(1, 2 * count, 2)


def test_rapid_reset(flood, gateway, recorder):
    """CVE-2023-44487: requests that are reset at once cost the client nothing and the server much."""
    encoder, before = hpack.Encoder(), gateway.reached()
    pieces = (
        request(encoder, stream) + frame(frames.RstStreamFrame, stream, error_code=8) for stream in odd(100_000)
    )
    flood.send(pieces, 4 * MEBIBYTE)
    assert flood.goodbye() in (None, ENHANCE_YOUR_CALM)
    assert gateway.reached() - before < 5000


def test_resets_that_the_gateway_is_made_to_send(flood, gateway):
    """CVE-2025-8671: frames that make the server reset streams, which then count no more as open."""
    encoder = hpack.Encoder()
    pieces = (
        # A WINDOW_UPDATE by nothing, which hyperframe would not make.
        request(encoder, stream, ("END_HEADERS",)) + b"\x00\x00\x04\x08\x00" + stream.to_bytes(4, "big") + bytes(4)
        for stream in odd(100_000)
    )
    flood.send(pieces, 8 * MEBIBYTE)
    assert flood.goodbye() in (None, 1, ENHANCE_YOUR_CALM)


@pytest.mark.parametrize(
    "piece", [b"", b"\x00\x01a\x01b", b"\x00\x04abcd\x5a" + b"x" * 90], ids=["empty", "small", "large"]
)
def test_continuation_flood(flood, gateway, piece):
    """CVE-2024-27316 and others: a header that never ends."""
    start = frame(frames.HeadersFrame, 1, data=hpack.Encoder().encode(HEADERS))
    more = frame(frames.ContinuationFrame, 1, data=piece)

    def pieces():
        yield start
        while True:
            yield more * 100

    flood.send(pieces(), 64 * MEBIBYTE)
    assert flood.goodbye() in (None, 1, ENHANCE_YOUR_CALM)


def test_a_header_list_that_is_too_long(flood, gateway):
    """An index of the table costs a byte and stands for many (the HPACK bomb)."""
    encoder = hpack.Encoder()
    start = encoder.encode(HEADERS + [("x-a", "a" * 4000)])
    again = encoder.encode([("x-a", "a" * 4000)])
    assert len(again) < 5
    block = start + again * 10_000
    first, rest = block[:16_000], block[16_000:]
    data = frame(frames.HeadersFrame, 1, ("END_STREAM",), data=first)
    for start in range(0, len(rest), 16_000):
        chunk = rest[start : start + 16_000]
        last = start + 16_000 >= len(rest)
        data += frame(frames.ContinuationFrame, 1, ("END_HEADERS",) if last else (), data=chunk)
    with contextlib.suppress(OSError):
        flood.socket.sendall(data)
    flood.socket.settimeout(5)
    with contextlib.suppress(TimeoutError, OSError):
        while b"431" not in flood.received and (data := flood.socket.recv(65536)):
            flood.received += data
    assert gateway.get("/").status == 200


@pytest.mark.parametrize("kind", ["ping", "settings", "priority", "empty data", "window"])
def test_frames_that_want_an_answer(flood, gateway, kind):
    """A client that asks and never reads is not answered without end (CVE-2019-9512, 9515, 9518)."""
    encoder = hpack.Encoder()
    piece = {
        "ping": frame(frames.PingFrame, 0, opaque_data=b"12345678"),
        "settings": frame(frames.SettingsFrame, 0),
        "priority": frame(frames.PriorityFrame, 1, depends_on=3, stream_weight=1),
        "empty data": frame(frames.DataFrame, 1),
        "window": frame(frames.WindowUpdateFrame, 0, window_increment=1),
    }[kind]
    flood.socket.settimeout(2)
    if kind == "empty data":
        flood.socket.sendall(request(encoder, 1, ("END_HEADERS",)))
    end = time.monotonic() + 10
    with contextlib.suppress(OSError):
        for _ in range(2000):
            flood.socket.sendall(piece * 100)
            if time.monotonic() > end:
                break
