"""A gateway whose program is replaced while it serves."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from support.gateway import Gateway
from support.process import is_alive, wait_until

UPGRADED = "upgraded: the new process serves, requests in flight are finished"
FAILED = "the upgrade failed, and this process goes on serving"
ACTIVATE = Path(__file__).with_name("activate.py")


def launcher(**named: socket.socket) -> dict:
    """What starts a program with sockets."""
    pairs = [f"{name}={listener.fileno()}" for name, listener in named.items()]
    files = [listener.fileno() for listener in named.values()]
    return {"launcher": [sys.executable, str(ACTIVATE), *pairs, "--"], "pass_fds": files}


class UpgradableGateway(Gateway):
    """Started by a symbolic link, as a package manager may install programs; `pid` is the process that serves."""

    def __init__(self, folder: Path, *arguments, **more):
        program, self.binary = self.binary, folder / "claimgate"
        self.binary.symlink_to(program)
        self._successors: list[int] = []
        super().__init__(folder, *arguments, **more)

    @property
    def pid(self) -> int:
        return self._successors[-1] if self._successors else self.process.pid

    def signal(self, number: int):
        os.kill(self.pid, number)

    def upgrade(self) -> int:
        """Has a new process take over; gives the old one's number."""
        before, old = len(self.log), self.pid
        self.signal(signal.SIGUSR2)
        line = self.wait_for_log(lambda line: line.get("message") == UPGRADED, before, timeout=60)
        self._successors.append(line["pid"])
        atexit.register(kill, line["pid"])
        return old

    def fail_to_upgrade(self) -> tuple[str, list[str]]:
        """Why a new process did not take over, as the log has it, and what that process said in plain text."""
        before = len(self.log)
        self.signal(signal.SIGUSR2)
        line = self.wait_for_log(lambda line: line.get("message", "").startswith(FAILED), before, timeout=60)
        said = [line for line in self.lines if not line.startswith("{")]
        self.lines[:] = [line for line in self.lines if line.startswith("{")]
        return line["message"].removeprefix(FAILED + ": "), said

    def wait_for_end(self, pid: int, timeout: float = 60):
        """Waits for a process that was replaced to end."""
        if pid == self.process.pid:
            assert self.process.wait(timeout) == 0
        else:
            wait_until(lambda: not is_alive(pid), timeout)

    def stop(self) -> int:
        # The last one first, so that it is not the last that has the log.
        for pid in reversed(self._successors):
            kill(pid, signal.SIGTERM)
            wait_until(lambda: not is_alive(pid))
        return super().stop()


def kill(pid: int, number: int = signal.SIGKILL):
    """Signals a process that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Load:
    """A steady load on a gateway."""

    def __init__(self, address: tuple[str, int], *options: str):
        host, port = address
        command = [sys.executable, str(Path(__file__).with_name("load.py")), "--address", f"{host}:{port}", *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self._process.kill)
        assert self._process.stdout.readline() == "under way\n"

    def finish(self) -> dict:
        """Ends it; gives what it tells."""
        output, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0
        return json.loads(output)
