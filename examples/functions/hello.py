"""Greets the caller by the claim that claimgate hands over as `x-name`."""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"Hello, {self.headers['x-name']}, from Python\n".encode("latin-1"))

server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 9000))), Hello)
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
