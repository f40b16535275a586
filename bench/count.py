"""Counts claimgate's instructions a request; see scripts/count-instructions."""

import contextlib
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

import check
import count_arguments
import count_report
import measure
import rows
import targets
import tokens
from callgrind import Callgrind, instructions
from count_rows import FEW, Row
from processes import listening

USERS = 20
"""Whose tokens are sent where the cache has them; a multiple of the hosts, so that each user stays with one."""
WARM_UP = 200
QUERY = "?page=3&per_page=50&q=winter+is%20coming&sort=-date"
"""What the client sends where claims go to the query."""


def main(options: Namespace) -> int:
    if options.list:
        print("\n".join(row.name for row in options.rows))
        return 0
    reference = count_report.read_reference() if options.compare else {}
    os.environ["PATH"] += ":/usr/sbin"
    # So that SIGTERM ends what was started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    counted = {}
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimgate-count-")))
        cpu = max(os.sched_getaffinity(0))
        _, upstream_port = stack.enter_context(
            listening(cpu, targets.upstream_command(directory), directory / "upstream.log")
        )
        if options.profiles:
            options.profiles.mkdir(parents=True, exist_ok=True)
        for row in options.rows:
            counted[row.name] = count(row, options, directory, upstream_port, cpu)
            print(f"{row.name}: {counted[row.name]:,.0f}", file=sys.stderr, flush=True)
    text = count_report.markdown(counted)
    print(text)
    if options.write:
        count_report.REFERENCE.write_text(text)
    if options.compare:
        print("\n".join(count_report.comparison(counted, reference)))
    is_worse = options.fail_above is not None and count_report.worst(counted, reference) > options.fail_above
    return int(is_worse)


def count(row: Row, options: Namespace, directory: Path, upstream_port: int, cpu: int) -> float:
    """Starts claimgate, checks that it does its job, and counts the instructions of a request."""
    issuer, stranger = (tokens.issuer(row.algorithm, directory) for _ in range(2))
    workload = "new" if row.kind == "new" else "users"
    hosts = [targets.HOST, *(f"customer-{number:06}.example.com" for number in range(1, row.domains))]
    target = targets.claimgate(
        None if row.kind == "plain" else issuer,
        directory,
        upstream_port,
        cache_bytes=rows.CACHE_BYTES[workload],
        hosts=hosts,
        claims_in="query" if row.kind == "query" else "header",
    )
    measured = rows.Row("h1", target, workload, issuer.algorithm)
    users = WARM_UP + options.requests if row.kind == "new" else USERS
    signer = stranger if row.kind == "refused" else issuer
    requests = [
        request(hosts[user % FEW * (len(hosts) // FEW)], signer.sign(user), QUERY if row.kind == "query" else "")
        for user in range(users)
    ]
    status = 401 if row.kind == "refused" else 200
    callgrind = Callgrind(directory)
    # There is a warning for each domain at the start.
    with callgrind.running(cpu, target.command, target.environment | {"CLAIMGATE_LOG": "error"}) as port:
        check.check(target, port, issuer, stranger)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            for number in range(WARM_UP):
                ask(client, requests[number % users], status)
            before = measure.cache_counters(measured)
            callgrind.begin()
            for number in range(WARM_UP, WARM_UP + options.requests):
                ask(client, requests[number % users], status)
            counts = callgrind.end()
            if row.kind in ("cached", "query", "new"):
                measure.check_cache(measured, measure.cache_counters(measured).since(before))
    if options.profiles:
        shutil.copy(counts, options.profiles / f"{re.sub('[ ,]+', '-', row.name)}.callgrind")
    return instructions(counts) / options.requests


def request(host: str, token: str, query: str) -> bytes:
    """What wrk sends in scripts/bench."""
    fields = {"Host": host, "User-Agent": "wrk", "Accept": "application/json", "Authorization": f"Bearer {token}"}
    lines = [f"GET /{query} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def ask(client: socket.socket, request: bytes, status: int) -> None:
    """Sends a request and reads the answer to its end."""
    client.sendall(request)
    received = b""
    while True:
        more = client.recv(65536)
        if not more:
            raise targets.NotTheSameJob(f"the connection was closed after {received!r}")
        received += more
        head, is_whole, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if is_whole and length and len(body) >= int(length[1]):
            break
    if not head.startswith(f"HTTP/1.1 {status} ".encode()):
        raise targets.NotTheSameJob(f"not the status {status}: {head!r}")


if __name__ == "__main__":
    try:
        sys.exit(main(count_arguments.parse()))
    except KeyboardInterrupt:
        sys.exit(130)
