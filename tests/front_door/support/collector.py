"""An OTLP collector that keeps what it is sent."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue


class Collector:
    def __init__(self):
        #: Path, headers in lower case, and body of each message.
        self.messages: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        #: Messages are answered while it is set.
        self.answers = threading.Event()
        self.answers.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert collector.answers.wait(30)
                headers = {name.lower(): value for name, value in self.headers.items()}
                collector.messages.append((self.path, headers, body))
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def exports(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for _, _, body in list(self.messages)]

    @property
    def spans(self) -> list:
        """Every span, as OpenTelemetry's own classes."""
        return [
            span
            for export in self.exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def close(self):
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()


def attributes(of: list[KeyValue]) -> dict[str, str | int]:
    found = {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in of}
    assert len(found) == len(of)
    return found
