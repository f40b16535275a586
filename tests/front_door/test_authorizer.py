"""`claimgate authorizer`: from a username and a password to a token that others verify."""

import json
import subprocess
import time

import pytest
from jwt import get_unverified_header

from support import http1
from support.authorizer import SNOW, password_hash, user
from support.configuration import configuration, domain, jwt

CLAIMS = {"name": "{name}", "roles": "{roles}", "age": "{age}", "who": "{name} ({username})", "tenant": "acme", "n": None}


@pytest.fixture
def login(authorizer):
    """One with claims, for tests that change nothing about it."""
    return authorizer(audience="orders", claims=CLAIMS, tokenLifetimeSeconds=600)


def curl(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["curl", "-sS", "--noproxy", "*", *arguments], capture_output=True, text=True, timeout=30)


def test_a_form_sent_by_curl_gives_a_token_that_pyjwt_verifies(login):
    done = curl("-i", login.url("/token"), "-d", "grant_type=password", "-d", "username=snow", "--data-urlencode", "password=winter is coming")
    head, body = done.stdout.split("\n\n", 1)
    answer = json.loads(body)
    assert head.startswith("HTTP/1.1 200")
    assert "cache-control: no-store" in head and "pragma: no-cache" in head and "content-type: application/json" in head
    assert set(answer) == {"access_token", "token_type", "expires_in"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)

    header = get_unverified_header(answer["access_token"])
    assert header == {"alg": "EdDSA", "typ": "JWT", "kid": login.key_ids()[0]}
    claims = login.claims(answer["access_token"], audience="orders")
    assert claims["exp"] - claims["iat"] == 600 and abs(claims["iat"] - time.time()) < 60
    assert len(claims.pop("jti")) == 22
    assert claims == {
        "iss": "http://login.localhost/auth", "sub": "snow", "aud": "orders",
        "iat": claims["iat"], "exp": claims["exp"],
        "name": "John Snow", "roles": ["ranger", "steward"], "age": 17, "who": "John Snow (snow)",
        "tenant": "acme", "n": None,
    }  # fmt: skip


def test_json_gives_one_too_and_no_two_tokens_are_the_same(login):
    body = {"username": "snow", "password": "winter is coming"}
    tokens = {login.post(json=body).json()["access_token"] for _ in range(3)}
    assert len(tokens) == 3
    assert login.post(json={**body, "grant_type": "password"}).status_code == 200


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES256", "ES512", "EdDSA"])
def test_the_gateway_verifies_its_tokens(authorizer, serve, algorithm):
    login = authorizer(audience=["orders", "stock"], claims={"name": "{name}"}, keys={"folder": "keys", "algorithm": algorithm})
    auth = jwt(login.jwks(), claim_pass_by="header:name:x-name,header:sub:x-sub", issuers=[login.configuration["issuer"]], audiences=["stock"])
    gateway = serve(configuration([domain(auth=auth)], [{"functionName": "orders", "builtin": "echo"}]))
    token = login.token()
    echo = gateway.get(token=token).json()
    assert ["x-name", "John Snow"] in echo["headers"] and ["x-sub", "snow"] in echo["headers"]
    changed = token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
    assert gateway.get(token=changed).status == 401
    assert login.claims(token, audience="orders")["sub"] == "snow"


