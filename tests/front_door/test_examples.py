"""The functions of `examples/` behind a gateway: the claim arrives, though none of them looks at a token.
And the walkthrough, which prints what its README shows.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.configuration import configuration, domain, function, jwt
from support.gateway import BINARY, REPOSITORY
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


def test_the_walkthrough_prints_what_its_readme_shows(tmp_path):
    command = tmp_path / "bin/claimgate"
    command.parent.mkdir()
    command.symlink_to(BINARY)
    ports = {f"{name}_PORT": "0" for name in ("GATEWAY", "AUTHORIZER", "FUNCTION")}
    folder = tmp_path / "walkthrough"
    script = REPOSITORY / "examples/walkthrough/run"
    done = subprocess.run(
        [script, folder],
        env={**os.environ, **ports, "CLAIMGATE": str(command)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = (script.parent / "README.md").read_text().split("```\n")[2]
    assert without_ports(done.stdout) == without_ports(shown)
    excerpt = next(
        block for block in (REPOSITORY / "README.md").read_text().split("```\n") if "# 1. The client logs in" in block
    )
    assert set(excerpt.splitlines()) <= set(shown.splitlines())
    for log in ("gateway.log", "authorizer.log"):
        text = (folder / log).read_text()
        assert "winter" not in text and not re.search(r"eyJ[A-Za-z0-9_-]{8,}\.", text), log


def without_ports(text: str) -> str:
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)


def test_the_walkthrough_needs_an_empty_folder_and_the_binary(tmp_path):
    script = REPOSITORY / "examples/walkthrough/run"
    for environment, said in [({"CLAIMGATE": str(BINARY)}, "File exists"), ({"CLAIMGATE": "/nowhere"}, "is not there")]:
        done = subprocess.run([script, tmp_path], env={**os.environ, **environment}, capture_output=True, text=True)
        assert done.returncode != 0 and said in done.stderr and done.stdout == ""


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
