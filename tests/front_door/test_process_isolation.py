"""What a process function can see of the gateway that started it, and how much it can print."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.configuration import configuration, domain
from support.gateway import BINARY, Gateway
from support.process import metric, wait_until, with_processes
from support.upgrade import UpgradableGateway

SYSTEM_PYTHON = "/usr/bin/python3"
NOBODY = 65534
SECRET = secrets.token_hex(16)
#: Variables of the gateway whose values no function may find, anywhere.
SECRETS = {
    "CLAIMGATE_ACCESS_KEY_SECRET": SECRET,
    "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}",
    "PGPASSWORD": SECRET,
}
KEY = "S" * 42 + "A="

#: Looks at everything of its parent in /proc, and at what it was given itself.
SPY = r"""
import http.server, json, os, subprocess
def look(name):
    try:
        with open(name, "rb") as file:
            return "opened" if name.endswith("/mem") else file.read(1 << 20).decode("latin-1")
    except OSError as error:
        return type(error).__name__
def listing(name):
    try:
        return [os.readlink(f"{name}/{entry}") for entry in os.listdir(name)]
    except OSError as error:
        return type(error).__name__
class Spy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        parent = f"/proc/{os.getppid()}"
        status = dict(line.split(":\t") for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
        body = json.dumps({
            **{name: look(f"{parent}/{name}") for name in ("environ", "mem", "maps", "auxv", "io")},
            "fd": listing(f"{parent}/fd"), "pid": os.getpid(), "group": os.getpgid(0), "uid": os.getuid(),
            "cwd": os.getcwd(), "files": os.listdir("."), "own_environ": dict(os.environ),
            "stdin": os.readlink("/proc/self/fd/0"), "status": status,
        }).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Spy).serve_forever()
"""


def spy(**fields) -> dict:
    return {"functionName": "orders", "process": {"command": [SYSTEM_PYTHON, "-c", SPY], **fields}}


@contextmanager
def running(function: dict, uid: int, kind=Gateway, **more):
    """A gateway with a store whose key is in its environment, as some user."""
    if os.geteuid() != uid and os.geteuid() != 0:
        pytest.skip("needs root")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    os.chmod(folder, 0o755)
    # Nobody may look into the folder of the build.
    binary = folder / "claimgate"
    shutil.copy(BINARY, binary)
    written = with_processes(function) | {"store": {"sqlite": "claimgate.db"}}
    state = folder / "state"
    state.mkdir()
    os.chown(state, uid, uid)
    as_user = [] if os.geteuid() == uid else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]

    class AsUser(kind):
        pass

    AsUser.binary = binary
    env = {**SECRETS, "CLAIMGATE_STORE_KEY": KEY, **more.pop("env", {})}
    gateway = AsUser(state, written, launcher=as_user, env=env, **more)
    try:
        yield gateway
        assert gateway.stop() == 0
    finally:
        gateway.process.kill()
        shutil.rmtree(folder)


users = pytest.mark.parametrize("uid", [0, NOBODY], ids=["as root", "as another user"])


def check_sees_nothing(seen: dict):
    for name in ("environ", "mem", "maps", "auxv", "io", "fd"):
        assert seen[name] == "PermissionError", name
    assert KEY not in str(seen) and SECRET not in str(seen)


@users
def test_a_function_cannot_look_into_the_gateway(uid):
    with running(spy(), uid) as gateway:
        seen = gateway.get().json()
        assert seen["uid"] == uid
        check_sees_nothing(seen)


@users
def test_a_function_has_no_capabilities_and_gains_none(uid):
    with running(spy(), uid) as gateway:
        status = gateway.get().json()["status"]
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[kind], 16) == 0, kind
        assert status["NoNewPrivs"] == "1"


@users
def test_the_secrets_are_in_no_environment_and_an_upgrade_keeps_them(uid):
    with running(spy(), uid, kind=UpgradableGateway) as gateway:
        for _ in range(2):
            environment = Path(f"/proc/{gateway.pid}/environ").read_bytes()
            assert KEY.encode() not in environment and SECRET.encode() not in environment
            assert b"PATH=" in environment
            # The store is open, so the key was found.
            assert gateway.get().status == 200
            check_sees_nothing(gateway.get().json())
            gateway.upgrade()


def test_the_process_keeps_its_id_and_name(serve):
    gateway = serve(with_processes(spy()), env={"ANY": SECRET})
    assert Path(f"/proc/{gateway.process.pid}/comm").read_text() == BINARY.name[:15] + "\n"
    assert Path(f"/proc/{gateway.process.pid}/cmdline").read_bytes().split(b"\0")[:2] == [bytes(BINARY), b"serve"]


@users
def test_a_function_works_in_an_empty_folder_of_its_own(uid):
    with running(spy(), uid) as gateway:
        seen = gateway.get().json()
        folder = Path(seen["cwd"])
        assert seen["files"] == []
        assert gateway.file.parent not in [folder, *folder.parents]
        assert (folder.stat().st_mode & 0o777, folder.stat().st_uid, folder.name) == (0o700, uid, "orders")
        assert seen["stdin"] == "/dev/null"
        assert seen["group"] == seen["pid"]
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_folder_is_the_users():
    with running(spy(user="nobody"), 0) as gateway:
        seen = gateway.get().json()
        check_sees_nothing(seen)
        assert (seen["uid"], Path(seen["cwd"]).stat().st_uid) == (NOBODY, NOBODY)


def test_a_folder_that_is_configured_is_used(serve, tmp_path):
    assert serve(with_processes(spy(cwd=str(tmp_path)))).get().json()["cwd"] == str(tmp_path)


def test_check_warns_of_files_that_the_function_would_not_find(tmp_path):
    (tmp_path / "app.py").write_text("")
    function = {"functionName": "orders", "process": {"command": ["python3", "app.py"]}}
    file = tmp_path / "claimgate.json"
    file.write_text(json.dumps(configuration([domain()], [function])))
    checked = subprocess.run([BINARY, "check", "--config", file], capture_output=True, text=True)
    assert checked.returncode == 0
    assert "app.py is a file in" in checked.stderr and "process.cwd" in checked.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_gateway_that_is_root_warns_of_functions_that_would_be_root_too(serve):
    warned = serve(with_processes(spy())).wait_for_log(lambda line: "runs as root" in line.get("message", ""))
    assert warned["level"] == "WARN" and "the function orders: process.user" in warned["message"]
    silent = serve(with_processes(spy(user="nobody")))
    assert not any("runs as root" in line.get("message", "") for line in silent.log)


# --- Output ---

#: Prints as fast as it can, between requests too.
CHATTER = r"""
import http.server, os, sys, threading
def chatter():
    while True:
        os.write(int(os.environ["STREAM"]), os.environ["TEXT"].encode() * 1000)
        global rounds; rounds += 1
