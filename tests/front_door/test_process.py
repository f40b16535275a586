"""Functions as processes: how they are started, what they are given, and how many there are."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.command import claimgate
from support.configuration import configuration, domain
from support.gateway import REPOSITORY, Gateway
from support.http1 import head
from support.process import FUNCTION, Request, is_alive, metric, notes, process, starts, wait_until, with_processes


SYSTEM_PYTHON = Path("/usr/bin/python3")


def test_the_report_of_the_design_works(serve, tmp_path_factory):
    report = {"command": ["python3", "app.py"], "cwd": "./report", "instanceConcurrency": 20}
    functions = [{"functionName": "orders", "process": report}]
    gateway = serve(configuration([domain()], functions))
    folder = gateway.file.parent / "report"
    folder.mkdir()
    (folder / "app.py").write_text((REPOSITORY / "examples/functions/hello.py").read_text())
    answer = gateway.get(headers=[("x-name", "Ann")])
    assert (answer.status, answer.body) == (200, b"Hello, Ann, from Python\n")


def test_fifty_requests_at_once_start_one_process(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, instanceConcurrency=50)))
    assert starts(tmp_path) == []
    requests = [Request(gateway) for _ in range(50)]
    answers = [request.answer() for request in requests]
    assert [answer.status for answer in answers] == [200] * 50
    assert [answer.json()["pid"] for answer in answers] == starts(tmp_path) * 50
    assert metric(gateway, "cold_starts_total") == metric(gateway, "instances") == 1
    assert metric(gateway, "crashes_total") == metric(gateway, "waiting_requests") == 0


def test_requests_that_wait_keep_their_order(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, {"START_GATE": "go"}, instanceConcurrency=1)))
    requests = []
    for number in range(8):
        requests.append(Request(gateway, f"/{number}"))
        wait_until(lambda: metric(gateway, "waiting_requests") == len(requests))
    (tmp_path / "go").touch()
    assert {request.answer().status for request in requests} == {200}
    assert notes(tmp_path, "requests") == [f"/{number}" for number in range(8)]
    assert len(starts(tmp_path)) == 1


def test_a_request_that_gave_up_holds_up_nobody(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, {"START_GATE": "go"}, instanceConcurrency=1)))
    with gateway.connect() as connection:
        connection.send(head("GET", "/given-up", [("Host", "api.example.com")]))
        wait_until(lambda: metric(gateway, "waiting_requests") == 1)
    wait_until(lambda: metric(gateway, "waiting_requests") == 0)
    request = Request(gateway, "/patient")
    wait_until(lambda: metric(gateway, "waiting_requests") == 1)
    (tmp_path / "go").touch()
    assert request.answer().status == 200
    assert notes(tmp_path, "requests") == ["/patient"]


def test_there_are_as_many_processes_as_requests_need_and_no_more_than_may_be(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, instanceConcurrency=2, maxInstances=3)))
    held = [Request(gateway, "/hold?gate=go") for _ in range(6)]
    wait_until(lambda: len(notes(tmp_path, "requests")) == 6)
    late = Request(gateway)
    wait_until(lambda: metric(gateway, "waiting_requests") == 1)
    assert len(starts(tmp_path)) == metric(gateway, "instances") == 3
    assert late.is_waiting
    (tmp_path / "go").touch()
    pids = [request.answer().json()["pid"] for request in held]
    assert sorted(pids) == sorted(starts(tmp_path) * 2)
    assert late.answer().status == 200
    assert len(starts(tmp_path)) == 3


def test_a_request_does_not_wait_for_ever(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, instanceConcurrency=1, waitTimeoutSeconds=1)))
    wait_until(lambda: gateway.get().status == 200)
    held = Request(gateway, "/hold?gate=go")
    wait_until(lambda: "/hold" in notes(tmp_path, "requests"))
    answer = gateway.get()
    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert gateway.access_line(answer)["reason"] == "instance_wait_timeout"
    (tmp_path / "go").touch()
    assert held.answer().status == 200
    assert gateway.get().status == 200


def test_only_so_many_requests_wait(serve, tmp_path):
    settings = {"instanceConcurrency": 1, "maxWaitingRequests": 1}
    gateway = serve(with_processes(process(tmp_path, {"START_GATE": "go"}, **settings)))
    waiting = Request(gateway)
    wait_until(lambda: metric(gateway, "waiting_requests") == 1)
    answer = gateway.get()
    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert gateway.access_line(answer)["reason"] == "too_many_waiting"
    (tmp_path / "go").touch()
    assert waiting.answer().status == 200


def test_a_websocket_takes_a_place_as_long_as_it_is_open(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, instanceConcurrency=1)))
    with gateway.connect() as connection:
        upgrade = [("Host", "api.example.com"), ("Connection", "upgrade"), ("Upgrade", "websocket")]
        connection.send(head("GET", "/socket", upgrade))
        assert connection.receive_head().status == 101
        connection.send(b"ping")
        assert connection.file.read(4) == b"ping"
        late = Request(gateway)
        wait_until(lambda: metric(gateway, "waiting_requests") == 1)
        assert late.is_waiting
    assert late.answer().status == 200


def test_idle_processes_are_stopped_and_started_again(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, idleTimeoutSeconds=1)))
    first = gateway.get().json()["pid"]
    wait_until(lambda: not is_alive(first))
    stopped = gateway.wait_for_log(lambda line: line.get("message") == "function instance stopped")
    assert stopped["why"] == "idle"
    assert metric(gateway, "instances") == 0
    assert gateway.get().json()["pid"] not in (None, first)
    assert metric(gateway, "crashes_total") == 0


# --- What a process is given ---


def test_the_environment_says_what_is_needed_and_no_more(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("CLAIMGATE_STORE_KEY", "a secret of the gateway")
    gateway = serve(with_processes(process(tmp_path, {"LEVEL": "debug", "LANG": "C"})))
    seen = gateway.get().json()
    environment = seen["environment"]
    port = environment["PORT"]
    assert environment["FC_SERVER_PORT"] == environment["FC_CUSTOM_LISTEN_PORT"] == port
    assert environment["FC_FUNCTION_NAME"] == "orders"
    assert (environment["LEVEL"], environment["LANG"]) == ("debug", "C")
    assert environment["PATH"] == os.environ["PATH"]
    kept = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "HOME", "USER", "LOGNAME"}
    told = {"PORT", "FC_SERVER_PORT", "FC_CUSTOM_LISTEN_PORT", "FC_FUNCTION_NAME", "FC_INSTANCE_ID"}
    assert set(environment) <= kept | told | {"NOTES", "LEVEL"}
    assert seen["cwd"] == str(tmp_path)
    assert seen["group"] == seen["pid"] != os.getpgrp()
    ready = gateway.wait_for_log(lambda line: line.get("message") == "function instance ready")
    assert (ready["instance"], ready["port"]) == (environment["FC_INSTANCE_ID"], int(port))
    assert ready["pid"] == seen["pid"]


def test_requests_carry_the_common_headers_and_none_of_the_clients(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    spoofed = [("x-fc-function-name", "admin"), ("x-fc-control-path", "/initialize"), ("x-fc-account-id", "1")]
    answer = gateway.get(headers=spoofed)
    headers = [(name.lower(), value) for name, value in answer.json()["headers"] if name.lower().startswith("x-fc-")]
    assert sorted(headers) == [
        ("x-fc-control-path", "/http-invoke"),
        ("x-fc-function-name", "orders"),
        ("x-fc-qualifier", "LATEST"),
        ("x-fc-request-id", answer.header("x-fc-request-id")),
    ]


def test_no_file_of_the_gateway_or_its_parent_is_open(tmp_path):
    secret = tmp_path / "secret"
    with secret.open("w") as file:
        folder = tmp_path / "gateway"
        folder.mkdir()
        gateway = Gateway(folder, with_processes(process(tmp_path)), pass_fds=[file.fileno()])
        files = gateway.get("/files").json()["files"]
        assert gateway.stop() == 0
    assert files.pop("0") == "/dev/null"
    for output in ("1", "2"):
        assert files.pop(output).startswith("pipe:")
    # Its own: the listener, this connection, and the folder it has just read.
    assert all(name.startswith("socket:") for name in files.values()), files


def test_each_process_gets_a_port_of_its_own(serve, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    gateway = serve(with_processes(process(one), process(two, name="other")))
    answers = [gateway.get().json(), gateway.get("/other/").json()]
    assert [answer["environment"]["FC_FUNCTION_NAME"] for answer in answers] == ["orders", "other"]
    assert len({answer["environment"]["PORT"] for answer in answers}) == 2


def test_a_fixed_port_is_used_and_waited_for(serve, tmp_path, start_function):
    taken = start_function(lambda *_: True)
    port = taken.address[1]
    gateway = serve(with_processes(process(tmp_path, port=port)))
    request = Request(gateway)
    wait_until(lambda: metric(gateway, "instances") == 1)
    gateway.wait_for_log(lambda line: "the port is taken" in line.get("message", "") and line["port"] == port)
    assert request.is_waiting and starts(tmp_path) == [] and taken.requests == []
    taken.close()
    assert request.answer().json()["environment"]["PORT"] == str(port)
    assert taken.requests == []


@pytest.mark.skipif(os.geteuid() != 0 or not SYSTEM_PYTHON.exists(), reason="needs root")
@pytest.mark.parametrize("user", ["nobody", 65534])
def test_a_process_runs_as_another_user(serve, tmp_path, user):
    # The other user may read neither what tests write nor the Python that they run with.
    command = [str(SYSTEM_PYTHON), "-c", FUNCTION.read_text()]
    function = {"functionName": "orders", "process": {"command": command, "cwd": "/", "user": user}}
    seen = serve(with_processes(function)).get().json()
    assert (seen["uid"], seen["groups"]) == (65534, [])
    assert seen["environment"]["USER"] == "nobody"


def test_another_user_needs_root(tmp_path):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        file = Path(folder) / "claimgate.yaml"
        function = {"functionName": "orders", "process": {"command": ["true"], "user": "daemon"}}
        file.write_text(str(with_processes(function)).replace("'", '"'))
        as_other = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        result = claimgate("serve", "--config", file, cwd=folder, **as_other)
        assert result.code == 1
        assert "the function orders: process.user: only root can run processes as daemon" in result.err
        checked = claimgate("check", "--config", file, cwd=folder, **as_other)
        assert checked.code == 0
        assert "warning: the function orders: process.user: only root" in checked.err


def test_an_unknown_user_is_refused(tmp_path):
    file = tmp_path / "claimgate.yaml"
    function = {"functionName": "orders", "process": {"command": ["true"], "user": "nobody-of-that-name"}}
    file.write_text(str(with_processes(function)).replace("'", '"'))
    result = claimgate("serve", "--config", file)
    assert result.code == 1
    assert "there is no user nobody-of-that-name in /etc/passwd" in result.err


# --- Output ---


def output(stream: str, text: str):
    return lambda line: (
        line.get("message") == "function output" and line["stream"] == stream and line["line"] == text
    )


def test_output_is_in_the_log_line_by_line(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    gateway.get("/print?out=first%0Asecond&err=caf%C3%A9%1B%5B31m")
    for line in (output("stdout", "first"), output("stdout", "second"), output("stderr", "café\ufffd[31m")):
        found = gateway.wait_for_log(line)
        assert found["function"] == "orders"
        assert found["instance"]


def test_a_long_line_of_output_comes_in_pieces(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    gateway.post("/print?out=" + "x" * 10_000)
    gateway.wait_for_log(output("stdout", "x" * 8192))
    gateway.wait_for_log(output("stdout", "x" * (10_000 - 8192)))


# --- `claimgate check` and `claimgate try` ---


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({"command": ["no-such-program"]}, "process.command: there is no no-such-program in the folders of PATH"),
        ({"command": ["./missing"]}, "missing is no file that can be run"),
        ({"command": ["true"], "cwd": "nowhere"}, "process.cwd: there is no folder"),
        ({"command": ["true"]}, None),
    ],
)
def test_check_warns_of_what_this_machine_lacks(tmp_path, settings, warning):
    file = tmp_path / "claimgate.yaml"
    file.write_text(str(with_processes({"functionName": "orders", "process": settings})).replace("'", '"'))
    result = claimgate("check", "--config", file)
    assert result.code == 0
    if warning:
        assert f"warning: the function orders: {'' if 'process' in warning else 'process.command: '}" in result.err
        assert warning in result.err
    else:
        assert "warning" not in result.err


def test_try_shows_the_command_and_starts_nothing(tmp_path):
    file = tmp_path / "claimgate.yaml"
    file.write_text(str(with_processes(process(tmp_path))).replace("'", '"'))
    result = claimgate("try", "--config", file, "http://api.example.com/")
    assert result.code == 0, result
    assert "process:" in result.text and "x-fc-function-name: orders" in result.text
    assert starts(tmp_path) == []


def test_setpriv_ends_a_process_with_a_gateway_that_was_killed(tmp_path):
    """What the documentation advises; a process alone outlives a gateway that could end nothing."""
    if subprocess.run(["setpriv", "--version"], capture_output=True).returncode:
        pytest.skip("setpriv is not there")
    function = process(tmp_path)
    function["process"]["command"] = ["setpriv", "--pdeathsig", "KILL", *function["process"]["command"]]
    folder = tmp_path / "gateway"
    folder.mkdir()
    gateway = Gateway(folder, with_processes(function))
    pid = gateway.get().json()["pid"]
    assert is_alive(pid)
    gateway.process.kill()
    wait_until(lambda: not is_alive(pid))


# --- A configuration that is named without a folder ---

SERVER = """#!/usr/bin/env python3
import http.server, os
class Folder(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        folder = os.getcwd().encode()
        self.send_response(200)
        self.send_header("content-length", str(len(folder)))
        self.end_headers()
        self.wfile.write(folder)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Folder).serve_forever()
"""


class NamedAlone(Gateway):
    """Runs in the folder of its configuration, with a program beside it."""

    def write(self, configuration):
        program = self.file.parent / "server.py"
        program.write_text(SERVER)
        program.chmod(0o755)
        super().write(configuration)


@pytest.mark.parametrize("named", ["claimgate.yaml", "./claimgate.yaml", "../$(basename \"$PWD\")/claimgate.yaml"])
@pytest.mark.parametrize(
    ("settings", "works_here"),
    [
        ({"command": ["./server.py"]}, False),
        ({"command": ["python3", "server.py"], "cwd": "."}, True),
        ({"command": ["./server.py"], "cwd": "."}, True),
        ({"command": ["../server.py"], "cwd": "sub"}, False),
    ],
)
def test_relative_paths_begin_at_the_folder_of_the_configuration(serve, named, settings, works_here):
    written = with_processes({"functionName": "orders", "process": settings})
    launcher = ["sh", "-c", f'mkdir -p sub; exec "$0" serve --config {named}']
    gateway = serve(written, kind=NamedAlone, launcher=launcher)
    answer = gateway.get()
    assert answer.status == 200
    assert (answer.body.decode() == str(gateway.file.parent)) == works_here
