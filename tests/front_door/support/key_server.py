"""An issuer's web server whose answers a test changes while a gateway asks."""

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KEYS = "/jwks.json"
CONFIGURATION = "/.well-known/openid-configuration"


@dataclass
class Answer:
    """What a path answers. `hold` delays it until the event is set; `write` replaces the body's writing."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    write: object = None


def keys_answer(jwks: dict, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(json.dumps(jwks).encode(), headers={"Content-Type": "application/json", **named})


def redirect(location: str) -> Answer:
    return Answer(status=302, headers={"Location": location})


class KeyServer:
    def __init__(self, tls: tuple[Path, Path] | None = None):
        self.answers: dict[str, Answer] = {}
        #: Path and headers of each request, in order.
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._changed = threading.Condition()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with server._changed:
                    server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                    server._changed.notify_all()
                answer = server.answers.get(self.path, Answer(status=404))
                if answer.hold:
                    assert answer.hold.wait(30)
                try:
                    self.write(answer)
                except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                    pass  # The gateway has seen enough.
                self.close_connection = True

            def write(self, answer: Answer):
                etag = answer.headers.get("ETag")
                if etag and self.headers.get("If-None-Match") == etag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.write:
                    self.end_headers()
                    answer.write(self.wfile)
                    return
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # A handshake that the gateway breaks off.

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            # The handshake belongs into the connection's thread.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self.scheme = "https"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str = KEYS, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def publish(self, jwks: dict, **headers: str):
        self.answers[KEYS] = keys_answer(jwks, **headers)

    def count(self, path: str = KEYS) -> int:
        return len([one for one, _ in self.requests if one == path])

    def wait_for_count(self, count: int, path: str = KEYS, timeout: float = 30):
        """Waits until the path was asked for so many times."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count(path) >= count, timeout), self.count(path)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
