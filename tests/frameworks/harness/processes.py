"""Runs functions as processes."""

import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness.registry import Framework

#: How much longer than on an idle machine a start may take.
PATIENCE = 10


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, below the range that the system uses for clients."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(15000, 32000)
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


class Function:
    """A framework's process. It has a process group of its own, which is ended as a whole."""

    def __init__(self, framework: Framework, port: int):
        self.framework, self.port = framework, port
        self.output = tempfile.TemporaryFile()
        self._lock = threading.Lock()
        self.restarts = -1
        self.start()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def start(self):
        self.restarts += 1
        how = f"run tests/frameworks/install.sh {'short' if self.framework.short else 'long'}"
        if missing := self.framework.missing():
            raise FileNotFoundError(f"{self.framework.name} needs {missing}, which is not installed: {how}")
        self.process = subprocess.Popen(
            self.framework.command,
            cwd=self.framework.folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **self.framework.env, "PORT": str(self.port)},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,
        )
        try:
            self.wait(how)
        except BaseException:
            self.stop()
            raise

    def wait(self, how: str):
        """Waits until it answers a request."""
        end = time.monotonic() + PATIENCE * self.framework.ready_seconds
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(
                    f"{self.framework.name} does not start. If something is not installed, {how}\n{self.tail()}"
                )
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            with socket.create_connection(self.address, 5) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return connection.recv(12).endswith(b" 200")
        except OSError:
            return False

    def revive(self) -> bool:
        """Starts it anew if it has ended; says whether it had."""
        with self._lock:
            ended = self.process.poll() is not None
            if ended:
                self.start()
            return ended

    def tail(self) -> str:
        self.output.seek(0)
        return self.output.read()[-3000:].decode("utf-8", "replace")

    def stop(self):
        for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 10)):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self.output.close()
