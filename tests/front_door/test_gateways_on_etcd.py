"""Three gateways that share one etcd, which is stopped, frozen, compacted and started again."""

import itertools
import threading
import time

import httpx
import pytest

from support.api import Api, with_access_keys
from support.command import claimgate
from support.configuration import configuration, domain, function, jwt
from support.etcd import Etcd
from support.tokens import jwks, key

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
NAMES = (f"d{number}.example.com" for number in itertools.count())


@pytest.fixture
def etcd():
    etcd = Etcd()
    yield etcd
    etcd.close()


@pytest.fixture
def start(serve, recorder, etcd, tmp_path):
    (tmp_path / "key").write_text("A" * 43 + "=")

    def start(**more):
        declared = configuration([domain("declared.example.com")], [function(recorder.url)])
        store = {"etcd": {"endpoints": [etcd.url], "prefix": "/claimgate", **more}, "keyFile": str(tmp_path / "key")}
        return serve({**with_access_keys(declared, tmp_path), "store": store}, recorder)

    return start


@pytest.fixture
def gateways(start):
    return [start() for _ in range(3)]


def document(name: str, **more) -> dict:
    return domain(name, auth=jwt(jwks(KEY), claim_pass_by="header:sub:x-user", **more))


def create(gateway) -> str:
    name = next(NAMES)
    answer = Api(gateway)("PUT", f"/custom-domains/{name}", document(name))
    assert answer.status_code == 201, answer.text
    return name


def is_served(gateway, name: str) -> bool:
    return gateway.get(host=name, token=TOKEN).status == 200


def until(condition, timeout: float = 30):
    end = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
    return found


def readiness(gateway) -> str:
    answer = httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}/readyz")
    assert answer.status_code == 200
    return answer.text


def is_current(gateway) -> bool:
    metrics = httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics").text
    return "\nclaimgate_store_is_current 1\n" in metrics


class Load:
    """Requests to all gateways, one after the other, until it is stopped; every one must pass."""

    def __init__(self, gateways, names):
        self.answers, self.stopped = [], threading.Event()
        pairs = itertools.cycle([(gateway, name) for gateway in gateways for name in names])
        self.thread = threading.Thread(target=self.run, args=(pairs,))
        self.thread.start()

    def run(self, pairs):
        with httpx.Client() as client:
            for gateway, name in pairs:
                if self.stopped.is_set():
                    return
                headers = {"host": name, "authorization": f"Bearer {TOKEN}"}
                self.answers.append(client.get(gateway.url(), headers=headers).status_code)
                time.sleep(0.005)

    def stop(self):
        self.stopped.set()
        self.thread.join()
        assert len(self.answers) > 20 and set(self.answers) == {200}, self.answers


def test_a_change_is_in_force_on_every_gateway(gateways):
    for gateway in gateways:
        name = create(gateway)
        assert is_served(gateway, name)
        for other in gateways:
            until(lambda other=other, name=name: is_served(other, name))
    Api(gateways[0])("DELETE", f"/custom-domains/{name}")
    for gateway in gateways:
        until(lambda gateway=gateway: not is_served(gateway, name))
    assert all(is_current(gateway) for gateway in gateways)


