"""An HTTP/1.1 client that sends exactly the bytes it is given, which no real client does."""

import json
import socket
from dataclasses import dataclass, field

TIMEOUT = 20


@dataclass
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    #: Whether the body came whole: all of its Content-Length, or the last chunk.
    complete: bool = True
    #: What reached the function, filled in by the gateway's client where a recorder answered.
    seen: object = field(default=None, repr=False)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str | None:
        values = self.values(name)
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)


class Connection:
    """One connection; requests are bytes. `wrap` puts its socket into TLS; it comes from the address `source`."""

    def __init__(self, address: tuple[str, int], timeout: float = TIMEOUT, wrap=None, source: str | None = None):
        self.socket = socket.create_connection(address, timeout, (source, 0) if source else None)
        if wrap:
            self.socket = wrap(self.socket)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, data: bytes):
        self.socket.sendall(data)

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def receive_head(self) -> Response | None:
        """The next answer's status and headers; None when the connection ends instead."""
        try:
            line = self.file.readline()
        except ConnectionResetError:
            return None
        if not line:
            return None
        status = int(line.split(b" ")[1])
        headers = []
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.rstrip(b"\r\n").partition(b":")
            headers.append((_text(name).lower(), _text(value.strip(b" \t"))))
        return Response(status, headers)

    def receive(self, method: str = "GET") -> Response | None:
        """The next final answer with its body; None when the connection ends instead."""
        response = self.receive_head()
        while response is not None and 100 <= response.status < 200 and response.status != 101:
            response = self.receive_head()
        if response is None or method == "HEAD" or response.status in (101, 204, 304):
            return response
        try:
            self._receive_body(response)
        except ConnectionResetError:
            response.complete = False
        return response

    def _receive_body(self, response: Response):
        if "chunked" in response.values("transfer-encoding"):
            response.body, response.complete = b"", False
            while chunk := self.receive_chunk():
                response.body += chunk
            response.complete = chunk is not None
        elif (length := response.header("content-length")) is not None:
            response.body = self.file.read(int(length))
            response.complete = len(response.body) == int(length)
        else:
            response.body = self.file.read()

    def receive_chunk(self) -> bytes | None:
        """The next chunk, empty at the end of the body; None when the body breaks off."""
        line = self.file.readline().strip()
        if not line:
            return None
        size = int(line, 16)
        chunk = self.file.read(size)
        if len(chunk) < size or self.file.readline() != b"\r\n":
            return None
        return chunk

    def is_closed(self) -> bool:
        """Whether the peer closes the connection without sending anything more."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True


def head(method: str, target: str, headers: list[tuple[str, str]]) -> bytes:
    """Request line and header lines, with the values as UTF-8."""
    lines = [f"{method} {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"


def chunked(*pieces: bytes, trailers: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n" + trailers + b"\r\n"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
