"""Keys that are fetched: `jwksUri`, `oidcIssuer`, `gateway.remoteJwks`."""

import concurrent.futures
import json
import re
import signal
import threading
import time

import httpx
import pytest

from support.authorizer import Authorizer
from support.certificates import Authority
from support.command import check_refusal, claimgate
from support.configuration import configuration, domain, function
from support.gateway import check_own_answer
from support.http1 import head
from support.key_server import CONFIGURATION, KEYS, Answer, KeyServer, keys_answer, redirect
from support.tokens import Key, b64u_decode, compact_json, jwks

OLD, NEW, OTHER = Key("ES256", "old"), Key("EdDSA", "new"), Key("ES256", "other")
#: No refresh of its own accord, and every unknown kid may ask.
QUIET = {"refreshSeconds": 3600, "unknownKeyIdCooldownSeconds": 1}
ONCE = {"refreshSeconds": 3600, "unknownKeyIdCooldownSeconds": 3600}
BUSY = {"minRefreshSeconds": 1, "refreshSeconds": 1, "unknownKeyIdCooldownSeconds": 3600}


@pytest.fixture
def server():
    server = KeyServer()
    server.publish(jwks(OLD))
    yield server
    server.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def auth(**sources) -> dict:
    return {"tokenLookup": "header:Authorization:Bearer", "claimPassBy": "header:sub:x-sub", **sources}


def remote(recorder, settings: dict | None = None, name="api.example.com", **sources) -> dict:
    """The configuration of one domain with these sources of keys."""
    settings = {"cacheFolder": "none", **(settings or {})}
    return configuration([domain(name, auth=auth(**sources))], [function(recorder.url)], remoteJwks=settings)


@pytest.fixture
def start(serve, recorder):
    """Starts a gateway with one domain, and waits for the first fetch unless told otherwise."""

    def start(settings=None, fetched=True, **sources):
        gateway = serve(remote(recorder, settings, **sources), recorder)
        if fetched:
            gateway.wait_for_log(says("keys fetched"))
        return gateway

    return start


def says(message: str, **fields):
    def matches(line: dict) -> bool:
        return line.get("message", "").startswith(message) and fields.items() <= line.items()

    return matches


def failed(reason: str):
    return says("keys cannot be fetched", reason=reason)


def metrics(gateway) -> str:
    return httpx.get(f"http://127.0.0.1:{gateway.admin[1]}/metrics", trust_env=False, timeout=10).text


def ask(gateway, token: str):
    """Sends a request while others are under way, and the test counts what reaches the function itself."""
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", "api.example.com"), ("Authorization", f"Bearer {token}")]))
        return connection.receive()


def jwt_kid(token: str) -> str:
    return json.loads(b64u_decode(token.split(".")[0]))["kid"]


