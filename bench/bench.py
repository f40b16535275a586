"""Measures claimgate against HAProxy; see scripts/bench."""

import argparse
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import report
import targets
import tokens
from processes import busy_seconds, cpu_seconds, listening

ALGORITHMS = ["HS256", "RS256", "ES256"]
CONNECTIONS = 64
WARM_UP_SECONDS = 1


@dataclass
class Run:
    """One measurement of one target."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu: float
    """Seconds of CPU that the proxy took."""
    others: list[float]
    """Shares of the proxy's CPU and of the load's CPU that neither proxy, load nor upstream took."""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.requests / self.cpu


@dataclass
class Bench:
    """What all runs share."""

    directory: Path
    seconds: int
    proxy_cpu: int
    load_cpu: int
    upstream_pid: int
    issuers: dict[str, tokens.Issuer]
    strangers: dict[str, tokens.Issuer]

    def run(self, target: targets.Target) -> Run:
        """Starts a target, checks that it does its job, and measures it."""
        log = None if target.is_logging else self.directory / "proxy.log"
        # A pass-through gets the same bytes as the others.
        algorithm = ALGORITHMS[0] if target.job == "plain" else target.job
        with listening(self.proxy_cpu, target.command, log, target.environment) as (pid, port):
            targets.check(target, port, self.issuers[algorithm], self.strangers[algorithm])
            self.load(port, algorithm, WARM_UP_SECONDS)
            before = self.times(pid)
            measured = self.load(port, algorithm, self.seconds)
            proxy, load, upstream, on_proxy_cpu, on_load_cpu = map(
                lambda after, before: after - before, self.times(pid), before
            )
        if measured["refused"] or measured["broken"]:
            raise targets.NotTheSameJob(f"{target.proxy} {target.job}: {measured}")
        others = [on_proxy_cpu - proxy, on_load_cpu - load - upstream]
        return Run(
            measured["requests"],
            measured["seconds"],
            measured["p50_ms"],
            measured["p99_ms"],
            proxy,
            [max(0.0, seconds / measured["seconds"]) for seconds in others],
        )

    def load(self, port: int, algorithm: str, seconds: int) -> dict:
        command = ["taskset", "-c", self.load_cpu, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
        command += ["-H", f"Host: {targets.HOST}", "-s", targets.HERE / "wrk.lua"]
        command += [f"http://127.0.0.1:{port}/", "--", self.directory / f"{algorithm}.tokens"]
        done = subprocess.run(
            list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 30
        )
        return json.loads(done.stdout.splitlines()[-1])

    def times(self, proxy_pid: int) -> tuple[float, ...]:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (
            cpu_seconds(proxy_pid),
            children.ru_utime + children.ru_stime,
            cpu_seconds(self.upstream_pid),
            busy_seconds(self.proxy_cpu),
            busy_seconds(self.load_cpu),
        )


def main() -> None:
    arguments = parse_arguments()
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.exit("two CPUs are needed: one for the proxy, one for load and upstream")
    os.environ["PATH"] += ":/usr/sbin"
    # So that SIGTERM ends what was started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimgate-bench-")))
        issuers = {algorithm: tokens.issuer(algorithm, directory) for algorithm in ALGORITHMS}
        strangers = {}
        for algorithm, issuer in issuers.items():
            other = directory / "strangers"
            other.mkdir(exist_ok=True)
            strangers[algorithm] = tokens.issuer(algorithm, other)
            lines = [issuer.sign(user) + "\n" for user in range(arguments.users)]
            (directory / f"{algorithm}.tokens").write_text("".join(lines))
        upstream_pid, upstream_port = stack.enter_context(
            listening(cpus[1], targets.upstream_command(directory), directory / "upstream.log")
        )
        bench = Bench(
            directory, arguments.seconds, cpus[0], cpus[1], upstream_pid, issuers, strangers
        )
        rows = targets.all_targets(list(issuers.values()), directory, upstream_port)
        runs: list[list[Run]] = [[] for _ in rows]
        for round_number in range(arguments.rounds):
            # Every other round in the opposite order, so that a drift hits both sides.
            order = list(enumerate(rows))[:: -1 if round_number % 2 else 1]
            for index, target in order:
                run = bench.run(target)
                runs[index].append(run)
                print(report.progress(round_number, target, run), file=sys.stderr, flush=True)
    text = report.markdown(rows, runs, arguments, CONNECTIONS)
    print(text)
    if arguments.write:
        (targets.HERE / "RESULTS.md").write_text(text)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures claimgate against HAProxy.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each target is measured (3)")
    parser.add_argument("--seconds", type=int, default=5, help="how long one run takes (5)")
    parser.add_argument("--users", type=int, default=1000, help="how many distinct tokens are sent in turn (1000)")
    parser.add_argument("--write", action="store_true", help="write the result to bench/RESULTS.md too")
    parser.add_argument("--smoke", action="store_true", help="one round of one second")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds, arguments.seconds = 1, 1
    return arguments


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