def test_discovery_leads_curl_to_everything(login):
    # The issuer's name leads to the authorizer, as behind a proxy.
    to = ["--connect-to", f"::127.0.0.1:{login.port}"]
    issuer = login.configuration["issuer"]
    document = json.loads(curl(*to, issuer + "/.well-known/openid-configuration").stdout)
    assert document == {
        "issuer": issuer,
        "jwks_uri": issuer + "/.well-known/jwks.json",
        "token_endpoint": issuer + "/token",
        "grant_types_supported": ["password"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "token_endpoint_auth_methods_supported": ["none"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "jti", "name", "roles", "age", "who", "tenant", "n"],
    }
    jwks = json.loads(curl(*to, document["jwks_uri"]).stdout)
    assert jwks == login.jwks() and set(jwks["keys"][0]) == {"kty", "kid", "use", "alg", "crv", "x"}
    form = ["-d", "grant_type=password&username=snow&password=winter+is+coming"]
    assert "access_token" in json.loads(curl(*to, document["token_endpoint"], *form).stdout)
    # A proxy may take the issuer's path off.
    assert login.get("/.well-known/openid-configuration").json() == document
    assert login.get("/auth/.well-known/jwks.json").headers["cache-control"] == "public, max-age=150"


FORM = "application/x-www-form-urlencoded"
GOOD = "grant_type=password&username=snow&password=winter+is+coming"


@pytest.mark.parametrize(
    ("content_type", "body", "status", "error"),
    [
        (FORM, "username=snow&password=x", 400, "invalid_request"),
        (FORM, "grant_type=password&username=snow", 400, "invalid_request"),
        (FORM, "grant_type=password&password=x", 400, "invalid_request"),
        (FORM, "grant_type=password&username=&password=x", 400, "invalid_request"),
        (FORM, GOOD + "&password=y", 400, "invalid_request"),
        (FORM, GOOD + "&user%6eame=y", 400, "invalid_request"),
        (FORM, "grant_type=password&username=snow&password=%ff", 400, "invalid_request"),
        (FORM, "grant_type=password&username=snow&password=" + "x" * 1025, 400, "invalid_request"),
        (FORM, "grant_type=password&password=x&username=" + "x" * 256, 400, "invalid_request"),
        (FORM, "grant_type=authorization_code&code=x", 400, "unsupported_grant_type"),
        (FORM, "", 400, "invalid_request"),
        (FORM, "x" * 20_000, 413, "invalid_request"),
        (FORM + "; charset=latin1", GOOD, 415, "invalid_request"),
        ("application/json", "{", 400, "invalid_request"),
        ("application/json", '{"username":"snow","password":7}', 400, "invalid_request"),
        ("application/json", '{"username":"snow","password":"a","password":"b"}', 400, "invalid_request"),
        ("application/json", '{"grant_type":"x","username":"snow","password":"a"}', 400, "unsupported_grant_type"),
        ("application/json", "[" * 10_000, 400, "invalid_request"),
        ("application/json", GOOD, 400, "invalid_request"),
        ("text/plain", GOOD, 415, "invalid_request"),
        ("multipart/form-data; boundary=x", GOOD, 415, "invalid_request"),
    ],
)
def test_bad_requests_are_told_in_the_shape_of_rfc_6749(login, content_type, body, status, error):
    response = login.post(content=body.encode(), headers={"Content-Type": content_type})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json" and response.headers["cache-control"] == "no-store"
    assert set(response.json()) == {"error", "error_description"} and response.json()["error"] == error
    assert login.argon2_runs() == 0


def test_other_methods_and_paths(login):
    refused = login.get("/token?grant_type=password&username=snow&password=winter+is+coming")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert refused.json()["error"] == "invalid_request"
    assert login.post("/.well-known/jwks.json").status_code == 405
    for path in ["/", "/x", "/token/", "//token", "/auth", "/metrics"]:
        assert login.get(path).status_code == 404, path
    for path in ["/healthz", "/auth/.well-known/jwks.json"]:
        assert login.get(path).status_code == 200, path
    assert login.argon2_runs() == 0


def test_unknown_users_and_wrong_passwords_are_answered_alike_after_as_many_runs(login):
    answers = []
    for username, password in [("snow", "wrong password"), ("nobody", "winter is coming"), ("sn\0w", "x\0"), ("Snow", "winter is coming")]:
        before = login.argon2_runs()
        response = login.log_in(username, password)
        headers = {name: value for name, value in response.headers.items() if name != "date"}
        answers.append((response.status_code, headers, response.content))
        assert login.argon2_runs() == before + 1
    assert answers == [answers[0]] * len(answers)
    assert answers[0][0] == 400 and json.loads(answers[0][2])["error"] == "invalid_grant"
    before = login.argon2_runs()
    login.token()
    assert login.argon2_runs() == before + 1


def test_passwords_are_bytes_that_nobody_changes(authorizer):
    passwords = ["caf\u00e9", "cafe\u0301", " winter ", "winter", "&=+%20", "'; drop table users", "\u2603" * 300, "a\tb"]
    login = authorizer(users=[user(f"user-{number}", password) for number, password in enumerate(passwords)])
    for number, password in enumerate(passwords):
        assert login.log_in(f"user-{number}", password).status_code == 200, password
        other = passwords[number ^ 1]
        assert login.log_in(f"user-{number}", other).status_code == 400, other


def test_a_username_is_logged_only_when_it_is_a_users(login):
    login.log_in("hunter2-in-the-wrong-field", "x")
    login.secrets.add("hunter2-in-the-wrong-field")
    login.log_in("snow", "wrong password")
    login.log_in()
    lines = [login.wait_for_log(lambda line: line.get("reason") == reason) for reason in ("unknown_user", "wrong_password", "issued")]
    assert [line.get("user") for line in lines] == [None, "snow", "snow"]
    assert [line["outcome"] for line in lines] == ["refused", "refused", "accepted"]
    assert lines[2]["key"] == login.key_ids()[0] and lines[2]["client"] == "127.0.0.1"
    requests = {name: value for name, value in login.metrics().items() if "token_requests" in name}
    assert requests == {
        'claimgate_authorizer_token_requests_total{outcome="refused",reason="unknown_user"}': 1,
        'claimgate_authorizer_token_requests_total{outcome="refused",reason="wrong_password"}': 1,
        'claimgate_authorizer_token_requests_total{outcome="accepted",reason="issued"}': 1,
    }


def post(body: bytes, length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    return f"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {length}\r\n\r\n".encode() + body


def test_slow_clients_are_given_up_and_others_served_meanwhile(authorizer):
    login = authorizer(timeouts={"headerReadSeconds": 1, "bodyReadSeconds": 1})
    with http1.Connection(login.address) as silent, http1.Connection(login.address) as slow_head, http1.Connection(login.address) as slow_body:
        slow_head.send(b"POST /token HTTP/1.1\r\nHost: ")
        slow_body.send(post(b"grant_type=password", 1000))
        assert login.log_in().status_code == 200
        late = slow_body.receive()
        assert (late.status, late.json()["error"]) == (408, "invalid_request")
        assert slow_head.receive() is None or slow_head.receive() is None
        assert silent.receive() is None


def test_a_connection_beyond_the_limit_waits_for_its_turn(authorizer):
    login = authorizer(limits={"connections": 1})
    with http1.Connection(login.address) as first, http1.Connection(login.address) as second:
        first.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert first.receive().status == 200
        second.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        second.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            second.socket.recv(1)
        first.close()
        second.socket.settimeout(20)
        assert second.socket.recv(100).startswith(b"HTTP/1.1 200")


def test_chunked_bodies_have_the_same_limit(login):
    with http1.Connection(login.address) as connection:
        head = f"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        connection.send(head + b"8000\r\n" + b"x" * 0x8000 + b"\r\n0\r\n\r\n")
        assert connection.receive().status == 413


COSTLY = ("--memory-kib", "131072", "--iterations", "8")


def test_a_flood_of_passwords_is_bounded(authorizer):
    costly = {"username": "snow", "passwordHash": password_hash("winter is coming", *COSTLY)}
    login = authorizer(users=[costly], hashing={"concurrent": 1, "waiting": 0})
    body = b"grant_type=password&username=snow&password=winter+is+coming"
    with http1.Connection(login.address, timeout=60) as connection:
        connection.send(post(body))
        login.wait_until(lambda: login.argon2_runs() == 1)
        busy = login.log_in()
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert busy.json()["error"] == "temporarily_unavailable"
        answer = connection.receive()
        assert answer.status == 200
        login.secrets.add(answer.json()["access_token"])
    assert login.argon2_runs() == 1
    assert login.log_in().status_code == 200


def test_a_request_under_way_is_finished_after_sigterm(login):
    body = b"grant_type=password&username=snow&password=winter+is+coming"
    with http1.Connection(login.address) as idle, http1.Connection(login.address) as connection:
        idle.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.receive().status == 200
        connection.send(post(body)[:-5])
        login.wait_until(lambda: login.get("/healthz").status_code == 200)
        login.process.terminate()
        login.wait_for_log(lambda line: line.get("message", "").startswith("stopping"))
        assert idle.receive() is None
        connection.send(body[-5:])
        answer = connection.receive()
        assert answer.status == 200
        login.secrets.add(answer.json()["access_token"])
    assert login.stop() == 0


def test_what_is_not_there_is_left_out_of_a_token(authorizer):
    login = authorizer(users=[SNOW, user("stark", name=None)], claims={"name": "{name}", "roles": ["{roles}", "user"]})
    assert login.claims(login.token("snow"))["roles"] == [["ranger", "steward"], "user"]
    claims = login.claims(login.token("stark"))
    assert "name" not in claims and claims["roles"] == ["user"] and "aud" not in claims
