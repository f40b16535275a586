"""Measures claimgate with very many domains, at rest and beside slow signatures; see scripts/bench-scale."""

import contextlib
import os
import signal
import sys
import tempfile
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import many_domains
import scale_arguments
import scale_report
import slow_load
import targets
import tokens
from paced import Cpus
from processes import listening
from served import serving

REST_DOMAINS = 100
STARTS = 9


@dataclass
class Rest:
    """A claimgate with 100 domains that does nothing."""

    ready_seconds: list[float]
    memory_kib: int
    binary_bytes: int


def main(options: Namespace) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.exit("two CPUs are needed: one for claimgate, one for load and upstream")
    cpus = Cpus(cpus[0], cpus[1])
    os.environ["PATH"] += ":/usr/sbin"
    # So that SIGTERM ends what was started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimgate-scale-")))
        command = targets.upstream_command(directory)
        _, upstream = stack.enter_context(listening(cpus.load, command, directory / "upstream.log"))
        results = {}
        for part in options.parts:
            print(f"{part} …", file=sys.stderr, flush=True)
            measured = {"rest": at_rest, "domains": many_domains.measure, "slow": slow_load.measure}[part]
            results[part] = measured(options, cpus, directory, upstream)
    text = scale_report.markdown(results, options)
    print(text)
    if options.write:
        (targets.HERE / "SCALE.md").write_text(text)


def at_rest(options: Namespace, cpus: Cpus, directory: Path, upstream: int) -> Rest:
    issuers = [tokens.issuer("RS256", directory) for _ in range(10 if options.smoke else REST_DOMAINS)]
    configuration = directory / "rest.json"
    configuration.write_text(many_domains.written(REST_DOMAINS, "jwt", issuers, upstream))
    times = []
    for _ in range(1 if options.smoke else STARTS):
        with serving(cpus.gateway, configuration) as served:
            times.append(served.ready_seconds)
            time.sleep(1)
            memory = served.memory_kib()
    return Rest(times, memory, Path(targets.CLAIMGATE).stat().st_size)


if __name__ == "__main__":
    try:
        main(scale_arguments.parse())
    except KeyboardInterrupt:
        sys.exit(130)
