"""Sends requests with wrk or h2load, pinned to the load's CPU, and reads what they measured."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import targets

CONNECTIONS = 64
# As many requests at once over HTTP/2 as over HTTP/1.1.
HTTP2_CONNECTIONS = 8
HTTP2_STREAMS = 8


@dataclass
class Load:
    """What a load generator saw."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50_ms: float
    p99_ms: float


def wrk(cpu: int, port: int, seconds: int, tokens: Path, count: int) -> Load:
    """Sends the first `count` tokens of a file in turn, as fast as it goes."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", f"Host: {targets.HOST}"]
    command += ["-s", targets.HERE / "wrk.lua", f"http://127.0.0.1:{port}/", "--", tokens, count, 0]
    return Load(**json.loads(output(cpu, command, seconds).splitlines()[-1]))


def h2load(cpu: int, port: int, seconds: int, token: str, log: Path, is_http2: bool, rate: int | None) -> Load:
    """Sends one token, at so many requests a second, or as fast as it goes."""
    command = ["h2load", "-t1", f"--log-file={log}", *address(port, token)]
    if is_http2:
        command += [f"-c{HTTP2_CONNECTIONS}", f"-m{HTTP2_STREAMS}"]
    else:
        command += ["--h1", f"-c{CONNECTIONS}", "-m1"]
    if rate:
        # The option is the rate of each connection. With a duration, h2load would send at once what is due
        # on a connection; with a number of requests it keeps to the bound of requests in flight.
        command += [f"--rps={rate / (HTTP2_CONNECTIONS if is_http2 else CONNECTIONS):.3f}", f"-n{rate * seconds}"]
    else:
        command += ["-D", seconds]
    log.unlink(missing_ok=True)
    output(cpu, command, seconds)
    # Each line: start and duration in microseconds around the status, which is -1 when the request broke.
    answers = [tuple(map(int, line.split("\t")[:3])) for line in log.read_text().splitlines()]
    times = sorted(duration for _, status, duration in answers if status == 200)
    if not times:
        raise targets.NotTheSameJob(f"h2load got no answer of 200: {answers[:1]}")
    began = min(start for start, _, _ in answers)
    ended = max(start + duration for start, _, duration in answers)
    return Load(
        requests=len(times),
        seconds=(ended - began) / 1e6,
        refused=sum(status not in (-1, 200) for _, status, _ in answers),
        broken=sum(status == -1 for _, status, _ in answers),
        p50_ms=times[len(times) // 2] / 1e3,
        p99_ms=times[len(times) * 99 // 100] / 1e3,
    )


def http2_status(cpu: int, port: int, token: str) -> str:
    """The class of the status of one request over HTTP/2, as `2xx`."""
    said = output(cpu, ["h2load", "-n1", "-c1", *address(port, token)], 5)
    counts = re.search(r"status codes: (.*)", said)
    found = re.search(r"1 (\dxx)", counts[1]) if counts else None
    return found[1] if found else "none"


def address(port: int, token: str) -> list[str]:
    headers = ["-H", f"Authorization: Bearer {token}", "-H", "Accept: application/json"]
    return [*headers, f"--connect-to=127.0.0.1:{port}", f"http://{targets.HOST}:{port}/"]


def output(cpu: int, command: list, seconds: int) -> str:
    done = subprocess.run(
        ["taskset", "-c", str(cpu), *map(str, command)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=10 * seconds + 30,
    )
    return done.stdout
