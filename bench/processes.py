"""Starts processes on a chosen CPU, waits until they listen, ends them, reads the CPU time and memory they took."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_ATTEMPTS = 5
START_SECONDS = 10
STOP_SECONDS = 10


class NotStarted(Exception):
    """A process ended, or did not listen in time."""


def free_port() -> int:
    """A port that nothing uses at this moment; somebody else may take it before we do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def listening(
    cpu: int,
    command: Callable[[int], list],
    log: Path | None,
    environment: dict | None = None,
    start_seconds: int = START_SECONDS,
) -> Iterator[tuple[int, int]]:
    """Runs what `command` makes of a port, pinned to a CPU; gives its process id and the port.

    Standard error goes to the file `log`, or nowhere. Begins anew with another port when the process
    does not come up, as somebody else may have taken the port.
    """
    for attempt in range(START_ATTEMPTS):
        port = free_port()
        with open(log or os.devnull, "wb") as errors:
            # taskset becomes the command, so that the process id is the command's own.
            process = subprocess.Popen(
                ["taskset", "-c", str(cpu), *map(str, command(port))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | (environment or {}),
            )
        try:
            if accepts(process, port, start_seconds):
                yield process.pid, port
                return
        finally:
            end(process)
    said = log.read_text(errors="replace") if log else ""
    raise NotStarted(f"{process.args} does not come up: {said}")


def accepts(process: subprocess.Popen, port: int, seconds: int) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            # If it was somebody else who accepted, our own process ends over the taken port.
            time.sleep(0.1)
            return process.poll() is None
        time.sleep(0.02)
    return False


def end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """Time that the threads of a process have run for, in user space and in the kernel."""
    # By the scheduler, in nanoseconds: the ticks of /proc/<pid>/stat are a hundredth of a short run.
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def peak_memory_mib(pid: int) -> float:
    """The most memory that a process has had resident so far."""
    return memory_kib(pid, "VmHWM") / 1024


def memory_kib(pid: int, field: str) -> int:
    """A size in KiB from a process's status (proc(5)): `VmRSS` is resident now, `VmHWM` the most so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise LookupError(f"no {field} of process {pid}")


def busy_seconds(cpu: int) -> float:
    """Time that a CPU has spent for processes, whoever's, and that the hypervisor took."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{cpu}":
            user, nice, system, _idle, _iowait, _irq, _softirq, steal, *_ = map(int, ticks)
            return (user + nice + system + steal) / TICKS_PER_SECOND
    raise LookupError(f"no CPU {cpu}")