def test_two_gateways_do_not_overwrite_each_other(gateways):
    name = create(gateways[0])
    until(lambda: is_served(gateways[1], name))
    tag = Api(gateways[1])("GET", f"/custom-domains/{name}").headers["etag"]
    changed = Api(gateways[0])("PUT", f"/custom-domains/{name}", document(name, leewaySeconds=5), if_match=tag)
    assert changed.status_code == 200
    late = Api(gateways[1])("PUT", f"/custom-domains/{name}", document(name, leewaySeconds=9), if_match=tag)
    assert late.status_code == 412 and late.json()["current"]["document"]["authConfig"]["authInfo"]["leewaySeconds"] == 5


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_request_that_changes_something_cannot_be_replayed_on_any_gateway(gateways, method):
    sent = []

    class Recorded(Api):
        def __call__(self, *call, **more):
            answer = super().__call__(*call, **more)
            sent.append(answer.request)
            return answer

    name = next(NAMES)
    path, body = ("/custom-domains", None) if method == "GET" else (f"/custom-domains/{name}", document(name))
    assert Recorded(gateways[0])(method, path, body).is_success
    request = sent[0]
    for gateway in gateways:
        url = f"http://{gateway.admin[0]}:{gateway.admin[1]}/api/v1{path}"
        replays = [httpx.request(method, url, headers=request.headers, content=request.content) for _ in range(2)]
        # What only reads is known to each gateway for itself.
        refused = replays if method == "PUT" or gateway is gateways[0] else replays[1:]
        for answer in refused:
            assert (answer.status_code, answer.json()["Code"]) == (400, "SignatureNonceUsed"), answer.text


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_no_request_fails_while_etcd_is_away(gateways, etcd, how):
    name = create(gateways[0])
    for gateway in gateways:
        until(lambda gateway=gateway: is_served(gateway, name))
    load = Load(gateways, [name, "declared.example.com"])
    etcd.kill() if how == "killed" else etcd.freeze()
    for gateway in gateways:
        until(lambda gateway=gateway: "stale: " in readiness(gateway) and not is_current(gateway))
    refused = Api(gateways[0])("PUT", f"/custom-domains/{next(NAMES)}", document("x.example.com"))
    assert refused.status_code == 503, refused.text
    assert Api(gateways[0])("GET", f"/custom-domains/{name}").status_code == 200
    page = f"http://{gateways[0].admin[0]}:{gateways[0].admin[1]}/console/custom-domains"
    console = httpx.get(page, headers={"cookie": "claimgate_session=" + "A" * 43}, timeout=30)
    assert console.status_code == 503 and "the store cannot be reached" in console.text
    if how == "killed":
        assert etcd.start()
    else:
        etcd.thaw()
    for gateway in gateways:
        until(lambda gateway=gateway: readiness(gateway) == "ready\n" and is_current(gateway))
    load.stop()
    later = create(gateways[1])
    for gateway in gateways:
        until(lambda gateway=gateway: is_served(gateway, name) and is_served(gateway, later))


def test_a_gateway_starts_while_etcd_is_away(start, etcd):
    first = start(snapshotFile="kept")
    name = create(first)
    kept = first.file.parent / "kept"
    until(kept.exists)
    before = kept.read_bytes()
    assert b"example.com" not in before
    more = create(first)
    until(lambda: kept.read_bytes() != before)
    etcd.kill()
    second = start(snapshotFile=str(kept))
    assert is_served(second, name) and is_served(second, more)
    assert "stale: " in readiness(second) and not is_current(second)
    assert etcd.start()
    until(lambda: readiness(second) == "ready\n")
    until(lambda: readiness(first) == "ready\n")
    another = create(first)
    until(lambda: is_served(second, another))


def test_what_was_compacted_is_read_anew(gateways, etcd):
    name = create(gateways[0])
    etcd.freeze()
    until(lambda: "stale: " in readiness(gateways[2]))
    etcd.thaw()
    until(lambda: readiness(gateways[0]) == "ready\n")
    names = [create(gateways[0]) for _ in range(5)]
    Api(gateways[0])("DELETE", f"/custom-domains/{name}")
    etcd.compact()
    etcd.kill()
    assert etcd.start()
    for gateway in gateways:
        until(lambda gateway=gateway: readiness(gateway) == "ready\n")
        for there in names:
            until(lambda gateway=gateway, there=there: is_served(gateway, there))
        until(lambda gateway=gateway: not is_served(gateway, name))


