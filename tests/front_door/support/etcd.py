"""A real etcd on loopback."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def is_healthy(url: str) -> bool:
    """Whether a member answers and knows its leader."""
    try:
        return httpx.get(f"{url}/health", timeout=2).json().get("health") == "true"
    except (httpx.HTTPError, ValueError):
        return False


class Etcd:
    """One member, which may be stopped, frozen and started again with what it holds."""

    def __init__(self, *options: str):
        self.options = options
        self.folder = tempfile.TemporaryDirectory(prefix="claimgate-etcd-")
        self.process = None
        for _ in range(5):  # Another process may take a port in between.
            self.port, self.peer = free_ports(2)
            if self.start():
                return
        raise AssertionError("etcd does not start: " + (Path(self.folder.name) / "log").read_text()[-2000:])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> bool:
        peer = f"http://127.0.0.1:{self.peer}"
        with open(Path(self.folder.name) / "log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    "etcd", "--name", "one", "--data-dir", f"{self.folder.name}/data", "--unsafe-no-fsync",
                    "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                    "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                    "--initial-cluster", f"one={peer}", "--log-level", "error", *self.options,
                ],
                stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            if is_healthy(self.url):
                return True
            time.sleep(0.05)
        self.kill()
        return False

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def compact(self):
        """Forgets everything but the newest of each key."""
        status = httpx.post(f"{self.url}/v3/maintenance/status", json={}).json()
        httpx.post(f"{self.url}/v3/kv/compaction", json={"revision": status["header"]["revision"], "physical": True})

    def records(self) -> list[dict]:
        """Every key and its value, in base64."""
        everything = {"key": "AA==", "range_end": "AA=="}
        return httpx.post(f"{self.url}/v3/kv/range", json=everything).json().get("kvs", [])

    def write(self, records: list[dict]):
        for record in records:
            httpx.post(f"{self.url}/v3/kv/put", json={"key": record["key"], "value": record["value"]})

    def empty(self):
        httpx.post(f"{self.url}/v3/kv/deleterange", json={"key": "AA==", "range_end": "AA=="})

    def replace(self):
        """Puts a member in its place that holds nothing."""
        self.kill()
        shutil.rmtree(f"{self.folder.name}/data")
        assert self.start()

    def close(self):
        if self.process.poll() is None:
            self.thaw()
            self.kill()
        self.folder.cleanup()
