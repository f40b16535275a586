"""The access log: its forms, its file, and a reader that is too slow."""

import json
import os
import shlex
import signal
import stat
import subprocess

import pytest

from support.command import claimgate
from support.configuration import configuration, domain, function, jwt
from support.gateway import BINARY, Process
from support.http1 import Connection, head
from support.metrics import read_metrics
from support.tokens import jwks, key

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
API = "api.example.com"
FIELDS = [
    "request_id", "client", "scheme", "method", "domain", "path", "route", "function", "status", "outcome", "reason",
    "duration_us", "authenticate_us", "function_us", "trace_id",
]  # fmt: skip


@pytest.fixture
def start(serve, recorder):
    def start(**gateway):
        auth = jwt(jwks(KEY), "header:Authorization:Bearer,query:token")
        return serve(configuration([domain(API, auth=auth)], [function(recorder.url)], **gateway), recorder)

    return start


def lines(gateway, file, count: int) -> list[str]:
    """The lines of a file, once there are so many."""
    return gateway.poll(lambda: (found := file.read_text().splitlines()) and len(found) >= count and found)


def test_a_file_takes_one_json_object_for_each_request(start, tmp_path):
    file = tmp_path / "access.log"
    gateway = start(accessLog={"file": str(file)})
    answers = [gateway.get("/a?token=" + TOKEN), gateway.get("/a/b?x=secret"), gateway.raw(b"BROKEN\r\n\r\n")]
    found = [json.loads(line) for line in lines(gateway, file, 3)]
    for line in found:
        assert list(line) == ["timestamp", "level", "message", *FIELDS]
        assert line["client"] == "127.0.0.1"
    by_id = {line["request_id"]: line for line in found}
    good, refused, broken = (by_id[answer.header("x-fc-request-id")] for answer in answers)
    assert (good["status"], good["outcome"], good["reason"]) == (200, "accepted", "")
    assert (good["path"], good["route"], good["function"]) == ("/a", "/*", "orders")
    assert good["duration_us"] >= good["function_us"] > 0
    assert (refused["status"], refused["outcome"], refused["reason"]) == (401, "refused", "missing_token")
    assert refused["function_us"] == 0
    assert (broken["domain"], broken["reason"]) == ("", "malformed_request_line")
    # Neither the token nor anything else of a query.
    assert "eyJ" not in file.read_text() and "secret" not in file.read_text()
    assert not [line for line in gateway.log if line["message"] == "request"]
    assert stat.S_IMODE(file.stat().st_mode) & 0o027 == 0


def test_text_is_read_like_words_of_a_shell(start, tmp_path):
    file = tmp_path / "access.log"
    gateway = start(accessLog={"file": str(file), "format": "text"})
    path = "/a=b'\"%20status=999"
    gateway.get(path, token=TOKEN)
    words = shlex.split(lines(gateway, file, 1)[0])
    assert words[1:3] == ["INFO", "request"]
    fields = dict(word.split("=", 1) for word in words[3:])
    assert list(fields) == FIELDS
    assert (fields["path"], fields["status"], fields["reason"]) == (path, "200", "")


def test_standard_output(start):
    gateway = start(accessLog={"file": "-"})
    gateway.get(token=TOKEN)
    gateway.wait_for(lambda: gateway.output)
    assert json.loads(gateway.output[0])["status"] == 200


def test_none(start):
    gateway = start(accessLog="none")
    assert gateway.get(token=TOKEN).status == 200
    assert gateway.stop() == 0
    assert not [line for line in gateway.log if line["message"] == "request"]
    assert not gateway.output


def test_lines_to_standard_error_are_chosen_by_level(recorder, tmp_path):
    written = configuration([domain()], [function(recorder.url)])
    for level, expected in (("info", 1), ("warn", 0)):
        (tmp_path / "c.yaml").write_text(json.dumps(written))
        environment = {"CLAIMGATE_LOG": f"{level},claimgate::serve=info"}
        process = Process("serve", "--config", "c.yaml", cwd=tmp_path, env=environment)
        line = process.wait_for_log(lambda line: line.get("listener") == "http")
        subprocess.run(["curl", "-sS", "-H", f"Host: {API}", f"http://{line['address']}/"], check=True, timeout=20)
        assert process.stop() == 0
        assert len([line for line in process.log if line["message"] == "request"]) == expected


