"""What the rows of a result mean, and on what they were measured."""

import json
import os
import platform
import re
import subprocess
from argparse import Namespace
from pathlib import Path

from load import CONNECTIONS, HTTP2_CONNECTIONS, HTTP2_STREAMS
from measure import DISTURBED_SHARE, REPETITIONS
from rows import CACHE_BYTES
from targets import CLAIMGATE, HERE


def explanation(options: Namespace) -> list[str]:
    return f"""\
## What was measured
- Rounds: {options.rounds}, of {options.seconds} s for each row, interleaved, every other round in the opposite order; the values are
  medians, of memory the greatest. Each row has a proxy of its own, which is started, checked for its job and
  warmed up: for a second, and until the cache has the tokens where it is to find them. All stay up, and
  those that are not measured have nothing to do.
- The proxy has one CPU, which one worker thread uses (`workers: 1`, `nbthread 1`; Node's helper threads
  share the CPU); load and upstream (nginx, a body of 109 bytes, HTTP/1.1) share another. Loopback, no TLS,
  connections kept alive on both sides. HTTP/1.1: {CONNECTIONS} connections; HTTP/2: {HTTP2_CONNECTIONS} with {HTTP2_STREAMS} streams each.
- req/cpu-s are the requests over the CPU seconds (user and system, all threads) of the proxy alone. It is
  the number to trust: req/s and latencies suffer when other programs or the load need the CPUs.
- others: the shares of the proxy's CPU and of the load's that neither proxy, load nor upstream took. A run
  with over {DISTURBED_SHARE:.0%} is repeated, at most {REPETITIONS} times, and the least disturbed one counts. With a `*`, one of the
  row's runs was still over it: its req/s and latencies say nothing.
- The job: `alg`, signature, `exp`, `iss` and `aud` are checked; `x-sub` and `x-name` are removed from what
  the client sent and set from the claims. Checked before every run: nine bad tokens get 401, a good one
  passes, and the upstream sees both headers from the claims and not the client's.
- plain is a pass-through, which gets the same bytes and looks at no token; claimgate without authentication is
  measured beside each algorithm's rows, with the tokens of that one. HS256, RS256 with 2048 bits,
  ES256 (P-256), EdDSA (Ed25519).
- Tokens: `one` token always; `users`, one for each of {options.users:,} users in turn, which claimgate finds among the
  verified ones; `new`, the same tokens in turn while claimgate has room for few of them
  (`verifiedTokenCacheBytes: {CACHE_BYTES['new']}`), so that it looks up, verifies, inserts and evicts each time; `uncached`,
  one token with the cache off, as h2load sends one token only. The others remember no token: one row of
  theirs stands against all of claimgate's. hits: the share of tokens that claimgate found, from its metrics.
- Latency: h2load sends at a fixed rate, spread evenly over the connections, each of which begins what is
  due every 10 ms, one request at a time; so requests come in bursts, of as many as there are connections. The time of a request begins when it is sent, so a proxy that
  cannot keep up shows in `answered` rather than in p99.
- Nobody writes a log, but in the row that says so: there, claimgate writes one line of JSON for each
  request to /dev/null.
- Beyond the job, claimgate finds the domain and the route, sets X-Forwarded-*, x-fc-request-id and
  traceparent, refuses duplicate claim names, counts metrics and bounds sizes and times, without
  authentication too; HAProxy here has three timeouts and no more, nginx and Node their defaults.""".splitlines()


def machine(options: Namespace) -> list[str]:
    openssl = re.search(r"Running on OpenSSL version : (.*)", output("haproxy", "-vv"))
    package = json.loads((HERE.parent / "tests/front_door/package.json").read_text())
    lines = [
        *computer_and_claimgate(),
        f"{first_line('haproxy', '-v')}, {openssl[1] if openssl else 'OpenSSL unknown'}",
        first_line("nginx", "-v"),
        f"Node {first_line('node', '--version')}, jose {package['dependencies']['jose']}",
        f"{first_line('wrk', '-v').partition(' [')[0]}, {first_line('h2load', '--version')}",
    ]
    return ["## Machine and versions", *(f"- {line}" for line in lines)]


def computer_and_claimgate() -> list[str]:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return [
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} CPUs, {int(memory[1]) / 2**20:.0f} GiB, "
        f"Linux {platform.release()}",
        f"{output(CLAIMGATE, '--version')}, revision {os.environ['REVISION']}",
    ]


def first_line(*command) -> str:
    return output(*command).splitlines()[0]


def output(*command) -> str:
    done = subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=10
    )
    return done.stdout.strip() or "unknown"
