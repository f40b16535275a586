"""`corsConfig`: preflight requests, and what answers say to pages of other origins."""

import json
import subprocess

import pytest

from support import http1
from support.command import claimgate
from support.configuration import configuration, domain, function, jwt
from support.gateway import check_own_answer
from support.tokens import jwks, key

KEY = key("ES256")
GOOD = KEY.token()
APP = "https://app.example"
LISTED = {
    "allowOrigins": [APP, "https://*.preview.example", "http://localhost:3000"],
    "allowMethods": ["GET", "POST"],
    "allowHeaders": ["Authorization", "X-Trace"],
    "exposeHeaders": ["X-Total", "x-fc-request-id"],
    "allowCredentials": True,
    "maxAge": 600,
}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Recorded: %d\r\n"
OF_FUNCTION = (
    b"Access-Control-Allow-Origin: https://evil.example\r\nAccess-Control-Allow-Credentials: true\r\n"
    b"Access-Control-Allow-Private-Network: true\r\naccess-control-max-age: 1\r\nVary: Accept-Encoding\r\n"
)


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    auth = jwt(jwks(KEY))
    only_get = [{"path": "/*", "functionName": "orders", "methods": ["GET"]}, {"path": "/down", "functionName": "down"}]
    domains = [
        {**domain("listed.example.com", only_get, auth), "corsConfig": LISTED},
        {**domain("any.example.com", auth=auth), "corsConfig": {"allowOrigins": ["*"]}},
        {**domain("wild.example.com"), "corsConfig": {"allowOrigins": ["*"], "allowMethods": ["*"], "allowHeaders": ["*"], "exposeHeaders": ["*"], "maxAge": 0}},
        domain("none.example.com", auth=auth),
        domain("open.example.com"),
        {**domain("empty.example.com", auth=auth), "corsConfig": {"allowOrigins": [], "allowCredentials": False, "allowHeaders": None}},
    ]  # fmt: skip
    closed = {"authType": "jwt", "authConfig": auth, "corsConfig": LISTED}
    off = {"authType": "anonymous", "disableURLInternet": True, "corsConfig": LISTED}
    functions = [
        function(recorder.url),
        function("http://127.0.0.1:1", "down"),
        {**function(recorder.url, "closed"), "httpTrigger": closed},
        {**function(recorder.url, "off"), "httpTrigger": off},
    ]
    return serve(configuration(domains, functions), recorder)


def cors_headers(response) -> dict[str, str]:
    names = [name for name, _ in response.headers if name.startswith("access-control-") or name == "vary"]
    assert len(set(names)) == len(names), names
    return {name: response.header(name) for name in names}


def wish(origin=APP, method="POST", headers: str | None = "authorization,x-a") -> list[tuple[str, str]]:
    lines = [("Origin", origin), ("Access-Control-Request-Method", method)]
    return lines + ([("Access-Control-Request-Headers", headers)] if headers is not None else [])


PERMITTED = {
    "access-control-allow-origin": APP,
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "Authorization, X-Trace",
    "access-control-max-age": "600",
    "vary": "Origin",
}
ALL_METHODS = "HEAD, GET, POST, PUT, DELETE, PATCH, OPTIONS"
ANYBODY = {"access-control-allow-origin": "*", "access-control-allow-methods": ALL_METHODS}
ASKED = {"vary": "Access-Control-Request-Headers"}
BOTH = {"vary": "Origin"}

