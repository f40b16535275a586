"""Running the gateway: reload, stop, health, logs, `claimgate check`."""

import json
import os
import re
import signal
import socket
import subprocess
import threading

import httpx
import pytest

from support.configuration import configuration, domain, function, jwt
from support.gateway import BINARY
from support.http1 import Connection, head
from support.recorder import plain_answer
from support.tokens import Key, b64u, jwks, key

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
RELOADED = "configuration reloaded"
REFUSED = "configuration refused, the last good one stays"


def with_keys(recorder, *keys: Key, claim_pass_by="header:sub:x-old") -> dict:
    return configuration([domain(auth=jwt(jwks(*keys), claim_pass_by=claim_pass_by))], [function(recorder.url)])


@pytest.fixture
def gateway(serve, recorder):
    return serve(with_keys(recorder, KEY), recorder)


def message(text: str):
    return lambda line: line.get("message") == text


# --- Reload ---


def test_a_changed_file_is_loaded(gateway, recorder):
    assert gateway.get(token=TOKEN).seen.values("x-old") == ["ann"]
    gateway.write(with_keys(recorder, KEY, claim_pass_by="header:sub:x-new"))
    gateway.wait_for_log(message(RELOADED))
    seen = gateway.get(token=TOKEN).seen
    assert (seen.values("x-old"), seen.values("x-new")) == ([], ["ann"])


def test_a_file_that_is_written_in_place_is_loaded(gateway, recorder):
    gateway.file.write_text(json.dumps(with_keys(recorder, KEY, claim_pass_by="header:sub:x-new")))
    gateway.wait_for_log(message(RELOADED))
    assert gateway.get(token=TOKEN).seen.values("x-new") == ["ann"]


def test_a_file_behind_a_symbolic_link_is_loaded_when_the_link_changes(serve, recorder, tmp_path):
    """As Kubernetes mounts a ConfigMap."""
    gateway = serve(with_keys(recorder, KEY), recorder)
    other = tmp_path / "other.yaml"
    other.write_text(json.dumps(with_keys(recorder, KEY, claim_pass_by="header:sub:x-new")))
    link = tmp_path / "link"
    link.symlink_to(other)
    link.replace(gateway.file)
    gateway.wait_for_log(message(RELOADED))
    assert gateway.get(token=TOKEN).seen.values("x-new") == ["ann"]


def test_sighup_reloads(gateway):
    before = len(gateway.log)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait_for_log(message(RELOADED), before)
    assert gateway.get(token=TOKEN).status == 200


@pytest.mark.parametrize("text", ["", "{", "gateway: 1\n", "customDomains: [{domainName: x}]\n", "\x00"])
def test_a_bad_file_keeps_the_last_good_configuration(gateway, recorder, text):
    gateway.write(text)
    line = gateway.wait_for_log(message(REFUSED))
    assert line["level"].lower() in ("error", "warn")
    assert gateway.get(token=TOKEN).seen.values("x-old") == ["ann"]
    before = len(gateway.log)
    gateway.write(with_keys(recorder, KEY, claim_pass_by="header:sub:x-new"))
    gateway.wait_for_log(message(RELOADED), before)
    assert gateway.get(token=TOKEN).seen.values("x-new") == ["ann"]


def test_a_refused_file_is_explained_in_the_log(gateway):
    gateway.write("gateway:\n  http: nowhere\nfunctions: []\n")
    gateway.wait_for_log(message(REFUSED))
    gateway.wait_for(lambda: [line for line in gateway.lines if "gateway.http" in line])


def test_a_removed_file_keeps_the_last_good_configuration(gateway):
    gateway.file.unlink()
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait_for_log(message(REFUSED))
    assert gateway.get(token=TOKEN).status == 200


def test_a_removed_key_opens_nothing_any_more_and_a_new_one_does(gateway, recorder):
    new = Key("ES256")
    assert gateway.get(token=TOKEN).status == 200
    assert gateway.get(token=new.token()).status == 401
    gateway.write(with_keys(recorder, new))
    gateway.wait_for_log(message(RELOADED))
    assert gateway.get(token=TOKEN).status == 401
    assert gateway.get(token=new.token()).status == 200


def test_open_connections_see_the_new_configuration(gateway, recorder):
    request = head("GET", "/", [("Host", "api.example.com"), ("Authorization", f"Bearer {TOKEN}")])
    with gateway.connect() as connection:
        connection.send(request)
        assert connection.receive().status == 200
        gateway.write(with_keys(recorder, Key("ES256")))
        gateway.wait_for_log(message(RELOADED))
        connection.send(request)
        assert connection.receive().status == 401


