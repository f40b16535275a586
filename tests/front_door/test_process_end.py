"""How processes end: by themselves, with the gateway, and with the configuration that needs them."""

import os
import random
import signal
import sys
import threading
import time

import pytest

from support.gateway import Gateway
from support.http1 import head
from support.process import Request, is_alive, metric, notes, process, starts, wait_until, with_processes

RELOADED = "configuration reloaded"


def message(text: str):
    return lambda line: line.get("message") == text


# --- Crashes ---


def test_a_crash_before_the_answer_is_a_502_and_the_next_request_starts_anew(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    first = gateway.get().json()["pid"]
    answer = gateway.post("/die")
    assert answer.status == 502
    assert gateway.access_line(answer)["reason"] == "closed"
    assert gateway.get().json()["pid"] != first
    crash = gateway.wait_for_log(message("function instance crashed"))
    assert (crash["function"], "signal: 9" in crash["status"]) == ("orders", True)
    assert metric(gateway, "crashes_total") == 1


def test_a_crash_in_the_middle_of_an_answer_breaks_it_off(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    with gateway.connect() as connection:
        connection.send(head("GET", "/break", [("Host", "api.example.com")]))
        answer = connection.receive()
        assert (answer.status, answer.body, answer.complete) == (200, b"begun", False)
        assert connection.is_closed()
    assert gateway.get().status == 200


def test_a_process_that_closes_a_connection_and_lives_stays_in_use(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    pid = gateway.get().json()["pid"]
    for _ in range(5):
        assert gateway.post("/close").status == 502
        assert gateway.get().json()["pid"] == pid
    assert metric(gateway, "crashes_total") == 0


def test_what_a_crashed_process_leaves_behind_is_ended(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    child = gateway.get("/fork").json()["child"]
    assert is_alive(child)
    gateway.post("/die")
    wait_until(lambda: not is_alive(child))


def test_killing_processes_at_any_moment_loses_only_what_they_held(serve, tmp_path):
    """Under a steady load, with kills while processes start, answer and wait."""
    clients, kills = 4, 15
    gateway = serve(with_processes(process(tmp_path, instanceConcurrency=2, maxInstances=2)))
    gateway.get()
    stop, outcomes = threading.Event(), []

    def load(number: int):
        while not stop.is_set():
            request = [gateway.get, gateway.post][number % 2]
            answer = request("/slow")
            outcomes.append(answer.status if answer.complete else "broken")

    threads = [threading.Thread(target=load, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    generator = random.Random(6)
    killed = set()
    for _ in range(kills):
        time.sleep(generator.uniform(0, 0.4))
        for pid in starts(tmp_path):
            if pid not in killed and is_alive(pid):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
                break
        # Not three in a row that have answered nothing, which is a crash loop.
        count = len(outcomes)
        wait_until(lambda: 200 in outcomes[count:])
    stop.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a request hangs"
    assert len(killed) > kills // 2
    assert set(outcomes) <= {200, 502, "broken"}, set(outcomes)
    # A process holds two requests at most.
    assert len([outcome for outcome in outcomes if outcome != 200]) <= 2 * len(killed)
    assert gateway.get().status == 200


def test_a_process_that_is_killed_while_it_starts_is_started_again(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, {"START_GATE": "go"})))
    request = Request(gateway)
    wait_until(lambda: starts(tmp_path))
    os.kill(starts(tmp_path)[0], signal.SIGKILL)
    wait_until(lambda: len(starts(tmp_path)) == 2)
    assert request.is_waiting
    (tmp_path / "go").touch()
    assert request.answer().json()["pid"] == starts(tmp_path)[1]


def test_a_crash_loop_is_answered_at_once_and_tried_less_and_less(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, {"FAIL": "1"})))
    answer = gateway.get()
    assert answer.status == 503
    assert int(answer.header("retry-after")) >= 1
    assert gateway.access_line(answer)["reason"] == "not_started"
    gateway.wait_for_log(lambda line: line.get("line") == "cannot work" and line["stream"] == "stderr")
    gateway.wait_for_log(message("function instance did not start"))
    assert metric(gateway, "start_failures_total") == len(starts(tmp_path)) == 3
    # The fourth try is a second later, the next ones two and four: these requests start next to nothing.
    answers = [gateway.get() for _ in range(50)]
    assert {answer.status for answer in answers} == {503}
    assert len(starts(tmp_path)) < 20
    assert metric(gateway, "instances") == 0


def test_a_function_that_works_again_is_used_again(serve, tmp_path):
    program = tmp_path / "program"
    function = process(tmp_path)
    command = function["process"]["command"]
    function["process"]["command"] = ["./program"]
    gateway = serve(with_processes(function))
    assert gateway.get().status == 503
    program.write_text(f"#!/bin/sh\nexec {command[0]} {command[1]}\n")
    program.chmod(0o755)
    wait_until(lambda: gateway.get().status == 200)


def test_a_process_that_does_not_listen_is_given_up(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, {"DEAF": "1"}, startTimeoutSeconds=1)))
    answer = gateway.get()
    assert (answer.status, gateway.access_line(answer)["reason"]) == (503, "not_started")
    failure = gateway.wait_for_log(message("function instance did not start"))
    assert "startTimeoutSeconds" in failure["error"]
    assert not any(is_alive(pid) for pid in starts(tmp_path))