def test_what_is_acknowledged_is_there_after_outages(gateways, etcd):
    acknowledged, stopped = [], threading.Event()

    def write():
        api = Api(gateways[0])
        while not stopped.is_set():
            name = next(NAMES)
            try:
                if api("PUT", f"/custom-domains/{name}", document(name)).status_code == 201:
                    acknowledged.append(name)
            except httpx.HTTPError:
                pass

    writer = threading.Thread(target=write)
    writer.start()
    for round in range(3):
        count = len(acknowledged)
        until(lambda count=count: len(acknowledged) > count + 3)
        etcd.kill()
        assert etcd.start()
    until(lambda: len(acknowledged) > 20)
    stopped.set()
    writer.join()
    for gateway in gateways:
        until(lambda gateway=gateway: is_served(gateway, acknowledged[-1]))
        assert [name for name in acknowledged if not is_served(gateway, name)] == []


def refused(gateway) -> str:
    """Why what is stored is not served, once it is not."""
    text = until(lambda: (text := readiness(gateway)) and "refused: " in text and text)
    assert not is_current(gateway)
    return text


@pytest.mark.parametrize("how", ["emptied", "replaced"])
def test_an_etcd_that_lost_its_records_empties_no_gateway(gateways, etcd, how):
    name = create(gateways[0])
    for gateway in gateways:
        until(lambda gateway=gateway: is_served(gateway, name))
    etcd.empty() if how == "emptied" else etcd.replace()
    for gateway in gateways:
        text = refused(gateway)
        assert "the store is empty" in text and "claimgate store accept --above 1" in text, text
        assert is_served(gateway, name)
    answer = Api(gateways[0])("PUT", f"/custom-domains/{next(NAMES)}", document("x.example.com"))
    assert answer.status_code >= 400

    accepted = claimgate("store", "accept", "--above", "1", "--config", gateways[0].file)
    assert accepted.code == 0, accepted
    for gateway in gateways:
        until(lambda gateway=gateway: not is_served(gateway, name))
        until(lambda gateway=gateway: readiness(gateway) == "ready\n" and is_current(gateway))
    name = create(gateways[0])
    until(lambda: is_served(gateways[1], name))


def test_an_etcd_that_was_set_back_is_taken_over_when_it_is_accepted(gateways, etcd):
    first = create(gateways[0])
    until(lambda: is_served(gateways[1], first))
    before = etcd.records()
    second = create(gateways[1])
    for gateway in gateways:
        until(lambda gateway=gateway: is_served(gateway, second))
    etcd.empty()
    etcd.write(before)
    for gateway in gateways:
        until(lambda gateway=gateway: "accept --above 2" in refused(gateway))
        assert is_served(gateway, first) and is_served(gateway, second)
    accepted = claimgate("store", "accept", "--above", "2", "--config", gateways[0].file)
    assert accepted.code == 0, accepted
    for gateway in gateways:
        until(lambda gateway=gateway: not is_served(gateway, second))
        assert is_served(gateway, first)
        until(lambda gateway=gateway: readiness(gateway) == "ready\n" and is_current(gateway))


def test_a_gateway_that_starts_serves_what_it_kept_of_an_etcd_that_is_empty(start, etcd):
    first = start(snapshotFile="kept")
    name = create(first)
    kept = first.file.parent / "kept"
    before = until(lambda: kept.exists() and kept.read_bytes())
    create(first)
    until(lambda: kept.read_bytes() != before)
    etcd.replace()
    second = start(snapshotFile=str(kept))
    assert is_served(second, name)
    assert "the store is empty" in refused(second)
    assert not [line for line in second.log if "sign in" in line.get("message", "")]


def test_waves_of_writers_on_many_gateways_all_succeed(start):
    """One commit at a time comes first; the others are judged again, each a little later."""
    gateways = [start() for _ in range(10)]
    barrier = threading.Barrier(20)
    answers = []

    def write(gateway):
        for _ in range(4):
            barrier.wait()
            name = next(NAMES)
            answers.append(Api(gateway)("PUT", f"/custom-domains/{name}", document(name)).status_code)

    threads = [threading.Thread(target=write, args=(gateways[number % 10],)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 80
