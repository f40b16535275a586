"""A claimgate that serves a configuration, and what is seen of it from outside."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import processes
from targets import CLAIMGATE

# Lines about starting and reloading, and none for each request.
ENVIRONMENT = {"CLAIMGATE_LOG": "claimgate::serve=info,warn"}
LOADING_SECONDS = 300


@dataclass
class Served:
    """A claimgate that is ready."""

    process: subprocess.Popen
    log: Path
    ready_seconds: float
    """From its start until it takes requests."""
    port: int = 0
    metrics_port: int = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    def memory_kib(self) -> int:
        return processes.memory_kib(self.pid, "VmRSS")

    def peak_memory_kib(self) -> int:
        return processes.memory_kib(self.pid, "VmHWM")

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def reloads(self) -> int:
        return sum(line.get("message") == "configuration reloaded" for line in lines(self.log))

    def metric(self, name: str) -> int:
        """A counter without labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=30) as response:
            for line in response.read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return int(line.rpartition(" ")[2])
        raise LookupError(f"no metric {name}")


@contextlib.contextmanager
def serving(cpu: int, configuration: Path) -> Iterator[Served]:
    """Serves a configuration file, pinned to a CPU, on ports that the system picks."""
    log = configuration.with_suffix(".log")
    command = ["taskset", "-c", str(cpu), CLAIMGATE, "serve", "--config", configuration, "--log-format", "json"]
    began = time.monotonic()
    with open(log, "wb") as errors:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=os.environ | ENVIRONMENT,
        )
    try:
        # The line about the data plane comes last.
        addresses = wait_for(lambda: addresses_in(log), process, pause=0.001)
        served = Served(process, log, time.monotonic() - began)
        served.port, served.metrics_port = addresses["http"], addresses["admin"]
        yield served
    finally:
        processes.end(process)


def wait_for(condition, process: subprocess.Popen, pause: float = 0.05):
    """Waits until a condition gives something true, and gives that."""
    deadline = time.monotonic() + LOADING_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := condition():
            return found
        time.sleep(pause)
    raise processes.NotStarted(f"{process.args}: ended, or took more than {LOADING_SECONDS} seconds")


def addresses_in(log: Path) -> dict[str, int] | None:
    """The ports of the listeners, once the data plane's is announced."""
    ports = {
        line["listener"]: int(line["address"].rpartition(":")[2])
        for line in lines(log)
        if line.get("message") == "listening"
    }
    return ports if "http" in ports else None


def lines(log: Path) -> list[dict]:
    text = log.read_text(errors="replace")
    # The last line may be in the middle of being written; what is no JSON tells why nothing is served.
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.startswith("{") and line.endswith("}\n")]