# --- Start and stop ---


class Held:
    """A function that answers when it is released."""

    def __init__(self):
        self.arrived, self.release = threading.Event(), threading.Event()

    def __call__(self, request, stream, number):
        self.arrived.set()
        assert self.release.wait(30)
        plain_answer(request, stream, number)


def test_a_request_in_flight_is_answered_before_the_process_ends(serve, start_function):
    held = Held()
    gateway = serve(configuration([domain()], [function(start_function(held).url)]))
    idle = gateway.connect()
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", "api.example.com")]))
        assert held.arrived.wait(15)
        gateway.process.send_signal(signal.SIGTERM)
        assert idle.is_closed()
        with pytest.raises(ConnectionRefusedError):
            while True:  # The listener closes at once, but not before the signal has arrived.
                Connection(gateway.address).close()
        assert gateway.process.poll() is None
        held.release.set()
        response = connection.receive()
        assert (response.status, response.body) == (200, b"recorded\n")
    assert gateway.process.wait(20) == 0


def test_a_request_that_never_ends_is_given_up(serve, start_function):
    held = Held()
    domains, functions = [domain()], [function(start_function(held).url)]
    gateway = serve(configuration(domains, functions, timeouts={"drainSeconds": 1, "firstByteSeconds": 60}))
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", "api.example.com")]))
        assert held.arrived.wait(15)
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(15) == 0
    held.release.set()


def test_an_idle_gateway_stops_at_once(gateway):
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", "api.example.com")]))
        assert connection.receive().status == 401
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(5) == 0


def test_sigint_stops_too(gateway):
    gateway.process.send_signal(signal.SIGINT)
    assert gateway.process.wait(10) == 0


def claimgate(*arguments: str, cwd=None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=30, cwd=cwd, stdin=subprocess.DEVNULL
    )


def test_serve_does_not_start_with_a_bad_configuration(tmp_path):
    (tmp_path / "bad.yaml").write_text("gateway: {http: nowhere}\n")
    result = claimgate("serve", "--config", "bad.yaml", cwd=tmp_path)
    assert result.returncode == 1
    assert "bad.yaml:1:" in result.stderr


def test_serve_says_which_address_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        written = configuration([domain()], [{"functionName": "orders", "builtin": "echo"}], http=address)
        (tmp_path / "c.yaml").write_text(json.dumps(written))
        result = claimgate("serve", "--config", "c.yaml", cwd=tmp_path)
    assert result.returncode == 1
    assert address in result.stderr
    assert "panicked" not in result.stderr


# --- The admin listener ---


