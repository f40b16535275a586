"""A function that keeps what reached it, byte for byte."""

import itertools
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass
class Recorded:
    """A request as the function received it."""

    method: str
    target: str
    version: str
    #: Name and value of each header line as they came.
    headers: list[tuple[str, str]]
    #: Empty as long as it has not come whole.
    body: bytes = b""
    trailers: list[str] = field(default_factory=list)
    everything: bytes = b""

    def values(self, name: str) -> list[str]:
        """The values of a header field."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def values_of_alias(self, name: str) -> list[str]:
        """The values of every header field that a CGI-like server takes for `name`."""
        return [value for key, value in self.headers if _alias(key) == _alias(name)]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def query_values(self, name: str) -> list[str]:
        return _form_values(self.query, name)

    def form_values(self, name: str) -> list[str]:
        return _form_values(self.body.decode(), name)

    @property
    def cookies(self) -> list[str]:
        """Each `name=value` of all Cookie headers."""
        lines = self.values("cookie")
        return [pair.strip() for line in lines for pair in line.split(";") if pair.strip()]

    def cookie_values(self, name: str) -> list[str]:
        pairs = (pair.partition("=") for pair in self.cookies)
        return [value for key, _, value in pairs if key.strip() == name]


def _alias(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _form_values(text: str, name: str) -> list[str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    return [value for key, value in pairs if key == name]


class Stream:
    """The function's side of a connection."""

    def __init__(self, connection: socket.socket):
        self.socket = connection
        self.file = connection.makefile("rb")

    def write(self, data: bytes):
        self.socket.sendall(data)

    def read_head(self) -> Recorded | None:
        raw = b""
        while not raw.endswith(b"\r\n\r\n"):
            line = self.file.readline()
            if not line:
                return None
            raw += line
        lines = raw.decode("utf-8", "surrogateescape").split("\r\n")[:-2]
        method, target, version = lines[0].split(" ")
        pairs = (line.partition(":") for line in lines[1:])
        headers = [(name, value.strip(" \t")) for name, _, value in pairs]
        return Recorded(method, target, version, headers, everything=raw)

    def read_body(self, request: Recorded):
        if request.values("transfer-encoding"):
            pieces = []
            while chunk := self.read_chunk():
                pieces.append(chunk)
            request.body = b"".join(pieces)
            while (line := self.file.readline()) not in (b"\r\n", b""):
                request.trailers.append(line.decode("latin-1").strip())
        elif length := int((request.values("content-length") or ["0"])[0]):
            body = self.file.read(length)
            if len(body) < length:
                raise ConnectionError("the request breaks off")
            request.body = body
        request.everything += request.body

    def read_chunk(self) -> bytes:
        """The next chunk, empty at the end of the body."""
        size = int(self._line().split(b";")[0], 16)
        if size == 0:
            return b""
        chunk = self.file.read(size)
        self._line()
        return chunk

    def _line(self) -> bytes:
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the request breaks off")
        return line


def plain_answer(request: Recorded, stream: Stream, number: int):
    """Answers 200 after the whole request, and names the record in `x-recorded`."""
    stream.read_body(request)
    body = b"" if request.method == "HEAD" else b"recorded\n"
    stream.write(b"HTTP/1.1 200 OK\r\nx-recorded: %d\r\ncontent-length: 9\r\n\r\n%s" % (number, body))


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


class Recorder:
    """An HTTP/1.1 server; `answer(request, stream, number)` may replace what it does per request.

    A truthy result of `answer` closes the connection.
    """

    def __init__(self, answer=plain_answer, unix: str | None = None):
        self.requests: list[Recorded] = []
        self.answer = answer
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        recorder = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    recorder._serve(Stream(self.request))
                except (ConnectionError, BrokenPipeError):
                    pass  # The gateway gave up; what it did is what tests look at.

        self._server = _UnixServer(unix, Handler) if unix else _TcpServer(("127.0.0.1", 0), Handler)
        self.address = self._server.server_address
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _serve(self, stream: Stream):
        while (request := stream.read_head()) is not None:
            with self._lock:
                number = next(self._numbers)
                self.requests.append(request)
            if self.answer(request, stream, number):
                stream.socket.shutdown(socket.SHUT_RDWR)
                return

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.address[1]}"

    @property
    def last(self) -> Recorded:
        return self.requests[-1]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
