"""What scripts/bench-scale found, as text."""

import statistics
from argparse import Namespace

from explanation import computer_and_claimgate
from many_domains import FEW, KEYS, Domains, Started
from paced import CONNECTIONS, Seen
from slow_load import CACHE_BYTES, RATE, SLOW_CONNECTIONS, Slow, Together
from slow_load import CONNECTIONS as STEADY_CONNECTIONS


def markdown(results: dict, options: Namespace) -> str:
    sections = [["<!-- Made by `scripts/bench-scale --write`. -->", "# claimgate with very many domains, at rest and beside slow signatures"]]
    if "rest" in results:
        sections.append(rest(results["rest"]))
    if "domains" in results:
        sections.append(domains(results["domains"], options))
    if "slow" in results:
        sections.append(slow(results["slow"], options))
    sections.append(["## Machine and version", "", *(f"- {line}" for line in computer_and_claimgate())])
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def rest(it) -> list[str]:
    times = sorted(1000 * seconds for seconds in it.ready_seconds)
    return [
        "## At rest",
        "",
        "With 100 domains, each with a JWKS of one RSA key of 2048 bits, `workers: 1`.",
        "",
        "| | found | goal |",
        "| --- | --: | --: |",
        f"| from start to ready, median of {len(times)} | {statistics.median(times):.0f} ms "
        f"({times[0]:.0f}-{times[-1]:.0f}) | under 100 ms |",
        f"| memory at rest | {it.memory_kib / 1024:.1f} MiB | under 30 MiB |",
        f"| binary | {it.binary_bytes / 2**20:.1f} MiB | under 25 MiB |",
    ]


def domains(it: Domains, options: Namespace) -> list[str]:
    reloads, many = it.reloads, it.started[-1]
    return [
        "## Very many domains",
        "",
        f"Each domain with authentication has a JWKS of one RSA key of 2048 bits; {KEYS} keys serve all domains in",
        "turn, and each domain keeps its own copy. One CPU, `workers: 1`.",
        "",
        "| domains | authentication | file MiB | ready s | memory MiB | most while loading MiB | each domain asked MiB |",
        "| --: | --- | --: | --: | --: | --: | --: |",
        *map(started_row, it.started),
        "",
        f"**Memory for each domain: {it.bytes_for_each('loaded_kib') / 1024:.1f} KiB** (goal: under 8 KiB), "
        f"{it.bytes_for_each('asked_kib') / 1024:.1f} KiB once it was asked, and "
        f"{it.bytes_for_each('peak_kib') / 1024:.1f} KiB at most while loading:",
        f"the difference between {many.domains:,} domains and {FEW}, over their number.",
        "",
        f"### Latency at {it.rate:,} requests a second",
        "",
        f"Half of what {FEW} domains answer with every token verified (the cache of verified tokens is off). Each",
        f"request goes to another domain, in random order, over {CONNECTIONS} kept connections, each of which pauses between",
        f"its requests, unevenly and just so long that the rate is met (wrk; h2load knows one domain only). {rounds(options)}",
        "",
        "| domains | authentication | answered req/s | p50 ms | p99 ms | µs cpu/req | CPU | others |",
        "| --: | --- | --: | --: | --: | --: | --: | --: |",
        *(latency_row(f"{each.domains:,} | {each.authentication}", each.runs) for each in it.started),
        latency_row(f"{many.domains:,}, reloading | jwt", reloads.runs),
        "",
        f"While reloading, {reloads.completed} reloads followed on each other, of {reloads.seconds:.1f} s each (median) on the same core as",
        f"the requests. Memory before: {reloads.before_kib / 1024:,.0f} MiB, after: {reloads.after_kib / 1024:,.0f} MiB.",
    ]


def started_row(it: Started) -> str:
    cells = [
        f"{it.domains:,}",
        it.authentication,
        f"{it.file_bytes / 2**20:.1f}",
        f"{it.ready_seconds:.2f}",
        *(f"{kib / 1024:,.0f}" for kib in (it.loaded_kib, it.peak_kib, it.asked_kib)),
    ]
    return f"| {' | '.join(cells)} |"


def latency_row(name: str, runs: list[Seen]) -> str:
    cells = [
        name,
        f"{statistics.median(run.per_second for run in runs):,.0f}",
        f"{statistics.median(run.load.p50_ms for run in runs):.2f}",
        f"{statistics.median(run.load.p99_ms for run in runs):.2f}",
        f"{statistics.median(1e6 * run.cpu_share / run.per_second for run in runs):.1f}",
        f"{statistics.median(run.cpu_share for run in runs):.0%}",
        f"{statistics.median(run.others_share for run in runs):.0%}",
    ]
    return f"| {' | '.join(cells)} |"


def slow(it: Slow, options: Namespace) -> list[str]:
    return [
        "## Slow signatures on the same core",
        "",
        f"Two steady loads of {RATE} requests a second, over {STEADY_CONNECTIONS} connections each: HS256 tokens that are new each time, and",
        f"one RS256 token that is remembered. Beside them, as fast as it goes over {SLOW_CONNECTIONS} connections, new tokens",
        "of ES512 and of RS512 with 4096 bits, two to one. One CPU, `workers: 1`,",
        f"`verifiedTokenCacheBytes: {CACHE_BYTES}`. {rounds(options)} Goal: p99 under 5 ms.",
        "",
        "| load | requests | req/s | p50 ms | p99 ms | worst p99 ms | CPU | others |",
        "| --- | --- | --: | --: | --: | --: | --: | --: |",
        *steady_rows("alone", it.alone),
        *steady_rows("beside slow ones", it.beside),
        row("beside slow ones", "the slow ones", it.beside, [run.slow for run in it.beside]),
    ]


def steady_rows(name: str, runs: list[Together]) -> list[str]:
    return [
        row(name, "HS256, new", runs, [run.hs256 for run in runs]),
        row(name, "RS256, remembered", runs, [run.remembered for run in runs]),
    ]


def row(name: str, requests: str, runs: list[Together], loads: list) -> str:
    cells = [
        name,
        requests,
        f"{statistics.median(load.requests / load.seconds for load in loads):,.0f}",
        f"{statistics.median(load.p50_ms for load in loads):.2f}",
        f"{statistics.median(load.p99_ms for load in loads):.2f}",
        f"{max(load.p99_ms for load in loads):.2f}",
        f"{statistics.median(run.cpu.cpu_share for run in runs):.0%}",
        f"{statistics.median(run.cpu.others_share for run in runs):.0%}",
    ]
    return f"| {' | '.join(cells)} |"


def rounds(options: Namespace) -> str:
    return (
        f"Medians of {options.rounds} rounds of {options.seconds} s; `CPU` is the share of the core that claimgate took, "
        "`others` the share that other programs took: where it is not near 0, latencies say little."
    )
