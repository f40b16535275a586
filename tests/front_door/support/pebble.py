"""Pebble, a real ACME server for tests, with the name server that leads it to the gateway."""

import atexit
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import httpx

from support.certificates import Authority

NAME_SERVER = shutil.which("pebble-challtestsrv")


class NameServer:
    """Answers every name with this machine."""

    def __init__(self):
        assert NAME_SERVER, "pebble-challtestsrv is not there; scripts/lib/install.sh installs it"
        for _ in range(10):
            self.port, management = free_port(), free_port()
            command = [NAME_SERVER, "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]
            command += ["-dns01", f"127.0.0.1:{self.port}", "-management", f"127.0.0.1:{management}"]
            self.process = spawn(command)
            if wait_until(lambda: self._answers(management), self.process):
                return
            self.stop()
        raise AssertionError("the name server does not start")

    @staticmethod
    def _answers(port: int) -> bool:
        return httpx.post(f"http://127.0.0.1:{port}/clear-a", json={"host": "none."}, trust_env=False).status_code == 200

    def stop(self):
        self.process.kill()
        self.process.wait()


class Pebble:
    """An ACME server that visits the gateway's listeners to validate names."""

    def __init__(self, folder: Path, names: NameServer, http_port: int, tls_port: int, valid_seconds: int = 3600):
        self.folder, self.names = folder, names
        self.ports = {"httpPort": http_port, "tlsPort": tls_port}
        self.valid_seconds = valid_seconds
        authority = Authority(folder)
        self.ca_file = authority.file
        authority.issue(folder / "pebble.pem", folder / "pebble.key", "127.0.0.1")
        self.process = self.port = None
        self.start()

    def start(self):
        """Starts it, with nothing of what it knew before but its address."""
        for _ in range(10):
            port, management = self.port or free_port(), free_port()
            self._configure(port, management)
            environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
            command = ["pebble", "-config", str(self.folder / "pebble.json"), "-dnsserver", f"127.0.0.1:{self.names.port}"]
            self.process = spawn(command, self.folder / "pebble.log", environment)
            if wait_until(lambda: self._directory(port), self.process):
                self.port, self.management = port, management
                return
            self.stop()
        raise AssertionError((self.folder / "pebble.log").read_text())

    def _configure(self, port: int, management: int):
        settings = {
            "listenAddress": f"127.0.0.1:{port}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(self.folder / "pebble.pem"),
            "privateKey": str(self.folder / "pebble.key"),
            "certificateValidityPeriod": self.valid_seconds,
            **self.ports,
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": settings}))

    def _directory(self, port: int) -> bool:
        return self._get(f"https://127.0.0.1:{port}/dir").status_code == 200

    def _get(self, url: str) -> httpx.Response:
        # Its own certificate is not what is tested here.
        return httpx.get(url, verify=False, trust_env=False)

    @property
    def directory_url(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    def roots(self) -> str:
        """The root certificate that it made at its start, in PEM."""
        return self._get(f"https://127.0.0.1:{self.management}/roots/0").text

    def log(self) -> str:
        return (self.folder / "pebble.log").read_text()

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()


def spawn(command: list[str], log: Path | None = None, environment: dict | None = None) -> subprocess.Popen:
    with open(log or os.devnull, "ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(environment or {})})
    atexit.register(process.kill)
    return process


def wait_until(holds, process: subprocess.Popen) -> bool:
    """Whether something holds before a process ends."""
    for _ in range(400):
        if process.poll() is not None:
            return False
        try:
            if holds():
                return True
        except httpx.HTTPError:
            pass
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            pass
    return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