def admin(gateway, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{gateway.admin[1]}{path}", trust_env=False, timeout=10)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health(gateway, path):
    assert admin(gateway, path).status_code == 200


def test_metrics_count_requests_and_reasons(gateway):
    for token in [TOKEN, TOKEN, None, "x", Key("ES256").token()]:
        gateway.get(token=token)
    text = admin(gateway, "/metrics").text
    assert re.search(r'^claimgate_\w+\{[^}]*outcome="accepted"[^}]*\} 2$', text, re.M), text
    assert re.search(r'^claimgate_\w+\{[^}]*"missing_token"[^}]*\} 1$', text, re.M), text
    assert "eyJ" not in text
    for line in text.splitlines():
        assert re.fullmatch(r'#.*|[a-z_]+(\{[^}]*\})? [0-9.e+-]+', line), line


def test_the_admin_listener_answers_in_the_common_shape(gateway):
    response = admin(gateway, "/nobody")
    assert response.status_code == 404
    assert set(response.json()) == {"RequestId", "Code", "Message"}
    assert response.headers["x-fc-request-id"] == response.json()["RequestId"]


def test_the_data_plane_has_no_admin_paths(gateway):
    for path in ("/healthz", "/metrics", "/readyz"):
        assert gateway.get(path).status == 401
        assert gateway.get(path, host="localhost").status == 404


# --- Logs ---


def test_the_access_line(gateway):
    response = gateway.get("/a/b?secret=word", token=TOKEN)
    line = gateway.access_line(response)
    assert (line["domain"], line["method"], line["path"]) == ("api.example.com", "GET", "/a/b")
    assert (line["route"], line["function"]) == ("/*", "orders")
    assert (line["status"], line["outcome"]) == (200, "accepted")
    for name in ("duration_us", "authenticate_us", "function_us"):
        assert isinstance(line[name], int) and 0 <= line[name] < 20_000_000
    assert line["duration_us"] >= line["authenticate_us"]
    assert not [value for value in line.values() if isinstance(value, dict | list)]
    assert not [line for line in gateway.lines if "secret" in line]


REASONS = {
    "missing_token": [],
    "ambiguous_token": [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")],
    "wrong_prefix": [("Authorization", f"Basic {TOKEN}")],
}


@pytest.mark.parametrize(("reason", "headers"), REASONS.items(), ids=REASONS.keys())
def test_the_reason_of_a_refusal_is_in_the_log(gateway, reason, headers):
    line = gateway.access_line(gateway.get(headers=headers))
    assert (line["status"], line["outcome"], line["reason"]) == (401, "refused", reason)


def test_reasons_of_verification_differ(gateway):
    tokens = {
        "expired": KEY.token({"exp": 1}),
        "signature": Key("ES256").token(),
        "algorithm": KEY.token(header={"alg": "none"}),
        "malformed": "x.y",
        "crit": KEY.token(header={"crit": ["x"], "x": 1}),
        "kid": KEY.token(header={"kid": "nobody"}),
    }
    reasons = {name: gateway.access_line(gateway.get(token=token))["reason"] for name, token in tokens.items()}
    assert len(set(reasons.values())) == len(reasons), reasons


def test_one_access_line_per_request(gateway):
    responses = [gateway.get(token=TOKEN) for _ in range(5)]
    # Each thread writes its own lines, so that the last request's may come before others.
    for response in [*responses, gateway.get()]:
        gateway.access_line(response)
    assert len([line for line in gateway.log if line.get("message") == "request"]) == 6


@pytest.mark.parametrize("path", ['/"},{"message":"fake"', "/%22%7d", "/a\u2028b", "/{x}"], ids=ascii)
def test_a_path_cannot_forge_a_log_line(gateway, path):
    response = gateway.get(path, token=TOKEN)
    line = gateway.access_line(response)
    assert "fake" not in [entry.get("message") for entry in gateway.log]
    assert line["method"] == "GET"


def test_no_secret_in_any_log_line_even_when_everything_is_logged(serve, recorder, monkeypatch):
    monkeypatch.setenv("CLAIMGATE_LOG", "trace")
    secret = key("HS256")
    auth = jwt(jwks(secret), "header:Authorization:Bearer,cookie:token,query:token,form:token", "header:sub:x-sub")
    gateway = serve(configuration([domain(auth=auth)], [function(recorder.url)]), recorder)
    token = secret.token({"sub": "subject-of-nobodys-business"})
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    gateway.get(token=token)
    gateway.get(f"/?token={token}")
    gateway.get(headers=[("Cookie", f"token={token}")])
    gateway.post(headers=form, body=f"token={token}".encode())
    gateway.access_line(gateway.get(token=token[:-1]))
    gateway.write(json.dumps(with_keys(recorder, secret))[:-1])
    gateway.wait_for_log(message(REFUSED))
    logged = "".join(gateway.lines + gateway.output)
    for word in (*token.split("."), b64u(secret.private), "subject-of-nobodys-business"):
        assert word not in logged


# --- claimgate check ---


def check(tmp_path, text: str) -> subprocess.CompletedProcess:
    (tmp_path / "claimgate.yaml").write_text(text)
    return claimgate("check", "--config", "claimgate.yaml", cwd=tmp_path)


def test_check_is_content_with_a_good_configuration(tmp_path, recorder):
    result = check(tmp_path, json.dumps(with_keys(recorder, KEY)))
    assert result.returncode == 0, result.stderr
    assert "error" not in result.stderr


BASE = """\
functions:
  - functionName: orders
    builtin: echo
customDomains:
  - domainName: api.example.com
    routeConfig:
      routes:
        - {path: /*, functionName: orders}
    authConfig:
      authType: jwt
      authInfo:
        jwks: {keys: [JWK]}
        tokenLookup: "header:Authorization:Bearer"
""".replace("JWK", json.dumps(KEY.public_jwk))

RSA_1024 = {"kty": "RSA", "alg": "RS256", "e": "AQAB", "n": b64u(b"\xc1" + os.urandom(126) + b"\x01")}
# What is replaced by what, and the line and the last part of the field that the problem names.
PROBLEMS = {
    "unknown field": ("    builtin: echo", "    builtIn: echo", 3, "builtIn"),
    "unknown function": ("functionName: orders}", "functionName: order}", 8, "functionName"),
    "path without slash": ("path: /*", "path: orders", 8, "path"),
    "star in the middle": ("path: /*", "path: /*/x", 8, "path"),
    "unknown position": ('"header:Auth', '"body:Auth', 13, "tokenLookup"),
    "no key": (json.dumps(KEY.public_jwk), "", 12, "jwks"),
    "weak key": (json.dumps(KEY.public_jwk), json.dumps(RSA_1024), 12, ""),
    "short secret": (json.dumps(KEY.public_jwk), '{"kty":"oct","alg":"HS256","k":"c2hvcnQ"}', 12, ""),
    "empty secret": (json.dumps(KEY.public_jwk), '{"kty":"oct","alg":"HS256","k":""}', 12, ""),
    "domain name": ("api.example.com", "-api_.example.com", 5, "domainName"),
    "auth type": ("authType: jwt", "authType: basic", 10, "authType"),
    "auth type of function": ("authType: jwt", "authType: function", 10, "authType"),
    "not YAML": ("    authConfig:", "   authConfig: [", 9, ""),
}


@pytest.mark.parametrize(("old", "new", "line", "field"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_check_names_file_line_column_and_field(tmp_path, old, new, line, field):
    assert check(tmp_path, BASE).returncode == 0
    assert old in BASE
    result = check(tmp_path, BASE.replace(old, new))
    assert result.returncode == 1
    found = re.findall(r"^claimgate\.yaml:(\d+):(\d+): error: (.*)$", result.stderr, re.M)
    assert found, result.stderr
    assert any((int(number) == line or field == "") and field in text for number, _, text in found), result.stderr
    assert "c2hvcnQ" not in result.stderr


def test_check_reports_every_problem(tmp_path):
    text = BASE.replace("path: /*", "path: x").replace("builtin: echo", "builtin: ecko").replace('"header:', '"head:')
    result = check(tmp_path, text)
    assert len(re.findall(r"^claimgate\.yaml:\d+:\d+: error: ", result.stderr, re.M)) >= 3, result.stderr


REFUSED_TARGETS = ["Host", "Content-Length", "Transfer-Encoding", "Connection", ":authority", "x-fc-account-id", "te"]


@pytest.mark.parametrize("name", REFUSED_TARGETS)
def test_check_refuses_claims_as_headers_that_frame_the_message(tmp_path, name):
    mapping = {"claimName": "sub", "mappingParameterPosition": "header", "mappingParameterName": name}
    result = check(tmp_path, BASE + f"        claimPassBy: [{json.dumps(mapping)}]\n")
    assert result.returncode == 1, result.stderr
    assert "claimPassBy" in result.stderr


def test_check_refuses_duplicate_kids_and_two_keys_without(tmp_path):
    for keys in ([Key("ES256", "a"), Key("ES256", "a")], [Key("ES256"), Key("ES256", "")]):
        written = ",".join(json.dumps(one.public_jwk) for one in keys)
        result = check(tmp_path, BASE.replace(json.dumps(KEY.public_jwk), written))
        assert result.returncode == 1, result.stderr


def test_check_warns_of_private_members_and_never_prints_them(tmp_path):
    private = b64u(KEY.private.private_numbers().private_value.to_bytes(32, "big"))
    jwk = {**KEY.public_jwk, "d": private}
    result = check(tmp_path, BASE.replace(json.dumps(KEY.public_jwk), json.dumps(jwk)))
    assert result.returncode == 0, result.stderr
    assert "warning" in result.stderr and private not in result.stderr + result.stdout


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]\n", "text\n", "null\n"])
def test_check_refuses_what_is_no_configuration(tmp_path, text):
    result = check(tmp_path, text)
    assert result.returncode == 1, result.stderr
    assert "claimgate.yaml" in result.stderr


def test_check_refuses_a_file_that_is_not_there(tmp_path):
    result = claimgate("check", "--config", "nowhere.yaml", cwd=tmp_path)
    assert result.returncode == 1
    assert "nowhere.yaml" in result.stderr


@pytest.mark.parametrize("arguments", [["check"], ["check", "--confg", "x"], ["chek"], [], ["serve", "--config"]])
def test_wrong_usage_is_2(arguments):
    result = claimgate(*arguments)
    assert result.returncode == 2
    assert "--help" in result.stderr or "Usage" in result.stderr


def test_help_and_version():
    assert "serve" in claimgate("--help").stdout
    assert re.match(r"claimgate \d+\.\d+\.\d+", claimgate("--version").stdout)
