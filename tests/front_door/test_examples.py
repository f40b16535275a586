"""The functions of `examples/` behind a gateway: the claim arrives, though none of them looks at a token."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.configuration import configuration, domain, function, jwt
from support.gateway import REPOSITORY
from support.tokens import jwks, key

FUNCTIONS = REPOSITORY / "examples/functions"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
COMMANDS = {
    "Python": [sys.executable, str(FUNCTIONS / "hello.py")],
    "Node": ["node", str(FUNCTIONS / "hello.mjs")],
    "Rust": [str(TARGET / "debug/examples/hello")],
}


@pytest.mark.parametrize("language", COMMANDS)
def test_the_function_greets_whom_the_token_names(serve, start_example, language):
    url = start_example(COMMANDS[language])
    auth = jwt(jwks(key("ES256")), claim_pass_by="header:name:x-name")
    gateway = serve(configuration([domain(auth=auth)], [function(url)]))
    spoofed = [("X-Name", "Night King")]

    answer = gateway.get(token=key("ES256").token({"name": "Jörg Schnee"}), headers=spoofed)
    assert (answer.status, answer.body.decode()) == (200, f"Hello, Jörg Schnee, from {language}\n")
    assert gateway.get(headers=spoofed).status == 401


@pytest.fixture
def start_example():
    """Starts a function on a port that the system picks, and gives its URL."""
    processes = []

    def start(command: list[str]) -> str:
        process = subprocess.Popen(command, env={**os.environ, "PORT": "0"})
        processes.append(process)
        return f"http://127.0.0.1:{listening_port(process)}"

    yield start
    for process in processes:
        process.kill()
        process.wait()


def listening_port(process: subprocess.Popen) -> int:
    """The port on which a process listens, as the kernel tells it (proc(5))."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        sockets = set()
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                sockets.add(os.readlink(descriptor))
            except FileNotFoundError:
                pass  # It was closed meanwhile.
        for line in Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                return int(fields[1].rpartition(":")[2], 16)
        time.sleep(0.02)
    raise AssertionError(f"{process.args} does not listen")
