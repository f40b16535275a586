"""Counts the instructions of a running process with valgrind's callgrind."""

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from processes import listening

# Reading 100,000 domains takes valgrind half a minute, and longer where other programs need the CPU.
START_SECONDS = 300
ORDER_SECONDS = 60


class NotCounted(Exception):
    """Valgrind did not say what it counted."""


class Callgrind:
    """A process under callgrind. What it does is counted between `begin` and `end` alone."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.pipes = [f"--vgdb-prefix={directory / 'vgdb'}"]
        self.pid = 0

    @contextlib.contextmanager
    def running(self, cpu: int, command: Callable[[int], list], environment: dict) -> Iterator[int]:
        """Starts what `command` makes of a port; gives the port."""

        def under_callgrind(port: int) -> list:
            # What is not counted is not instrumented either, and runs several times as fast.
            options = ["--instr-atstart=no", f"--callgrind-out-file={self.directory}/counts.%p"]
            callgrind = ["valgrind", "--tool=callgrind", *options, *self.pipes, "--vgdb-poll=100"]
            # With other variables the gateway runs itself anew, and valgrind does not go along.
            variables = [f"{name}={value}" for name, value in ({"PATH": os.environ["PATH"]} | environment).items()]
            return ["env", "-i", *variables, *callgrind, *command(port)]

        log = self.directory / "callgrind.log"
        with listening(cpu, under_callgrind, log, {}, START_SECONDS) as (self.pid, port):
            yield port

    def begin(self) -> None:
        self.tell("instrumentation on")

    def end(self) -> Path:
        """Gives the file of the counts, which callgrind_annotate reads too."""
        self.tell("instrumentation off")
        # Not at the end of the process: it would take long to free 100,000 domains.
        self.tell("dump")
        return self.directory / f"counts.{self.pid}.1"

    def tell(self, order: str) -> None:
        done = subprocess.run(
            # Valgrind itself looks for orders whenever the process does something. Without waiting for that,
            # vgdb would interrupt it by ptrace, which is not allowed everywhere.
            ["vgdb", *self.pipes, f"--pid={self.pid}", "--max-invoke-ms=0", *order.split()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=ORDER_SECONDS,
        )
        if done.returncode != 0:
            raise NotCounted(f"vgdb {order}: {done.stdout}")


def instructions(counts: Path) -> int:
    """All instructions in user space, of all threads."""
    found = re.search(r"^totals: (\d+)", counts.read_text(errors="replace"), re.MULTILINE)
    if not found:
        raise NotCounted(f"no totals in {counts}")
    return int(found[1])
