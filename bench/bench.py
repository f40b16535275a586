"""Measures claimgate against others at the same job; see scripts/bench."""

import contextlib
import os
import resource
import signal
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

import arguments
import report
import rows
import targets
import tokens
from measure import Bench, Run
from processes import listening


def main(options: Namespace) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.exit("two CPUs are needed: one for the proxy, one for load and upstream")
    os.environ["PATH"] += ":/usr/sbin"
    # For the connections of all proxies with the upstream.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # So that SIGTERM ends what was started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimgate-bench-")))
        issuers, strangers = make_issuers(options.algorithms, directory)
        if options.list:
            listed = rows.all_rows(options, issuers, directory, upstream=0)
            print("\n".join(row.name for row in listed))
            return
        upstream_pid, upstream_port = stack.enter_context(
            listening(cpus[1], targets.upstream_command(directory), directory / "upstream.log")
        )
        bench = Bench(
            directory,
            options.seconds,
            options.users,
            options.smoke,
            cpus[0],
            cpus[1],
            upstream_pid,
            issuers,
            strangers,
        )
        for algorithm, issuer in issuers.items():
            lines = [issuer.sign(user) + "\n" for user in range(options.users)]
            bench.tokens(algorithm).write_text("".join(lines))
        measured = rows.all_rows(options, issuers, directory, upstream_port)
        rates = {}
        if "latency" in options.parts:
            rates = {name: half_of_peak(bench, issuer, upstream_port) for name, issuer in issuers.items()}
        runs = measure(bench, measured, rates, options.rounds)
    text = report.markdown(measured, runs, rates, options)
    print(text)
    if options.write:
        (targets.HERE / "RESULTS.md").write_text(text)


def make_issuers(algorithms: list[str], directory: Path) -> tuple[dict, dict]:
    """Who signs the tokens, and who signs with keys that nobody trusts."""
    elsewhere = directory / "strangers"
    elsewhere.mkdir()
    issuers = {algorithm: tokens.issuer(algorithm, directory) for algorithm in algorithms}
    return issuers, {algorithm: tokens.issuer(algorithm, elsewhere) for algorithm in algorithms}


def half_of_peak(bench: Bench, issuer: tokens.Issuer, upstream_port: int) -> int:
    """Half the requests a second that claimgate answers when it verifies every token."""
    row = rows.of_claimgate("latency", issuer, "uncached", bench.directory, upstream_port)
    with contextlib.ExitStack() as stack:
        run = bench.run(bench.start(stack, row))
    print(f"peak:    {report.progress(row, run)}", file=sys.stderr, flush=True)
    return int(run.per_second / 2)


def measure(bench: Bench, measured: list[rows.Row], rates: dict[str, int], rounds: int) -> list[list[Run]]:
    runs: list[list[Run]] = [[] for _ in measured]
    for part in dict.fromkeys(row.part for row in measured):
        with contextlib.ExitStack() as stack:
            # All at once, so that those to be compared are measured within seconds of each other.
            live = [(runs[index], bench.start(stack, row)) for index, row in enumerate(measured) if row.part == part]
            for number in range(1, rounds + 1):
                # Every other round in the opposite order, so that a drift hits both sides.
                for its, one in live[:: 1 if number % 2 else -1]:
                    its.append(bench.run(one, rates[one.row.algorithm] if part == "latency" else None))
                    print(f"round {number}: {report.progress(one.row, its[-1])}", file=sys.stderr, flush=True)
    return runs


if __name__ == "__main__":
    try:
        main(arguments.parse())
    except KeyboardInterrupt:
        sys.exit(130)
