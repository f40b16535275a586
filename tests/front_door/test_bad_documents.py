"""A stored document that cannot be served harms itself alone."""

import shutil

import httpx
import pytest

from support.api import Api, with_access_keys
from support.certificates import Authority
from support.command import claimgate
from support.configuration import configuration, domain, function

GOOD, BAD, LATER = "good.example.com", "bad.example.com", "later.example.com"


def with_store(recorder, folder, functions=("orders",), domains=(), **store) -> dict:
    declared = configuration(
        [document("declared.example.com", "hello"), *domains],
        [function(recorder.url, name) for name in {*functions, "hello"}],
    )
    declared["gateway"]["https"] = "127.0.0.1:0"
    return {**with_access_keys(declared, folder), "store": {"sqlite": str(folder / "claimgate.db"), **store}}


def document(name: str, function: str, **more) -> dict:
    return {**domain(name, [{"path": "/*", "functionName": function}]), **more}


def put(gateway, name: str, function: str = "hello", **more):
    answer = Api(gateway)("PUT", f"/custom-domains/{name}", document(name, function, **more))
    assert answer.status_code in (200, 201), answer.text


def readiness(gateway) -> str:
    answer = httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}/readyz")
    assert answer.status_code == 200
    return answer.text


def metric(gateway, name: str) -> int:
    metrics = httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics").text
    return next(int(line.split()[-1]) for line in metrics.splitlines() if line.startswith(f"claimgate_{name} "))


def check_unavailable(gateway, name: str):
    answer = gateway.get(host=name)
    assert (answer.status, answer.json()["Code"]) == (503, "ConfigurationUnavailable"), answer
    line = gateway.access_line(answer)
    assert line["reason"] == "configuration_unavailable", line


def check_is_said(gateway, *words: str):
    text = readiness(gateway)
    assert text.startswith("ready\n") and f"customDomains/{BAD}" in text, text
    gateway.wait_for_log(lambda line: line.get("document") == f"customDomains/{BAD}" and line["level"] == "ERROR")
    for word in words:
        assert word in text, text
    assert metric(gateway, "documents_not_served") == 1 and metric(gateway, "store_is_current") == 0


def drop_function(declared, folder, recorder):
    return with_store(recorder, folder, functions=("hello",)), "there is no function"


def remove_certificate(declared, folder, recorder):
    shutil.rmtree(folder / "certificates")
    return declared, "certificateFile"


def forbid_files(declared, folder, recorder):
    return {**declared, "store": {"sqlite": declared["store"]["sqlite"]}}, "store.allowFiles"


def take_away_https(declared, folder, recorder):
    del declared["gateway"]["https"]
    return declared, "gateway.https"


HARMS = {
    "a function that the file drops": (drop_function, {"function": "orders"}),
    "a certificate that is gone": (remove_certificate, {"protocol": "HTTPS", "certificate": True}),
    "files that are no longer allowed": (forbid_files, {"protocol": "HTTPS", "certificate": True}),
    "a listener that is gone": (take_away_https, {"protocol": "HTTPS", "certificate": True}),
}


def write_certificate(folder) -> dict:
    """A certificate and its key in files; gives the `certConfig` with them."""
    files = folder / "certificates"
    files.mkdir()
    Authority(folder).issue(files / "c.pem", files / "k.pem", BAD)
    return {"certificateFile": str(files / "c.pem"), "privateKeyFile": str(files / "k.pem")}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "gateway"
    folder.mkdir()
    return folder


def start_with_bad(serve, recorder, folder, how: str):
    """A gateway with a good stored domain, and one that the harm is done to afterwards."""
    harm, more = HARMS[how]
    declared = with_store(recorder, folder, allowFiles=[str(folder / "certificates")])
    gateway = serve(declared, recorder)
    settings = {key: value for key, value in more.items() if key != "certificate"}
    if more.get("certificate"):
        settings["certConfig"] = write_certificate(folder)
    put(gateway, BAD, **settings)
    put(gateway, GOOD)
    assert gateway.get(host=BAD).status in (200, 308)
    return gateway, *harm(declared, folder, recorder)