PREFLIGHTS = {
    "listed": ("listed.example.com", wish(), PERMITTED),
    "method and headers that are not allowed": ("listed.example.com", wish(method="DELETE", headers="x-b"), PERMITTED),
    "no headers": ("listed.example.com", wish(headers=None), PERMITTED),
    "one label": (
        "listed.example.com", wish("https://pr-7.preview.example"),
        {**PERMITTED, "access-control-allow-origin": "https://pr-7.preview.example"},
    ),
    "two labels": ("listed.example.com", wish("https://a.b.preview.example"), BOTH),
    "no label": ("listed.example.com", wish("https://preview.example"), BOTH),
    "other origin": ("listed.example.com", wish("https://evil.example"), BOTH),
    "origin that begins so": ("listed.example.com", wish(APP + ".evil.example"), BOTH),
    "other scheme": ("listed.example.com", wish("http://app.example"), BOTH),
    "other port": ("listed.example.com", wish(APP + ":8443"), BOTH),
    "upper case": ("listed.example.com", wish("https://APP.example"), BOTH),
    "null": ("listed.example.com", wish("null"), BOTH),
    "trigger": ("closed.fc.localhost", wish(), PERMITTED),
    "any": ("any.example.com", wish("null"), {**ANYBODY, **ASKED, "access-control-allow-headers": "authorization,x-a"}),
    "any, no headers": ("any.example.com", wish(headers=None), {**ANYBODY, **ASKED}),
    "any, headers that are none": ("any.example.com", wish(headers="a\"b, <c>"), {**ANYBODY, **ASKED}),
    "wild": (
        "wild.example.com", wish(),
        {**ANYBODY, **ASKED, "access-control-allow-headers": "authorization,x-a", "access-control-max-age": "0"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("host", "headers", "expected"), PREFLIGHTS.values(), ids=PREFLIGHTS.keys())
def test_preflight(gateway, host, headers, expected):
    before = gateway.reached()
    response = gateway.request("OPTIONS", "/x?y", host=host, headers=headers)
    assert (response.status, response.body, gateway.reached()) == (204, b"", before)
    assert cors_headers(response) == expected
    line = gateway.access_line(response)
    assert (line["outcome"], line["reason"], line["domain"], line["status"]) == ("preflight", "", host, 204)


NO_PREFLIGHTS = {
    "no origin": ("OPTIONS", wish()[1:], None),
    "no method": ("OPTIONS", wish()[:1], None),
    "empty method": ("OPTIONS", wish(method=""), None),
    "two origins": ("OPTIONS", [("Origin", APP), *wish()], None),
    "two methods": ("OPTIONS", [*wish(), ("Access-Control-Request-Method", "GET")], None),
    "method is none": ("OPTIONS", wish(method="G(T"), None),
    "body": ("OPTIONS", wish(), b"x"),
    "chunked": ("OPTIONS", [*wish(), ("Transfer-Encoding", "chunked")], b"1\r\nx\r\n0\r\n\r\n"),
    "GET": ("GET", wish(), None),
    "POST": ("POST", wish(), b""),
    "HEAD": ("HEAD", wish(), None),
    "override": ("POST", [*wish(), ("X-HTTP-Method-Override", "OPTIONS")], b""),
    "lower case": ("options", wish(), None),
}


@pytest.mark.parametrize(("method", "headers", "body"), NO_PREFLIGHTS.values(), ids=NO_PREFLIGHTS.keys())
def test_what_is_no_preflight_needs_a_token(gateway, method, headers, body):
    response = gateway.request(method, "/x", host="any.example.com", headers=headers, body=body)
    assert response.status == 401
    assert gateway.access_line(response)["reason"] == "missing_token"


@pytest.mark.parametrize("host", ["none.example.com", "empty.example.com"])
def test_without_cors_config_a_preflight_is_a_request_like_others(gateway, host):
    response = gateway.request("OPTIONS", "/x", host=host, headers=wish())
    assert response.status == 401 and cors_headers(response) == {}
    response = gateway.request("OPTIONS", "/x", host=host, headers=wish(), token=GOOD)
    assert response.seen.method == "OPTIONS" and cors_headers(response) == {}


def test_an_empty_body_is_none(gateway):
    headers = [*wish(), ("Content-Length", "0")]
    assert gateway.request("OPTIONS", "/", host="any.example.com", headers=headers).status == 204


READABLE = {
    "access-control-allow-origin": APP,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Total, x-fc-request-id",
    "vary": "Origin",
}
REFUSALS = {
    "no token": ("GET", "/", None, 401),
    "bad token": ("GET", "/", "a.b.c", 401),
    "wrong method": ("PUT", "/", GOOD, 405),
    "malformed path": ("GET", "/%zz", GOOD, 400),
    "function is down": ("GET", "/down", GOOD, 502),
}


@pytest.mark.parametrize(("method", "path", "token", "status"), REFUSALS.values(), ids=REFUSALS.keys())
def test_pages_can_read_why_they_are_refused(gateway, method, path, token, status):
    response = gateway.request(method, path, host="listed.example.com", headers=[("Origin", APP)], token=token)
    assert response.status == status
    check_own_answer(response)
    assert cors_headers(response) == READABLE
    evil = [("Origin", "https://evil.example")]
    response = gateway.request(method, path, host="listed.example.com", headers=evil, token=token)
    assert (response.status, cors_headers(response)) == (status, BOTH)


def test_a_disabled_trigger_stays_off(gateway):
    for method, headers in [("OPTIONS", wish()), ("GET", [("Origin", APP)])]:
        response = gateway.request(method, "/", host="off.fc.localhost", headers=headers)
        assert response.status == 403 and response.header("access-control-allow-origin") == APP


ANSWERS = {
    "listed": ("listed.example.com", [("Origin", APP)], {**READABLE, "vary": "Accept-Encoding"}),
    "not listed": ("listed.example.com", [("Origin", "https://evil.example")], {"vary": "Accept-Encoding"}),
    "no origin": ("listed.example.com", [], {"vary": "Accept-Encoding"}),
    "two origins": ("listed.example.com", [("Origin", APP), ("Origin", APP)], {"vary": "Accept-Encoding"}),
    "any": ("any.example.com", [("Origin", APP)], {"access-control-allow-origin": "*", "vary": "Accept-Encoding"}),
    "any, no origin": ("any.example.com", [], {"vary": "Accept-Encoding"}),
    "wild": (
        "wild.example.com", [("Origin", APP)],
        {"access-control-allow-origin": "*", "access-control-expose-headers": "*", "vary": "Accept-Encoding"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def talkative(serve):
    """A gateway whose function has CORS headers of its own."""
    from support.recorder import Recorder

    def answer(request, stream, number):
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + OF_FUNCTION + b"\r\nhi")

    recorder = Recorder(answer)
    domains = [
        {**domain("listed.example.com"), "corsConfig": LISTED},
        {**domain("any.example.com"), "corsConfig": {"allowOrigins": ["*"]}},
        {**domain("wild.example.com"), "corsConfig": {"allowOrigins": ["*"], "exposeHeaders": ["*"]}},
        domain("open.example.com"),
    ]
    yield serve(configuration(domains, [function(recorder.url)]))
    recorder.close()


@pytest.mark.parametrize(("host", "headers", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
def test_the_gateway_replaces_what_the_function_says(talkative, host, headers, expected):
    response = talkative.get(host=host, headers=headers)
    vary = response.values("vary")
    assert vary == ["Accept-Encoding"] + ["Origin"] * (host == "listed.example.com")
    response.headers = [(name, value) for name, value in response.headers if (name, value) != ("vary", "Origin")]
    assert cors_headers(response) == expected and response.body == b"hi"


def test_without_cors_config_the_function_says_what_it_wants(talkative):
    response = talkative.get(host="open.example.com", headers=[("Origin", APP)])
    assert response.header("access-control-allow-origin") == "https://evil.example"
    assert response.values("vary") == ["Accept-Encoding"]


def test_the_function_sees_the_origin(gateway):
    response = gateway.get(host="listed.example.com", headers=[("Origin", APP)], token=GOOD)
    assert response.seen.values("origin") == [APP] and cors_headers(response) == READABLE


def curl(gateway, *arguments: str) -> str:
    done = subprocess.run(
        ["curl", "-sS", "-i", "--noproxy", "*", "--max-time", "20", *arguments, gateway.url("/x")],
        capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    return done.stdout.decode().lower()


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_curl(gateway, version):
    ask = ["-H", "Host: listed.example.com", "-H", f"Origin: {APP}"]
    answer = curl(gateway, version, "-X", "OPTIONS", *ask, "-H", "Access-Control-Request-Method: GET")
    assert " 204" in answer.splitlines()[0]
    assert f"access-control-allow-origin: {APP}" in answer and "content-length" not in answer
    answer = curl(gateway, version, *ask)
    assert " 401" in answer.splitlines()[0] and f"access-control-allow-origin: {APP}" in answer


def test_a_connection_goes_on_after_a_preflight(gateway):
    with gateway.connect() as connection:
        for _ in range(2):
            connection.send(http1.head("OPTIONS", "/", [("Host", "listed.example.com"), *wish()]))
            assert connection.receive("OPTIONS").status == 204
            connection.send(http1.head("GET", "/", [("Host", "listed.example.com"), ("Authorization", f"Bearer {GOOD}")]))
            assert connection.receive().status == 200


def test_preflights_are_counted_apart(gateway):
    from urllib.request import urlopen

    gateway.request("OPTIONS", "/", host="listed.example.com", headers=wish())
    with urlopen(f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics") as answer:
        assert 'domain="listed.example.com",route="",outcome="preflight"' in answer.read().decode()


def test_try_shows_what_pages_are_told(gateway):
    def try_(*arguments):
        return claimgate("try", "--config", gateway.file, *arguments)

    ask = ["http://listed.example.com/x", "-X", "OPTIONS", "-H", f"Origin: {APP}", "-H", "Access-Control-Request-Method: PUT"]
    result = try_(*ask)
    assert result.code == 0
    assert f"✓ cors       pages of {APP} may read the answer" in result.text
    assert "preflight: claimgate itself answers" in result.text
    assert "    access-control-allow-methods: GET, POST" in result.text
    trace = json.loads(try_("--json", *ask).text)
    assert (trace["outcome"], trace["request"], trace["route"], trace["refusal"]) == ("preflight", None, None, None)
    assert trace["cors"]["preflight"] and trace["cors"]["allowed"] and trace["cors"]["origin"] == APP
    assert ["access-control-allow-origin", APP] in trace["cors"]["headers"]

    evil = ["http://listed.example.com/x", "-H", "Origin: https://evil.example"]
    result = try_(*evil)
    assert result.code == 1 and "· cors       pages of https://evil.example may not read the answer" in result.text
    trace = json.loads(try_("--json", *evil).text)
    assert trace["cors"] == {"origin": "https://evil.example", "allowed": False, "preflight": False, "headers": [["vary", "Origin"]]}
    assert json.loads(try_("--json", "http://none.example.com/x").text)["cors"] is None


BAD = {
    "anybody's cookies": ({"allowOrigins": ["*"], "allowCredentials": True}, "corsConfig.allowOrigins[0]"),
    "no origins": ({"allowMethods": ["GET"]}, "the field allowOrigins is missing"),
    "null": ({"allowOrigins": ["null"]}, "sandbox"),
    "path": ({"allowOrigins": ["https://a.example/"]}, "leave out what follows the host"),
    "header injection": ({"allowOrigins": ["https://a.example"], "exposeHeaders": ["a\r\nb: c"]}, "exposeHeaders[0]"),
    "method": ({"allowOrigins": ["https://a.example"], "allowMethods": ["GET\r\nx: y"]}, "allowMethods[0]"),
    "unknown": ({"allowOrigins": ["*"], "maxage": 1}, "unknown field"),
}


@pytest.mark.parametrize(("cors", "said"), BAD.values(), ids=BAD.keys())
def test_check_refuses(tmp_path, cors, said):
    file = tmp_path / "claimgate.yaml"
    file.write_text(json.dumps(configuration([{**domain(), "corsConfig": cors}], [function("http://h")]), indent=1))
    result = claimgate("check", "--config", file)
    assert result.code == 1 and said in result.err, result
