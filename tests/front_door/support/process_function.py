"""A function that claimgate runs as a process. Its environment and each request's path say what it does.

Nothing but the standard library is used: it may run by another Python and as another user.
"""

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


def wait_for_file(name: str):
    """Waits for a test to make a file; a test that has failed makes none."""
    end = time.monotonic() + 60
    while not os.path.exists(name) and time.monotonic() < end:
        time.sleep(0.01)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.note("requests", url.path)
        getattr(self, "on_" + url.path.strip("/").partition("/")[0], self.on_)(**query)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.do_GET()

    def on_(self, **_):
        self.answer(
            pid=os.getpid(), uid=os.getuid(), groups=os.getgroups(), cwd=os.getcwd(), group=os.getpgrp(),
            environment=dict(os.environ), headers=[[name, value] for name, value in self.headers.items()],
        )  # fmt: skip

    def on_hold(self, gate: str):
        wait_for_file(gate)
        self.on_()

    def on_slow(self):
        time.sleep(0.01)
        self.on_()

    def on_die(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def on_close(self):
        """Closes the connection without an answer, and lives."""
        self.close_connection = True

    def on_break(self):
        """Dies in the middle of an answer."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"begun")
        self.wfile.flush()
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)

    def on_print(self, out: str = "", err: str = ""):
        sys.stdout.write(out + "\n")
        sys.stdout.flush()
        sys.stderr.write(err + "\n")
        sys.stderr.flush()
        self.on_()

    def on_files(self):
        names = {}
        for number in os.listdir("/proc/self/fd"):
            try:
                names[number] = os.readlink(f"/proc/self/fd/{number}")
            except FileNotFoundError:
                pass  # The folder itself.
        self.answer(files=names)

    def on_fork(self):
        """Leaves a process behind that no signal but SIGKILL ends."""
        ignore = "trap '' TERM; while :; do sleep 1; done"
        self.answer(pid=os.getpid(), child=subprocess.Popen(["/bin/sh", "-c", ignore]).pid)

    def on_socket(self):
        """Switches protocols and gives every byte back."""
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        self.wfile.flush()
        while data := self.connection.recv(100):
            self.connection.sendall(data)
        self.close_connection = True

    def answer(self, **content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self, name: str, text: str):
        if folder := os.environ.get("NOTES"):
            with open(Path(folder) / name, "a") as file:
                file.write(text + "\n")

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    Handler.note(None, "starts", str(os.getpid()))
    if "IGNORE_TERM" in os.environ:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if gate := os.environ.get("START_GATE"):
        wait_for_file(gate)
    if "FAIL" in os.environ:
        sys.exit("cannot work")
    if "DEAF" in os.environ:
        time.sleep(60)
    Server(("127.0.0.1", int(os.environ["FC_SERVER_PORT"])), Handler).serve_forever()


main()