@pytest.mark.parametrize("how", HARMS)
def test_a_gateway_starts_all_the_same_and_is_repaired_through_its_api(serve, recorder, folder, how):
    gateway, declared, words = start_with_bad(serve, recorder, folder, how)
    gateway.stop()
    gateway = serve(declared, recorder)
    check_unavailable(gateway, BAD)
    check_is_said(gateway, words)
    for name in (GOOD, "declared.example.com"):
        assert gateway.get(host=name).status == 200
    assert claimgate("check", "--config", gateway.file).code == 0
    checked = claimgate("check", "--store", "--config", gateway.file)
    assert checked.code == 1 and f"customDomains/{BAD}: error: " in checked.err and words in checked.err, checked

    put(gateway, LATER)
    assert gateway.get(host=LATER).status == 200
    check_unavailable(gateway, BAD)
    put(gateway, BAD)
    assert gateway.get(host=BAD).status == 200
    assert readiness(gateway) == "ready\n"
    assert (metric(gateway, "documents_not_served"), metric(gateway, "store_is_current")) == (0, 1)
    assert claimgate("check", "--store", "--config", gateway.file).code == 0


@pytest.mark.parametrize("how", [how for how in HARMS if how != "a listener that is gone"])
def test_a_gateway_that_runs_keeps_the_last_good_state(serve, recorder, folder, how):
    gateway, declared, words = start_with_bad(serve, recorder, folder, how)
    before = gateway.get(host=BAD).status
    reloaded = len(gateway.log)
    # Something that makes every document be read anew.
    gateway.write({**declared, "gateway": {**declared["gateway"], "limits": {"headerFields": 99}}})
    gateway.wait_for_log(lambda line: line.get("message") == "configuration reloaded", reloaded)
    if how != "files that are no longer allowed":  # A change of `store` needs a restart.
        check_is_said(gateway, words)
    assert gateway.get(host=BAD).status == before
    put(gateway, LATER)
    assert gateway.get(host=BAD).status == before
    assert gateway.get(host=GOOD).status == gateway.get(host=LATER).status == 200


def test_a_document_is_served_as_soon_as_it_can_be(serve, recorder, folder):
    how = "a certificate that is gone"
    gateway, declared, _ = start_with_bad(serve, recorder, folder, how)
    gateway.stop()
    gateway = serve(declared, recorder)
    check_unavailable(gateway, BAD)
    write_certificate(folder)
    gateway.poll(lambda: gateway.get(host=BAD).status == 308)
    gateway.poll(lambda: readiness(gateway) == "ready\n")


def test_a_name_that_the_file_declares_is_served_as_the_file_says(serve, recorder, folder):
    declared = with_store(recorder, folder)
    gateway = serve(declared, recorder)
    put(gateway, BAD, "orders")
    put(gateway, GOOD)
    gateway.stop()
    own = domain(BAD, [{"path": "/declared/*", "functionName": "hello"}])
    gateway = serve(with_store(recorder, folder, domains=[own]), recorder)
    assert gateway.get("/declared/x", host=BAD).status == 200
    assert gateway.get("/x", host=BAD).status == 404
    check_is_said(gateway, "already declared")
    assert gateway.get(host=GOOD).status == 200


def test_a_gateway_with_another_file_follows_all_that_it_can_serve(serve, recorder, folder):
    one = serve(with_store(recorder, folder), recorder)
    two = serve(with_store(recorder, folder, functions=("hello",)), recorder)
    put(one, BAD, "orders")
    two.poll(lambda: two.get(host=BAD).status == 503)
    check_is_said(two, "there is no function")
    put(one, GOOD)
    two.poll(lambda: two.get(host=GOOD).status == 200)
    put(two, LATER)
    one.poll(lambda: one.get(host=LATER).status == 200)
    assert one.get(host=BAD).status == 200 and readiness(one) == "ready\n"
    check_unavailable(two, BAD)
