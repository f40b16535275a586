"""A fast client that sends bytes as they are and keeps its connections."""

import json
import socket
import threading


class Broken(Exception):
    """The connection ended without a whole response."""


class Response:
    __slots__ = ("status", "headers", "body", "closes")

    def __init__(self, status: int, headers: dict[bytes, bytes], body: bytes, closes: bool):
        self.status, self.headers, self.body, self.closes = status, headers, body, closes

    def json(self):
        try:
            return json.loads(self.body)
        except UnicodeDecodeError:  # Some functions give bytes on as they came.
            return json.loads(self.body.decode("latin-1"))

    def is_of_the_gateway(self) -> bool:
        """Whether the gateway made this response itself."""
        return self.status >= 400 and self.body.startswith(b"{") and set(self.json()) == {"RequestId", "Code", "Message"}


class Connection:
    def __init__(self, address: tuple[str, int], timeout: float):
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.used = False

    def send(self, data: bytes):
        self.used = True
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It may have answered before it has read everything.

    def receive(self) -> Response:
        while True:
            end = self._until(b"\r\n\r\n")
            head, self.buffer = self.buffer[:end], self.buffer[end + 4 :]
            lines = head.split(b"\r\n")
            words = lines[0].split(b" ", 2)
            if len(words) < 2 or not words[1].isdigit():
                raise Broken(f"no response: {lines[0][:80]!r}")
            status = int(words[1])
            if not 100 <= status < 200:
                break
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        closes = headers.get(b"connection", b"").lower() == b"close" or words[0] == b"HTTP/1.0"
        if b"chunked" in headers.get(b"transfer-encoding", b""):
            body = self._chunks()
        elif (length := headers.get(b"content-length")) is not None:
            body = self._exactly(int(length))
        elif status in (204, 304):
            body = b""
        else:
            body, closes = self._rest(), True
        return Response(status, headers, body, closes)

    def _more(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Broken("the connection ended")
        self.buffer += data

    def _until(self, mark: bytes) -> int:
        while (at := self.buffer.find(mark)) < 0:
            self._more()
        return at

    def _exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _chunks(self) -> bytes:
        pieces = []
        while True:
            end = self._until(b"\r\n")
            size = int(self.buffer[:end].split(b";")[0], 16)
            self.buffer = self.buffer[end + 2 :]
            if size == 0:
                while (end := self._until(b"\r\n")) != 0:
                    self.buffer = self.buffer[end + 2 :]
                self.buffer = self.buffer[2:]
                return b"".join(pieces)
            pieces.append(self._exactly(size))
            self._exactly(2)

    def _rest(self) -> bytes:
        while True:
            try:
                self._more()
            except Broken:
                data, self.buffer = self.buffer, b""
                return data

    def close(self):
        self.socket.close()


class Client:
    """Keeps one connection per thread and server."""

    def __init__(self, timeout: float = 30):
        self.timeout = timeout
        self._local = threading.local()

    def send(self, address: tuple[str, int], data: bytes, fresh: bool = False) -> Response:
        """Sends a request; once more on a new connection when a kept one ended before any response."""
        kept = self._local.__dict__.setdefault("kept", {})
        connection = kept.pop(address, None)
        if fresh and connection:
            connection.close()
            connection = None
        while True:
            connection = connection or Connection(address, self.timeout)
            again = connection.used
            try:
                connection.send(data)
                response = connection.receive()
            except TimeoutError as error:
                connection.close()
                raise Broken(f"no response within {self.timeout} s") from error
            except (Broken, ValueError, OSError) as error:
                empty = not connection.buffer
                connection.close()
                if again and empty:
                    connection = None
                    continue
                raise error if isinstance(error, Broken) else Broken(repr(error)) from error
            # Bytes behind a response belong to no request of ours.
            if response.closes or connection.buffer or fresh:
                connection.close()
            else:
                kept[address] = connection
            return response

    def close(self):
        for connection in self._local.__dict__.pop("kept", {}).values():
            connection.close()
