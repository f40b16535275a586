"""Functions that the gateway runs as processes, seen from outside."""

import re
import sys
import threading
import time
from pathlib import Path

import httpx

from support.configuration import configuration, domain
from support.gateway import Gateway
from support.http1 import Response

FUNCTION = Path(__file__).with_name("process_function.py")


def process(notes: Path, env: dict | None = None, name: str = "orders", **fields) -> dict:
    """A function that notes its starts and requests in a folder."""
    command = [sys.executable, str(FUNCTION)]
    return {
        "functionName": name,
        "process": {"command": command, "cwd": str(notes), "env": {"NOTES": str(notes), **(env or {})}, **fields},
    }


def with_processes(*functions: dict, **gateway) -> dict:
    """Everything goes to the function `orders`, or to the one whose name is the first segment of the path."""
    routes = [{"path": "/*", "functionName": "orders"}]
    names = [function["functionName"] for function in functions]
    routes += [{"path": f"/{name}/*", "functionName": name} for name in names if name != "orders"]
    return configuration([domain(routes=routes)], list(functions), **gateway)


def notes(folder: Path, name: str) -> list[str]:
    file = folder / name
    return file.read_text().splitlines() if file.exists() else []


def starts(folder: Path) -> list[int]:
    """The numbers of the processes that were started, in order."""
    return [int(line) for line in notes(folder, "starts")]


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(holds, timeout: float = 60):
    """Waits until `holds()`, which is asked again and again."""
    end = time.monotonic() + timeout
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
    return found


def metric(gateway: Gateway, name: str, function: str = "orders") -> int:
    """A metric of a function."""
    host, port = gateway.admin
    text = httpx.get(f"http://{host}:{port}/metrics", trust_env=False, timeout=20).text
    found = re.search(rf'^claimgate_function_{name}{{function="{function}"}} (\d+)$', text, re.MULTILINE)
    return int(found[1]) if found else 0


class Request:
    """A request on its way, on a thread and a connection of its own."""

    def __init__(self, gateway: Gateway, target: str = "/", **more):
        self._answers: list[Response] = []
        self._thread = threading.Thread(
            target=lambda: self._answers.append(gateway.get(target, **more)), daemon=True
        )
        self._thread.start()

    @property
    def is_waiting(self) -> bool:
        return self._thread.is_alive()

    def answer(self) -> Response:
        self._thread.join(60)
        assert self._answers, "no answer"
        return self._answers[0]
