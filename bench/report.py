"""The result as text."""

import os
import platform
import re
import statistics
import subprocess
from pathlib import Path

from targets import CLAIMGATE

def progress(round_number: int, target, run) -> str:
    name = f"{target.job} {target.proxy}{' with log' if target.is_logging else ''}"
    return (
        f"round {round_number + 1}: {name:24} {run.per_second:8,.0f} req/s {run.per_cpu_second:8,.0f} req/cpu-s "
        f"others {run.others[0]:.0%} {run.others[1]:.0%}"
    )


def markdown(rows: list, runs: list, arguments, connections: int) -> str:
    return "\n".join(
        [
            "<!-- Made by `scripts/bench --write`. -->",
            "# claimgate and HAProxy at the same job",
            "",
            *ratios(rows, runs),
            "",
            *table(rows, runs),
            "",
            *explanation(arguments, connections),
            "",
            *machine(),
            "",
        ]
    )


def ratios(rows: list, runs: list) -> list[str]:
    """claimgate over HAProxy, paired within each round."""
    lines = [
        "Requests per CPU second, claimgate / HAProxy: above 1, claimgate needs less CPU. Median of the",
        "rounds' ratios, with the least and the greatest.",
        "",
        "| job | claimgate / HAProxy | min-max |",
        "| --- | --: | --: |",
    ]
    quiet = {(row.proxy, row.job): run for row, run in zip(rows, runs) if not row.is_logging}
    for job in dict.fromkeys(row.job for row in rows):
        pairs = zip(quiet["claimgate", job], quiet["HAProxy", job])
        found = [ours.per_cpu_second / theirs.per_cpu_second for ours, theirs in pairs]
        lines.append(f"| {job} | {statistics.median(found):.2f} | {min(found):.2f}-{max(found):.2f} |")
    return lines


def table(rows: list, runs: list) -> list[str]:
    lines = [
        "| job | proxy | req/s | req/cpu-s | min-max | µs cpu/req | p50 ms | p99 ms | others |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for row, row_runs in zip(rows, runs):
        per_cpu = [run.per_cpu_second for run in row_runs]

        def median(value) -> float:
            return statistics.median(map(value, row_runs))

        cells = [
            row.job,
            row.proxy + (", access log on" if row.is_logging else ""),
            f"{median(lambda run: run.per_second):,.0f}",
            f"{statistics.median(per_cpu):,.0f}",
            f"{min(per_cpu):,.0f}-{max(per_cpu):,.0f}",
            f"{median(lambda run: 1e6 / run.per_cpu_second):.1f}",
            f"{median(lambda run: run.p50_ms):.2f}",
            f"{median(lambda run: run.p99_ms):.2f}",
            f"{median(lambda run: run.others[0]):.0%}, {median(lambda run: run.others[1]):.0%}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def explanation(arguments, connections: int) -> list[str]:
    return f"""\
## What was measured
- Rounds: {arguments.rounds}, of {arguments.seconds} s for each row, interleaved, every other round in the opposite order; the values are
  medians. Each run starts the proxy anew, checks that it does its job, and warms it up for a second.
- The proxy has one CPU, which one worker thread uses (`workers: 1`, `nbthread 1`); wrk and the upstream
  (nginx, a body of 109 bytes) share another. Loopback, HTTP/1.1, {connections} connections, kept alive on both sides.
- req/cpu-s are the requests over the CPU seconds (user and system, all threads) of the proxy alone. It is
  the number to trust: req/s and latencies suffer when other programs or the load need the CPUs.
- {arguments.users:,} distinct tokens, one for each user, sent in turn; the same requests for both proxies, and for
  the pass-throughs too. HS256, RS256 with 2048 bits, ES256.
- The job: `alg`, signature, `exp`, `iss` and `aud` are checked; `x-sub` and `x-name` are removed from what
  the client sent and set from the claims. Checked before every run: nine bad tokens get 401, a good one
  passes, and the upstream sees both headers from the claims and not the client's.
- Neither proxy writes a log, but in the row that says so: there, claimgate writes one line of JSON for
  each request to /dev/null.
- Beyond the job, claimgate finds the domain and the route, sets X-Forwarded-*, x-fc-request-id and
  traceparent, refuses duplicate claim names, counts metrics and bounds sizes and times; HAProxy here has
  three timeouts and no more. `plain` is a pass-through: claimgate does these there too, without a token.
- others: the shares of the proxy's CPU and of the load's that neither proxy, load nor upstream took. Where
  they are over a few per cent the machine had other work, and req/s and latencies say nothing.""".splitlines()


def machine() -> list[str]:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    openssl = re.search(r"Running on OpenSSL version : (.*)", output("haproxy", "-vv"))
    lines = [
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}",
        f"{output(CLAIMGATE, '--version')}, revision {os.environ['REVISION']}",
        f"{first_line('haproxy', '-v')}, {openssl[1] if openssl else 'OpenSSL unknown'}",
        first_line("nginx", "-v"),
        first_line("wrk", "-v").partition(" [")[0],
    ]
    return ["## Machine and versions", *(f"- {line}" for line in lines)]


def first_line(*command) -> str:
    return output(*command).splitlines()[0]


def output(*command) -> str:
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=10)
    return done.stdout.strip() or "unknown"