class Chatter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(rounds).encode()
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
rounds = 0
threading.Thread(target=chatter, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Chatter).serve_forever()
"""


@pytest.mark.parametrize("text", ["y\n", "x" * 100, "long " * 2000 + "\n"], ids=["short lines", "no lines", "long lines"])
@pytest.mark.parametrize("stream", [1, 2])
def test_a_function_that_prints_without_end_is_logged_in_part_and_counted(serve, tmp_path, text, stream):
    process = {"command": [SYSTEM_PYTHON, "-c", CHATTER], "cwd": str(tmp_path), "env": {"STREAM": str(stream), "TEXT": text}}
    # Lines over 4 KiB and those of the access log come between each other in a pipe.
    gateway = serve(with_processes({"functionName": "orders", "process": process}, accessLog="none"))
    rounds = int(gateway.get().body)
    said = gateway.wait_for_log(lambda line: line.get("message", "").startswith("function output dropped"))
    assert said["function"] == "orders" and said["lines"] > 0 and said["bytes"] >= said["lines"]
    # It went on printing, and answers.
    wait_until(lambda: int(gateway.get().body) > rounds + 10)
    dropped = metric(gateway, "output_dropped_lines_total")
    assert dropped >= said["lines"] and metric(gateway, "output_dropped_bytes_total") >= said["bytes"]
    logged = [line["line"] for line in gateway.log if line.get("message") == "function output"]
    assert all(len(line) <= 8192 for line in logged)
    # What is logged does not depend on how fast it prints: bursts and what seconds allow.
    assert len(logged) < 20_000 and sum(map(len, logged)) < 8_000_000
    assert dropped > len(logged)


def test_usual_output_is_logged_in_full(serve, tmp_path):
    program = CHATTER.replace("while True:", "for _ in range(1):").replace("* 1000", "")
    lines = "".join(f"line {number}\n" for number in range(1500))
    process = {"command": [SYSTEM_PYTHON, "-c", program], "cwd": str(tmp_path), "env": {"STREAM": "1", "TEXT": lines}}
    gateway = serve(with_processes({"functionName": "orders", "process": process}))
    assert gateway.get().status == 200
    gateway.wait_for_log(lambda line: line.get("line") == "line 1499")
    logged = [line["line"] for line in gateway.log if line.get("message") == "function output"]
    assert logged == lines.split("\n")[:-1]
    assert metric(gateway, "output_dropped_lines_total") == 0