# --- With the gateway ---


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_everything_ends_with_the_gateway(tmp_path, by):
    folder = tmp_path / "gateway"
    folder.mkdir()
    settings = {"stopTimeoutSeconds": 1, "instanceConcurrency": 1, "maxInstances": 2}
    gateway = Gateway(folder, with_processes(process(tmp_path, {"IGNORE_TERM": "1"}, **settings)))
    held = Request(gateway, "/hold?gate=go")
    wait_until(lambda: notes(tmp_path, "requests"))
    child = gateway.get("/fork").json()["child"]
    pids = [*starts(tmp_path), child]
    assert len(pids) == 3 and all(is_alive(pid) for pid in pids)
    gateway.process.send_signal(by)
    gateway.wait_for_log(lambda line: line.get("message", "").startswith("stopping"))
    # A request that is being served is served to its end.
    (tmp_path / "go").touch()
    assert held.answer().status == 200
    assert gateway.process.wait(40) == 0
    assert not any(is_alive(pid) for pid in pids)


def test_a_process_may_tidy_up_before_it_ends(tmp_path):
    folder = tmp_path / "gateway"
    folder.mkdir()
    function = process(tmp_path)
    command = " ".join(function["process"]["command"])
    # The server ends at once and leaves the rest of its group alone with its work.
    (tmp_path / "tidy.py").write_text(
        "import signal, time\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "open('armed', 'w')\n"
        "signal.sigwait([signal.SIGTERM])\n"
        "time.sleep(0.5)\n"
        "open('tidied', 'w')\n"
    )
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{sys.executable} tidy.py &\nexec {command}\n")
    program.chmod(0o755)
    function["process"]["command"] = ["./program"]
    gateway = Gateway(folder, with_processes(function))
    assert gateway.get().status == 200
    wait_until((tmp_path / "armed").exists)
    assert gateway.stop() == 0
    assert (tmp_path / "tidied").exists()


# --- Reload ---


def reload(gateway: Gateway, configuration: dict):
    before = len(gateway.log)
    gateway.write(configuration)
    gateway.wait_for_log(message(RELOADED), before)


def test_a_function_that_stays_the_same_keeps_its_processes(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    pid = gateway.get().json()["pid"]
    for number in range(1, 4):
        reload(gateway, with_processes(process(tmp_path), limits={"headerFields": 100 + number}))
        assert gateway.get().json()["pid"] == pid
    assert starts(tmp_path) == [pid]


def test_a_changed_function_starts_anew_and_lets_the_old_one_finish(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, {"VERSION": "1"})))
    held = Request(gateway, "/hold?gate=go")
    wait_until(lambda: notes(tmp_path, "requests"))
    (old,) = starts(tmp_path)
    reload(gateway, with_processes(process(tmp_path, {"VERSION": "2"})))
    new = gateway.get().json()
    assert (new["environment"]["VERSION"], new["pid"] != old) == ("2", True)
    assert is_alive(old) and held.is_waiting
    (tmp_path / "go").touch()
    answer = held.answer().json()
    assert (answer["pid"], answer["environment"]["VERSION"]) == (old, "1")
    wait_until(lambda: not is_alive(old))
    assert gateway.get().json()["pid"] == new["pid"]


def test_a_removed_function_is_stopped(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    pid = gateway.get().json()["pid"]
    reload(gateway, with_processes({"functionName": "orders", "builtin": "echo"}))
    wait_until(lambda: not is_alive(pid))
    assert gateway.get().json()["function"] == "orders"
    assert metric(gateway, "crashes_total") == 0


def test_a_bad_configuration_changes_nothing(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path)))
    pid = gateway.get().json()["pid"]
    before = len(gateway.log)
    gateway.write(with_processes(process(tmp_path, user="nobody-of-that-name")))
    gateway.wait_for_log(message("configuration refused, the last good one stays"), before)
    assert gateway.get().json()["pid"] == pid


def test_no_request_is_lost_when_a_function_changes_again_and_again(serve, tmp_path):
    gateway = serve(with_processes(process(tmp_path, {"VERSION": "0"})))
    stop, statuses = threading.Event(), []

    def load():
        while not stop.is_set():
            statuses.append(gateway.post("/slow").status)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    # Else the first process may be one of the next version.
    wait_until(lambda: starts(tmp_path))
    for version in range(1, 6):
        reload(gateway, with_processes(process(tmp_path, {"VERSION": str(version)})))
        wait_until(lambda: len(starts(tmp_path)) > version)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert set(statuses) == {200}
    wait_until(lambda: metric(gateway, "instances") == 1)