def test_a_file_that_was_moved_away_is_opened_anew(start, tmp_path):
    file, old = tmp_path / "access.log", tmp_path / "access.log.1"
    gateway = start(accessLog={"file": str(file)})
    gateway.get("/first", token=TOKEN)
    lines(gateway, file, 1)
    file.rename(old)
    # A bad configuration is no reason to go on with the old file.
    gateway.write("{")
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait_for_log(lambda line: line["message"] == "access log reopened")
    gateway.get("/second", token=TOKEN)
    assert json.loads(lines(gateway, file, 1)[0])["path"] == "/second"
    assert len(old.read_text().splitlines()) == 1


def test_the_open_file_stays_when_a_new_one_cannot_be_opened(start, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    gateway = start(accessLog={"file": str(folder / "access.log")})
    moved = tmp_path / "moved"
    folder.rename(moved)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait_for_log(lambda line: line["message"].startswith("cannot reopen the access log"))
    gateway.get("/still", token=TOKEN)
    assert json.loads(lines(gateway, moved / "access.log", 1)[0])["path"] == "/still"


def test_nothing_is_lost_at_the_end(start, tmp_path):
    file = tmp_path / "access.log"
    gateway = start(accessLog={"file": str(file)}, workers=2)
    for _ in range(20):
        gateway.get(token=TOKEN)
    assert gateway.stop() == 0
    assert len(file.read_text().splitlines()) == 20


def test_a_reader_that_stops_holds_up_no_request(recorder, tmp_path):
    """Nobody reads the gateway's standard output, whose pipe is soon full."""
    written = configuration([domain()], [function(recorder.url)], workers=1, accessLog={"file": "-"})
    (tmp_path / "c.yaml").write_text(json.dumps(written))
    unread, output = os.pipe()
    process = subprocess.Popen(
        [str(BINARY), "serve", "--config", "c.yaml"], cwd=tmp_path, stdout=output, stderr=subprocess.PIPE, text=True
    )
    os.close(output)
    try:
        gateway = Addresses(process)
        path = "/" + "a" * 15_000
        with gateway.connect() as connection:
            for _ in range(120):
                connection.send(head("GET", path, [("Host", API)]))
                assert connection.receive().status == 200
        dropped = read_metrics(gateway).value("claimgate_access_log_lines_dropped_total")
        assert dropped > 0
        process.send_signal(signal.SIGTERM)
        # What is left cannot be written, and is not waited for long.
        assert process.wait(20) == 0
        with open(unread) as pipe:
            read = [line for line in pipe.read().splitlines(keepends=True) if line.endswith("\n")]
        assert read and all(json.loads(line)["path"] == path for line in read)
    finally:
        process.kill()
        process.stderr.close()


class Addresses:
    """Where a gateway listens that this test starts itself."""

    def __init__(self, process):
        found = {}
        while len(found) < 2:
            line = json.loads(process.stderr.readline())
            if line["message"] == "listening":
                host, _, port = line["address"].rpartition(":")
                found[line["listener"]] = host, int(port)
        self.address, self.admin = found["http"], found["admin"]

    def connect(self):
        return Connection(self.address)


def test_a_full_disk_is_told_once(start):
    gateway = start(accessLog={"file": "/dev/full"}, workers=1)
    for _ in range(3):
        assert gateway.get(token=TOKEN).status == 200
        gateway.poll(lambda: read_metrics(gateway).value("claimgate_access_log_lines_dropped_total"))
    gateway.poll(lambda: read_metrics(gateway).value("claimgate_access_log_lines_dropped_total") == 3)
    told = [line for line in gateway.log if line["message"] == "cannot write the access log, lines are lost"]
    assert len(told) == 1


def test_a_file_that_cannot_be_opened_stops_the_start(tmp_path):
    written = configuration([domain()], [{"functionName": "orders", "builtin": "echo"}], accessLog={"file": "no/such"})
    (tmp_path / "c.yaml").write_text(json.dumps(written))
    result = claimgate("serve", "--config", "c.yaml", cwd=tmp_path)
    assert result.code == 1
    assert "no/such" in result.err