def poll(look, timeout: float = 30):
    """What `look()` finds, asked again until it finds something."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("not found in time")


# --- Fetching ---


def test_tokens_pass_with_fetched_keys(start, server):
    gateway = start(jwksUri=server.url())
    assert gateway.get(token=OLD.token({"sub": "ann"})).seen.values("x-sub") == ["ann"]
    response = gateway.get(token=OTHER.token())
    assert (response.status, gateway.access_line(response)["reason"]) == (401, "unknown_key_id")
    line = gateway.wait_for_log(says("keys fetched"))
    assert (line["source"], line["keys"]) == (server.url(), 1) and "old" in str(line["key_ids"])


def test_the_request_for_keys_carries_nothing_of_clients(start, server, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    start(jwksUri=server.url())
    [(_, headers)] = server.requests
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert not {"cookie", "authorization", "x-fc-request-id"} & set(headers)
    assert headers["accept-encoding"] == "identity"


def test_a_host_name_of_this_machine_needs_no_tls(start, server):
    gateway = start(jwksUri=server.url(host="localhost"))
    assert gateway.get(token=OLD.token()).status == 200


def test_the_first_requests_wait_for_one_fetch(start, server):
    server.answers[KEYS].hold = threading.Event()
    gateway = start(fetched=False, jwksUri=server.url())
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(ask, gateway, OLD.token()) for _ in range(20)]
        server.wait_for_count(1)
        server.answers[KEYS].hold.set()
        assert [answer.result().status for answer in answers] == [200] * 20
    assert server.count() == 1


def test_two_domains_share_the_keys_of_one_url(serve, recorder, server):
    domains = [domain(name, auth=auth(jwksUri=server.url())) for name in ("a.example.com", "b.example.com")]
    gateway = serve(configuration(domains, [function(recorder.url)], remoteJwks={"cacheFolder": "none"}), recorder)
    for name in ("a.example.com", "b.example.com"):
        assert gateway.get(host=name, token=OLD.token()).status == 200
    assert server.count() == 1


# --- Rotation ---


def test_fifty_requests_with_a_new_key_cause_one_fetch(start, server):
    gateway = start(ONCE, jwksUri=server.url())
    server.publish(jwks(OLD, NEW))
    server.answers[KEYS].hold = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(ask, gateway, NEW.token()) for _ in range(50)]
        server.wait_for_count(2)
        assert gateway.get(token=OLD.token()).status == 200, "known keys do not wait"
        server.answers[KEYS].hold.set()
        assert [answer.result().status for answer in answers] == [200] * 50
    assert server.count() == 2


def test_invented_keys_ask_once_and_lock_nobody_out(start, server):
    gateway = start(ONCE, jwksUri=server.url())
    invented = [Key("ES256", f"invented-{number}").token() for number in range(100)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda token: ask(gateway, token).status, invented))
        assert statuses == [401] * 100
    for _ in range(3):
        assert gateway.get(token=OLD.token()).status == 200
    assert server.count() == 2


def test_a_key_of_the_issuer_that_comes_later_is_found_after_the_cooldown(start, server):
    gateway = start(QUIET, jwksUri=server.url())
    assert gateway.get(token=NEW.token()).status == 401
    server.publish(jwks(NEW))
    poll(lambda: gateway.get(token=NEW.token()).status == 200)
    assert gateway.get(token=OLD.token()).status == 401, "the issuer has removed it"


def test_a_client_that_leaves_does_not_end_the_fetch(start, server):
    gateway = start(ONCE, jwksUri=server.url())
    server.publish(jwks(NEW))
    server.answers[KEYS].hold = threading.Event()
    lines = [("Host", "api.example.com"), ("Authorization", f"Bearer {NEW.token()}")]
    with gateway.connect() as connection:
        connection.send(head("GET", "/", lines))
        server.wait_for_count(2)
    server.answers[KEYS].hold.set()
    gateway.wait_for_log(lambda line: says("keys fetched")(line) and "new" in str(line["key_ids"]))
    assert gateway.get(token=NEW.token()).status == 200
    assert server.count() == 2


def test_a_token_that_is_refused_for_something_else_asks_for_nothing(start, server):
    gateway = start(QUIET, jwksUri=server.url())
    forged = Key("ES256", "old").token()
    for token in ("x", "a.b.c", forged, OLD.token({"exp": 1}), NEW.token(header={"alg": "none"})):
        assert gateway.get(token=token).status == 401
    assert server.count() == 1


def test_a_request_does_not_wait_longer_than_it_should(start, server):
    gateway = start({**ONCE, "waitSeconds": 0}, jwksUri=server.url())
    server.publish(jwks(NEW))
    server.answers[KEYS].hold = threading.Event()
    response = gateway.get(token=NEW.token())
    assert (response.status, gateway.access_line(response)["reason"]) == (401, "unknown_key_id")
    server.answers[KEYS].hold.set()
    poll(lambda: gateway.get(token=NEW.token()).status == 200)


# --- Refresh ---


def test_keys_are_refreshed_as_the_issuer_says(start, server):
    settings = {"minRefreshSeconds": 1, "refreshSeconds": 3600, "unknownKeyIdCooldownSeconds": 3600}
    server.publish(jwks(OLD), Cache_Control="public, max-age=1", ETag='"1"')
    gateway = start(settings, jwksUri=server.url())
    server.wait_for_count(3)
    assert server.requests[0][1].get("if-none-match") is None
    assert server.requests[2][1]["if-none-match"] == '"1"'
    assert gateway.get(token=OLD.token()).status == 200
    poll(lambda: re.search(r'remote_keys_fetches_total\{[^}]*result="unchanged"\} [1-9]', metrics(gateway)))
    server.publish(jwks(NEW), Cache_Control="no-store", ETag='"2"')
    poll(lambda: gateway.get(token=OLD.token()).status == 401)
    assert gateway.get(token=NEW.token()).status == 200
    count = server.count()
    server.wait_for_count(count + 2)
    assert len([line for line in gateway.log if says("keys fetched")(line)]) == 2, "once for each set"


# --- Failure ---


def endless(stream):
    while True:
        stream.write(b" " * 65536)


def broken(stream):
    stream.write(b"{")


def weak_key() -> dict:
    return {"kty": "RSA", "kid": "weak", "n": "sQ", "e": "AQAB"}


FAILURES = {
    "error status": ("status", Answer(status=500)),
    "not found": ("status", Answer(status=404)),
    "unasked 304": ("status", Answer(status=304)),
    "empty set": ("no_key", Answer(b'{"keys": []}')),
    "another document": ("no_key", Answer(b'{"error": "try later"}')),
    "only keys that cannot be used": ("no_key", keys_answer({"keys": [weak_key()]})),
    "no JSON": ("json", Answer(b"<html>maintenance</html>")),
    "nothing": ("json", Answer(b"")),
    "duplicate names": ("json", Answer(b'{"keys": [], "keys": []}')),
    "too large": ("too_large", Answer(b" " * 5000)),
    "endless": ("too_large", Answer(write=endless)),
    "broken off": ("broken", Answer(headers={"Content-Length": "100"}, write=broken)),
    "slow": ("timeout", Answer(hold=threading.Event())),
    "slow body": ("timeout", Answer(headers={"Content-Length": "100"}, write=lambda _: threading.Event().wait(5))),
    "compressed": ("encoded", Answer(b"x", headers={"Content-Encoding": "gzip"})),
    "redirect to itself": ("redirect", redirect(KEYS)),
    "redirect without a place": ("redirect", Answer(status=302)),
    "redirect to link-local": ("refused_address", redirect("http://169.254.169.254/latest/meta-data")),
    "redirect to mapped link-local": ("refused_address", redirect("http://[::ffff:a9fe:a9fe]/")),
    "redirect to another machine": ("refused_scheme", redirect("http://192.0.2.1/jwks.json")),
    "redirect to a file": ("redirect", redirect("file:///etc/passwd")),
    "redirect with a password": ("redirect", redirect("http://user:secret@127.0.0.1/")),
    "redirect to nobody": ("connect", redirect("http://127.0.0.1:9/")),
}


@pytest.fixture(scope="module")
def failing(serve, recorder):
    """A server and a gateway that has its good keys, for all failures."""
    server = KeyServer()
    server.publish(jwks(OLD))
    settings = {**BUSY, "maxBytes": 4096, "timeoutSeconds": 1, "waitSeconds": 1}
    gateway = serve(remote(recorder, settings, jwksUri=server.url()), recorder)
    gateway.wait_for_log(says("keys fetched"))
    yield server, gateway
    server.close()


@pytest.mark.parametrize(("reason", "answer"), FAILURES.values(), ids=FAILURES.keys())
def test_no_failure_takes_the_last_good_keys_away(failing, reason, answer):
    server, gateway = failing
    before = len(gateway.log)
    server.answers[KEYS] = answer
    line = gateway.wait_for_log(failed(reason), before)
    assert line["why"] and "secret" not in line["why"]
    assert gateway.get(token=OLD.token()).status == 200
    server.publish(jwks(OLD))
    gateway.wait_for_log(says("keys can be fetched again"), before)
    assert gateway.get(token=OLD.token()).status == 200
    assert f'result="{reason}"' in metrics(gateway)


def test_redirects_are_followed(start, server):
    server.answers["/moved"] = redirect(KEYS)
    server.answers["/again"] = redirect(server.url("/moved"))
    gateway = start(jwksUri=server.url("/again"))
    assert gateway.get(token=OLD.token()).status == 200


def test_no_redirect_is_followed_when_none_may_be(start, server):
    server.answers["/moved"] = redirect(KEYS)
    gateway = start({"maxRedirects": 0}, fetched=False, jwksUri=server.url("/moved"))
    gateway.wait_for_log(failed("redirect"))


ADDRESSES = [
    "169.254.169.254", "2852039166", "0xa9.254.0251.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]", "[fe80::1]", "[fd00:ec2::254]", "[::]", "0.0.0.0", "100.100.100.200",
]  # fmt: skip


@pytest.mark.parametrize("host", ADDRESSES)
def test_metadata_addresses_are_not_connected_to(start, host):
    gateway = start(fetched=False, jwksUri=f"https://{host}/jwks.json")
    assert "allowAddresses" in gateway.wait_for_log(failed("refused_address"))["why"]


def test_a_name_without_address_is_told(start):
    gateway = start(fetched=False, jwksUri="https://nobody.invalid/jwks.json")
    assert "nobody.invalid" in gateway.wait_for_log(failed("name"))["why"]


def test_without_any_keys_clients_are_told_to_come_again(start, server, recorder):
    server.answers[KEYS] = Answer(status=500)
    gateway = start({**ONCE, "unknownKeyIdCooldownSeconds": 7}, fetched=False, jwksUri=server.url(), jwks=jwks(OTHER))
    reached = gateway.reached()
    response = gateway.get(token=OLD.token())
    assert (response.status, response.header("retry-after")) == (503, "7")
    check_own_answer(response)
    assert response.json()["Code"] == "ServiceUnavailable"
    assert "key" not in response.json()["Message"]
    assert gateway.reached() == reached
    line = gateway.access_line(response)
    assert (line["outcome"], line["reason"]) == ("failed", "keys_unavailable")
    assert "500" in gateway.wait_for_log(failed("status"))["why"]
    assert gateway.get(token=OTHER.token()).status == 200, "a key of the configuration needs no issuer"
    assert gateway.get().status == 401
    assert gateway.get(token=OTHER.token({"exp": 1})).status == 401
    server.publish(jwks(OLD))
    poll(lambda: gateway.get(token=OLD.token()).status == 200)


def test_keys_that_are_too_old_are_dropped(start, server):
    gateway = start({**BUSY, "maxStaleSeconds": 2}, jwksUri=server.url())
    server.answers[KEYS] = Answer(status=500)
    poll(lambda: gateway.get(token=OLD.token()).status == 503)
    gateway.wait_for_log(says("the last good keys are too old"))
    server.publish(jwks(OLD))
    poll(lambda: gateway.get(token=OLD.token()).status == 200)


# --- Keys ---


def test_bad_keys_are_left_out_and_named(start, server, tmp_path):
    secret = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}
    pair = {**NEW.public_jwk, "d": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}
    server.publish({"keys": [weak_key(), {"kty": "AKP", "kid": "future"}, secret, pair, OLD.public_jwk, 7]})
    gateway = start({"cacheFolder": str(tmp_path / "jwks")}, jwksUri=server.url())
    for name in ("weak", "future", "shared", "new"):
        gateway.wait_for_log(lambda line: line.get("level") == "WARN" and f'kid "{name}"' in line["message"])
    assert gateway.get(token=OLD.token()).status == 200
    assert gateway.get(token=NEW.token()).status == 200
    [file] = poll(lambda: list((tmp_path / "jwks").glob("*.json")))
    assert "c2VjcmV0" not in file.read_text() + "".join(gateway.lines)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_token_signed_with_a_published_secret_is_refused(start, server):
    shared = Key("HS256", "shared")
    server.publish({"keys": [shared.public_jwk, OLD.public_jwk]})
    gateway = start(jwksUri=server.url())
    assert gateway.get(token=shared.token()).status == 401


def test_tokens_without_kid(start, server):
    alone, plain = Key("ES256", "alone"), Key("ES256")
    server.publish(jwks(alone))
    gateway = start(ONCE, jwksUri=server.url())
    without_kid = {"header": compact_json({"alg": "ES256"})}
    assert gateway.get(token=alone.token(**without_kid)).status == 200, "the only key of the only set"

    gateway = start(ONCE, jwksUri=server.url(), jwks=jwks(OTHER))
    for key in (alone, OTHER):
        response = gateway.get(token=key.token(**without_kid))
        assert gateway.access_line(response)["reason"] == "missing_key_id"
    assert gateway.get(token=OTHER.token()).status == 200

    server.publish(jwks(plain))
    gateway = start(ONCE, jwksUri=server.url(), jwks=jwks(OTHER))
    assert gateway.get(token=plain.token()).status == 200


def test_of_two_keys_with_one_kid_that_of_the_configuration_is_used(start, server):
    ours = Key("ES256", "old")
    gateway = start(jwksUri=server.url(), jwks=jwks(ours))
    assert gateway.get(token=ours.token()).status == 200
    response = gateway.get(token=OLD.token())
    assert gateway.access_line(response)["reason"] == "bad_signature"


# --- TLS ---


@pytest.fixture
def tls_server(authority, tmp_path, request):
    def start(*hosts) -> KeyServer:
        files = tmp_path / "server.crt", tmp_path / "server.key"
        authority.issue(*files, *hosts)
        server = KeyServer(files)
        request.addfinalizer(server.close)
        server.publish(jwks(OLD))
        return server

    return start


def test_a_certificate_of_an_authority_of_ones_own(start, tls_server, authority):
    server = tls_server("localhost", "127.0.0.1")
    for url in (server.url(), server.url(host="localhost")):
        gateway = start({"caFile": str(authority.file)}, jwksUri=url)
        assert gateway.get(token=OLD.token()).status == 200
    gateway = start(fetched=False, jwksUri=server.url())
    line = gateway.wait_for_log(failed("tls"))
    assert "UnknownIssuer" in line["why"]
    assert gateway.get(token=OLD.token()).status == 503


def test_a_certificate_for_another_host(start, tls_server, authority):
    server = tls_server("other.example.com")
    gateway = start({"caFile": str(authority.file)}, fetched=False, jwksUri=server.url(host="localhost"))
    assert "other.example.com" in gateway.wait_for_log(failed("tls"))["why"]
    assert gateway.get(token=OLD.token()).status == 503


def test_no_redirect_leads_from_https_to_http(start, tls_server, server, authority):
    secure = tls_server("127.0.0.1")
    secure.answers[KEYS] = redirect(server.url())
    gateway = start({"caFile": str(authority.file), "allowHttp": True}, fetched=False, jwksUri=secure.url())
    gateway.wait_for_log(failed("redirect"))
    assert server.count() == 0


# --- Discovery ---


def discovery(server, issuer: str, path: str = KEYS) -> Answer:
    return Answer(json.dumps({"issuer": issuer, "jwks_uri": server.url(path)}).encode())


@pytest.mark.parametrize("path", ["", "/tenant", "/tenant/"])
def test_keys_and_issuer_are_found_by_discovery(start, server, path):
    issuer = server.url(path)
    server.answers[path.rstrip("/") + CONFIGURATION] = discovery(server, issuer)
    gateway = start(oidcIssuer=issuer)
    assert gateway.get(token=OLD.token({"iss": issuer})).status == 200
    for wrong in ("https://id.example.com", issuer + "/", issuer.upper(), None):
        response = gateway.get(token=OLD.token({"iss": wrong} if wrong else {}))
        assert (response.status, gateway.access_line(response)["reason"]) == (401, "wrong_issuer")


def test_issuers_of_the_list_are_accepted_too(start, server):
    issuer = server.url("")
    server.answers[CONFIGURATION] = discovery(server, issuer)
    gateway = start(oidcIssuer=issuer, issuers=["https://old.example.com"], jwks=jwks(OTHER))
    assert gateway.get(token=OLD.token({"iss": issuer})).status == 200
    assert gateway.get(token=OTHER.token({"iss": "https://old.example.com"})).status == 200
    assert gateway.get(token=OTHER.token({"iss": "https://evil.example.com"})).status == 401


@pytest.mark.parametrize("change", ["/", "x", "missing"])
def test_the_configuration_of_another_issuer_is_not_believed(start, server, change):
    issuer = server.url("")
    found = discovery(server, issuer + change) if change != "missing" else Answer(b'{"jwks_uri": "https://id"}')
    server.answers[CONFIGURATION] = found
    gateway = start(fetched=False, oidcIssuer=issuer)
    assert "issuer" in gateway.wait_for_log(failed("discovery"))["why"]
    assert gateway.get(token=OLD.token({"iss": issuer})).status == 503
    assert server.count() == 0


def test_keys_that_moved_are_found_again(start, server):
    issuer = server.url("")
    server.answers[CONFIGURATION] = discovery(server, issuer)
    gateway = start(BUSY, oidcIssuer=issuer)
    server.wait_for_count(2)
    assert server.count(CONFIGURATION) == 1, "where the keys are is not asked each time"
    server.answers[CONFIGURATION] = discovery(server, issuer, "/moved")
    server.answers["/moved"] = keys_answer(jwks(NEW))
    del server.answers[KEYS]
    poll(lambda: gateway.get(token=NEW.token({"iss": issuer})).status == 200)


# --- The folder ---


def test_keys_survive_a_restart_without_the_issuer(serve, recorder, server, tmp_path):
    settings = {"cacheFolder": str(tmp_path / "kept")}
    gateway = serve(remote(recorder, settings, jwksUri=server.url()), recorder)
    [file] = poll(lambda: list((tmp_path / "kept").glob("*.json")))
    assert gateway.stop() == 0
    server.answers[KEYS] = Answer(status=500)

    gateway = serve(remote(recorder, settings, jwksUri=server.url()), recorder)
    line = gateway.wait_for_log(says("keys of an earlier run are used"))
    assert (line["keys"], line["file"]) == (1, str(file))
    assert gateway.get(token=OLD.token()).status == 200
    gateway.wait_for_log(failed("status"))
    assert gateway.get(token=OLD.token()).status == 200
    assert gateway.stop() == 0

    kept = json.loads(file.read_text())
    for content in ("", "{", json.dumps({**kept, "source": "jwksUri https://id.example.com/"}),
                    json.dumps({**kept, "jwks": {"keys": []}})):  # fmt: skip
        file.write_text(content)
        gateway = serve(remote(recorder, settings, jwksUri=server.url()), recorder)
        gateway.wait_for_log(says("keys of an earlier run cannot be used"))
        assert gateway.get(token=OLD.token()).status == 503
        assert gateway.stop() == 0


def test_the_folder_is_beside_the_configuration_or_where_systemd_says(serve, recorder, server, tmp_path, monkeypatch):
    written = configuration([domain(auth=auth(jwksUri=server.url()))], [function(recorder.url)])
    gateway = serve(written, recorder)
    poll(lambda: list((gateway.file.parent / ".claimgate/jwks").glob("*.json")))
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/state:/nowhere")
    gateway = serve(written, recorder)
    poll(lambda: list((tmp_path / "state/jwks").glob("*.json")))
    assert not (gateway.file.parent / ".claimgate").exists()


def test_a_folder_that_cannot_be_written_is_a_warning(start, server, tmp_path):
    (tmp_path / "file").write_text("no folder")
    gateway = start({"cacheFolder": str(tmp_path / "file/jwks")}, jwksUri=server.url())
    assert gateway.wait_for_log(says("keys cannot be kept for the next start"))["why"]
    assert gateway.get(token=OLD.token()).status == 200


# --- Reload ---


def reload(gateway, written: dict, message: str = "configuration reloaded"):
    before = len(gateway.log)
    gateway.write(written)
    gateway.wait_for_log(says(message), before)


def test_a_reload_keeps_what_stays_and_ends_what_goes(start, recorder, server):
    other = KeyServer()
    other.publish(jwks(NEW))
    gateway = start(BUSY, jwksUri=server.url())
    reload(gateway, remote(recorder, BUSY, jwksUri=other.url()))
    assert gateway.get(token=NEW.token()).status == 200
    assert gateway.get(token=OLD.token()).status == 401
    poll(lambda: f'usable{{source="{server.url()}"}}' not in metrics(gateway))
    count = server.count()
    other.wait_for_count(other.count() + 3)
    assert server.count() <= count + 1, "one fetch may have been under way"
    other.close()


def test_a_reload_of_something_else_fetches_nothing(start, recorder, server):
    gateway = start(ONCE, jwksUri=server.url())
    for leeway in (1, 2):
        reload(gateway, remote(recorder, ONCE, jwksUri=server.url(), leewaySeconds=leeway))
        assert gateway.get(token=OLD.token()).status == 200
    assert server.count() == 1


def test_new_settings_fetch_anew_and_keep_the_keys_meanwhile(start, recorder, server):
    gateway = start(ONCE, jwksUri=server.url())
    server.answers[KEYS] = Answer(hold=threading.Event(), status=500)
    reload(gateway, remote(recorder, {**ONCE, "refreshSeconds": 7200}, jwksUri=server.url()))
    server.wait_for_count(2)
    assert gateway.get(token=OLD.token()).status == 200
    server.answers[KEYS].hold.set()
    gateway.wait_for_log(failed("status"))
    assert gateway.get(token=OLD.token()).status == 200


def test_a_reload_with_a_bad_authority_is_refused(start, recorder, server, tmp_path):
    gateway = start(ONCE, jwksUri=server.url())
    file = tmp_path / "ca.pem"
    for content in (None, "no certificate"):
        if content:
            file.write_text(content)
        written = remote(recorder, {**ONCE, "caFile": str(file)}, jwksUri=server.url())
        reload(gateway, written, "configuration refused")
    gateway.wait_for_log(says("gateway.remoteJwks.caFile"))
    assert gateway.get(token=OLD.token()).status == 200


def test_a_reload_reads_the_authorities_again(start, tls_server, authority, tmp_path):
    file = tmp_path / "ca.pem"
    (tmp_path / "other").mkdir()
    file.write_bytes(Authority(tmp_path / "other").file.read_bytes())
    gateway = start({**ONCE, "caFile": str(file)}, fetched=False, jwksUri=tls_server("127.0.0.1").url())
    gateway.wait_for_log(failed("tls"))
    file.write_bytes(authority.file.read_bytes())
    gateway.process.send_signal(signal.SIGHUP)
    # They may have come before they are served.
    gateway.wait_for_log(says("keys fetched"))
    gateway.wait_for_log(says("configuration reloaded"))
    assert gateway.get(token=OLD.token()).status == 200


# --- Metrics ---


def test_metrics_tell_of_each_source(start, server):
    gateway = start(QUIET, jwksUri=server.url())
    gateway.get(token=NEW.token())
    source = re.escape(server.url())
    text = metrics(gateway)
    for line in (
        rf'claimgate_remote_keys_fetches_total\{{source="{source}",result="changed"\}} 1',
        rf'claimgate_remote_keys_fetches_total\{{source="{source}",result="unchanged"\}} 1',
        rf'claimgate_remote_keys_waits_total\{{source="{source}",result="unchanged"\}} 1',
        rf'claimgate_remote_keys_usable\{{source="{source}"\}} 1',
        rf'claimgate_remote_keys_last_success_timestamp_seconds\{{source="{source}"\}} \d{{10}}',
    ):
        assert re.search(f"^{line}$", text, re.M), text


# --- Commands ---


@pytest.fixture
def file(tmp_path):
    """Writes a configuration whose function is the built-in one."""

    def write(settings=None, **sources):
        domains = [domain(auth=auth(**sources))]
        functions = [{"functionName": "orders", "builtin": "echo"}]
        path = tmp_path / "claimgate.yaml"
        path.write_text(json.dumps(configuration(domains, functions, remoteJwks=settings or {})))
        return path

    return write


def test_check_fetches_nothing_and_looks_at_the_authorities(file, server, tmp_path):
    assert claimgate("check", "--config", file(jwksUri=server.url())).code == 0
    assert server.requests == []
    (tmp_path / "ca.pem").write_text("no certificate")
    check_refusal(claimgate("check", "--config", file({"caFile": "ca.pem"}, jwksUri=server.url())), 1, "caFile")


def try_it(file, token: str):
    result = claimgate("try", "--config", file, "--json", "/", "-H", f"Authorization: Bearer {token}")
    return result, json.loads(result.text)


def detail(trace: dict, check: str) -> str:
    return next(one["detail"] for one in trace["checks"] if one["check"] == check)


def test_try_fetches_what_the_token_needs(file, server):
    path = file({"waitSeconds": 0}, jwksUri=server.url(), jwks=jwks(OTHER))
    result, trace = try_it(path, OTHER.token())
    assert (result.code, server.requests) == (0, []), "a key of the configuration needs no fetch"
    assert "fetched" not in detail(trace, "key")

    result, trace = try_it(path, OLD.token())
    assert (result.code, server.count()) == (0, 1)
    assert f"fetched from {server.url()}" in detail(trace, "key")
    assert [check["check"] for check in trace["checks"]].count("header") == 1

    result, trace = try_it(path, NEW.token())
    assert (result.code, trace["refusal"]["reason"]) == (1, "unknown_key_id")
    assert '"old"' in trace["refusal"]["detail"] and '"other"' in trace["refusal"]["detail"]
    assert not (path.parent / ".claimgate").exists()

    server.answers[KEYS] = Answer(status=418)
    result, trace = try_it(path, OLD.token())
    assert (result.code, trace["refusal"]["reason"]) == (1, "keys_unavailable")
    assert "418" in trace["refusal"]["detail"] and server.url() in trace["refusal"]["detail"]


def test_token_verify_fetches_what_the_token_needs(file, server):
    def verify(token: str):
        return claimgate("token", "verify", "--config", path, "--domain", "api.example.com", stdin=token)

    path = file(jwksUri=server.url())
    assert json.loads(verify(OLD.token({"sub": "ann"})).text)["sub"] == "ann"
    assert "unknown_key_id" in verify(NEW.token()).err
    server.answers[KEYS] = Answer(status=418)
    result = verify(OLD.token())
    assert result.code == 1 and "keys_unavailable" in result.err and "418" in result.err


# --- All together ---


def test_an_authorizer_rotates_its_key_and_nobody_is_refused(start, tmp_path, request):
    login = Authorizer(tmp_path)
    request.addfinalizer(login.stop)
    gateway = start(QUIET, jwksUri=login.url("/.well-known/jwks.json"))
    old = login.token()
    assert gateway.get(token=old).status == 200
    assert login.rotate("--now").code == 0
    new = login.wait_until(lambda: token if jwt_kid(token := login.token()) != jwt_kid(old) else None)
    assert gateway.get(token=new).status == 200
    assert gateway.get(token=old).status == 200


def test_failures_reloads_and_floods_at_once(start, recorder, server):
    """Whatever happens at the issuer and in the configuration, whoever has a known key passes."""
    gateway = start(BUSY, jwksUri=server.url())
    ended = threading.Event()

    def send(token: str, right: set[int]) -> int:
        count = 0
        while not ended.is_set():
            response = ask(gateway, token)
            assert response.status in right, response
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        clients = [pool.submit(send, OLD.token(), {200}) for _ in range(4)]
        clients += [pool.submit(send, Key("ES256", f"invented-{n}").token(), {401}) for n in range(4)]
        clients += [pool.submit(send, NEW.token(), {200, 401}) for _ in range(2)]
        try:
            for number in range(3):
                for answer in (Answer(status=500), Answer(b"{"), Answer(write=broken), keys_answer(jwks(OLD, NEW))):
                    server.answers[KEYS] = answer
                    server.wait_for_count(server.count() + 1)
                    settings = {**BUSY, "waitSeconds": number % 3, "unknownKeyIdCooldownSeconds": 1}
                    reload(gateway, remote(recorder, settings, jwksUri=server.url(), leewaySeconds=number))
        finally:
            ended.set()
        assert all(client.result() > 0 for client in clients)
    assert gateway.get(token=OLD.token()).status == 200
