"""Loads of a steady rate, with wrk, and what each one saw."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import load
from processes import busy_seconds, cpu_seconds
from served import Served
from targets import HERE, NotTheSameJob

CONNECTIONS = 64


@dataclass
class Seen:
    """What a load saw, and who used the gateway's CPU meanwhile."""

    load: load.Load
    cpu_share: float
    """The share of its CPU that claimgate took."""
    others_share: float
    """The share that others took."""

    @property
    def per_second(self) -> float:
        return self.load.requests / self.load.seconds


@dataclass
class Cpus:
    gateway: int
    load: int


def sent(
    cpus: Cpus, served: Served, requests: Path, seconds: int, rate: int | None = None, connections: int = CONNECTIONS
) -> Seen:
    """Sends the requests of a file in turn, at so many a second or as fast as it goes."""
    with Measured(cpus.gateway, served) as measured:
        process = start(cpus.load, served.port, requests, seconds, rate, connections)
        found = result(process, seconds)
    if found.refused or found.broken:
        raise NotTheSameJob(f"{requests.name}: {found}")
    return measured.seen(found)


class Measured:
    """Who uses the gateway's CPU while something is done."""

    def __init__(self, cpu: int, served: Served):
        self.cpu, self.served = cpu, served

    def times(self) -> tuple[float, float, float]:
        return time.monotonic(), cpu_seconds(self.served.pid), busy_seconds(self.cpu)

    def __enter__(self) -> "Measured":
        self.before = self.times()
        return self

    def __exit__(self, *_) -> None:
        self.elapsed, self.own, self.busy = (now - then for now, then in zip(self.times(), self.before))

    def seen(self, found: load.Load) -> Seen:
        others = max(0.0, self.busy - self.own)
        return Seen(found, self.own / self.elapsed, others / self.elapsed)


def start(
    cpu: int, port: int, requests: Path, seconds: int, rate: int | None, connections: int
) -> subprocess.Popen:
    pause = 1000 * connections / rate if rate else 0
    command = ["taskset", "-c", cpu, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", HERE / "wrk.lua", f"http://127.0.0.1:{port}/", "--", requests, "0", f"{pause:.3f}"]
    return subprocess.Popen(
        list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=os.environ
    )


def result(process: subprocess.Popen, seconds: int) -> load.Load:
    try:
        output, _ = process.communicate(timeout=10 * seconds + 60)
    finally:
        process.kill()
    if process.returncode != 0:
        raise NotTheSameJob(f"wrk ended with {process.returncode}: {output}")
    return load.Load(**json.loads(output.splitlines()[-1]))
