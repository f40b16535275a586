"""`claimgate try`: says what the gateway does. The same command line goes to `claimgate try` and to curl
against a served gateway, and both have to tell the same."""

import base64
import itertools
import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.command import check_refusal, claimgate
from support.configuration import configuration, domain, function, jwt
from support.gateway import Process
from support.tokens import HOUR, b64u, compact_json, in_an_hour, jwks, key

CLAIMS = {"name": "John Snow", "uid": 9007199254740993, "email": "john@example.com", "roles": ["a", "b"]}
PASS_BY = "header:name:x-name,query:uid:uid,form:email:email,cookie:roles:roles"
LOOKUP = "header:Authorization:Bearer,cookie:token,query:access_token,form:access_token"
#: What differs between two requests that are the same.
OF_ONE_REQUEST = {"x-fc-request-id", "traceparent"}

SMALL_FILE = Path(__file__).with_name("pytest.ini")

RSA = key("RS256", "rsa")
EC = key("ES256", "ec")
SECRET = key("HS256")


@dataclass
class Both:
    """A gateway that serves a configuration, which `claimgate try` reads too."""

    gateway: object

    def arguments(self, line: str) -> list[str]:
        return shlex.split(line.replace("URL", self.gateway.url()))

    def try_(self, *arguments: str):
        return claimgate("try", "--config", self.gateway.file, *arguments)

    def trace(self, *arguments: str) -> dict:
        result = self.try_("--json", "--show-token", *arguments)
        assert result.code in (0, 1), result
        trace = json.loads(result.text)
        assert (result.code == 0) == (trace["outcome"] == "accepted") == (trace["request"] is not None)
        assert (trace["refusal"] is None) == (trace["outcome"] == "accepted")
        return trace

    def serve(self, *arguments: str):
        """Status, answer, log line, and what reached the function."""
        before = self.gateway.reached()
        done = subprocess.run(
            ["curl", "-s", "--noproxy", "*", "-D", "-", *arguments], capture_output=True, timeout=30, check=True
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        request_id = re.search(rb"x-fc-request-id: (\S+)", head)[1].decode()
        line = self.gateway.wait_for_log(
            lambda line: line.get("message") == "request" and line.get("request_id") == request_id
        )
        assert self.gateway.reached() - before == (line["outcome"] == "accepted")
        seen = self.gateway.recorder.last if line["outcome"] == "accepted" else None
        return int(head.split(b" ")[1]), body, line, seen


@pytest.fixture(scope="module")
def both(serve, recorder) -> Both:
    everything = jwt(jwks(RSA, EC, SECRET), LOOKUP, PASS_BY)
    rules = {"issuers": ["https://issuer"], "audiences": ["shop", "admin"], "leewaySeconds": 300}
    domains = [
        domain(
            auth=everything,
            routes=[
                {"path": "/*", "functionName": "orders"},
                {"path": "/based/*", "functionName": "based"},
                {"path": "/exact", "functionName": "orders", "methods": ["GET", "PUT"]},
                {"path": "/long/*", "functionName": "too-long"},
            ],
        ),
        domain("white.example.com", auth={**everything, "whitelist": ["/public/*", "/healthz"]}),
        domain("black.example.com", auth={**everything, "blacklist": ["/admin", "/admin/*"]}),
        domain("hidden.example.com", auth={**everything, "forwardToken": False}),
        domain("rules.example.com", auth={**everything, **rules}),
        domain("one.example.com", auth=jwt(jwks(RSA), "header:X-Token", "header:name:x-name")),
        domain("routed.example.com", routes=[{"path": "/only", "functionName": "orders", "methods": ["GET"]}]),
        domain("*.wild.example.com", auth=everything),
        domain("open.example.com"),
    ]
    functions = [
        function(recorder.url),
        function(recorder.url + "/base", "based"),
        function(recorder.url + "/" + "b" * 60_000, "too-long"),
    ]
    limits = {"formBytes": 2000, "tokenBytes": 1500, "headerBytes": 6000, "headerFields": 40}
    return Both(serve(configuration(domains, functions, limits={**limits, "requestLineBytes": 9000}), recorder))


def header(name: str) -> str:
    return f"-H 'Host: {name}.example.com'"


def bearer(token: str) -> str:
    return f"-H 'Authorization: Bearer {token}'"


API = header("api")
GOOD = RSA.token(CLAIMS)
IN_HEADER = bearer(GOOD)


def requests() -> dict[str, str]:
    """Command lines of curl without the curl; `URL` is the gateway's."""
    past, later = in_an_hour() - 2 * HOUR, in_an_hour() + HOUR
    forged = GOOD.rpartition(".")[0] + "." + b64u(b"\0" * 256)
    none = b64u(compact_json({"alg": "none"})) + "." + b64u(compact_json(CLAIMS)) + "."
    claims = compact_json({"exp": later})
    lines = {
        # Every position of the token, and what is found there.
        "header": f"URL/orders/7 {API} {IN_HEADER}",
        "header, other case": f"URL/ {API} -H 'AUTHORIZATION: bearer {GOOD}'",
        "cookie": f"URL/ {API} -b 'a=1; token={GOOD}; b=2'",
        "cookies": f"URL/ {API} -b a=1 -b token={GOOD}",
        "quoted cookie": f"""URL/ {API} -b 'token="{GOOD}"'""",
        "query": f"'URL/?a=1&access_token={GOOD}&b=%20'",
        "query by -G": f"URL/?x=y -G -d access_token={GOOD} -d a=1 --data-urlencode 'b=1 2' {API}",
        "form": f"URL/ {API} -d a=1 -d access_token={GOOD}",
        "form, urlencoded": f"URL/ {API} --data-urlencode 'a=1 &2' --data-raw access_token={GOOD}",
        "multipart form": f"URL/ {API} -F a=1 -F access_token={GOOD} -F 'f=@{SMALL_FILE};type=text/plain;filename=t' -F 'g=<{SMALL_FILE}' -F 'h=@{SMALL_FILE}'",
        "form by PUT": f"URL/exact -X PUT {API} -d access_token={GOOD}",
        "token in two places": f"URL/?access_token=x {API} {IN_HEADER} -b token=y",
        "bad token first": f"URL/?access_token={GOOD} {API} -b token=x",
        "no token": f"URL/ {API}",
        "no token in a form": f"URL/ {API} -d a=1",
        "no form": f"URL/ {API} -H 'Content-Type: application/json' -d '{{}}'",
        "empty header": f"URL/ {API} -H 'Authorization;'",
        "no prefix": f"URL/ {API} -H 'Authorization: {GOOD}'",
        "other prefix": f"URL/ {API} -u user:password",
        "two headers": f"URL/ {API} {IN_HEADER} {IN_HEADER}",
        "two cookies": f"URL/ {API} -b 'token={GOOD}; token={GOOD}'",
        "two in the query": f"'URL/?access_token={GOOD}&access_token={GOOD}' {API}",
        "two in the form": f"URL/ {API} -d access_token={GOOD} -d access_token={GOOD}",
        "header without prefix": f"URL/ {header('one')} -H 'X-Token: {GOOD}'",
        "token is removed": f"URL/?access_token=x {header('hidden')} {IN_HEADER} -b token=y",
        "token is removed from a cookie": f"URL/ {header('hidden')} -b 'a=1; token={GOOD}; b=2'",
        "token is removed from the query": f"'URL/?a=1&access_token={GOOD}' {header('hidden')}",
        "token is removed from a form": f"URL/ {header('hidden')} -d a=1 -d access_token={GOOD}",
        "long token": f"URL/ {API} {bearer(RSA.token({'x': 'y' * 1500}))}",
        # Claims, and clients that claim to be somebody else.
        "impostor": f"'URL/?uid=1&%75id=2&uid[]=3&a=1' {API} {IN_HEADER} -H 'X_Name: a' -H 'x.name: b' "
        "-b 'roles=king; a=1' -d 'email=evil&a=1'",
        "impostor without claims": f"'URL/?uid=1&a=2' {API} {bearer(RSA.token({}))} -H 'X-Name: a' -b roles=king",
        "impostor on a free path": f"'URL/public/x?uid=1' {header('white')} -H 'X-Name: a' -b roles=king -F email=evil",
        "anonymous domain": f"'URL/?uid=1' {header('open')} -H 'X-Name: a' -H 'Cookie: roles=king'",
        "claim for a form without one": f"URL/ {API} {IN_HEADER} -H 'Content-Type: text/plain' -d text",
        "claim for a form by an empty POST": f"URL/ -X POST {API} {IN_HEADER} -H 'Content-Length: 0'",
        "claim for a multipart form": f"URL/ {API} {IN_HEADER} -F 'email=evil' -F 'a=1'",
        "strange claims": f"URL/ {API} " + bearer(RSA.token({"name": "a\nb", "uid": None, "roles": "a;b, %", "email": 1.5e300})),
        "claims beyond ASCII": f"URL/ {API} -d x=y " + bearer(RSA.token({"name": "Jäger", "uid": "ü&=", "email": "é"})),
        # Checks of the token.
        "other key": f"URL/ {API} {bearer(EC.token(CLAIMS))}",
        "key without kid": f"URL/ {API} {bearer(SECRET.token(CLAIMS))}",
        "forged": f"URL/ {API} {bearer(forged)}",
        "unsigned": f"URL/ {API} {bearer(none)}",
        "alg of another kind": f"URL/ {API} {bearer(RSA.token(CLAIMS, {'alg': 'HS256'}))}",
        "alg in small letters": f"URL/ {API} {bearer(RSA.token(CLAIMS, {'alg': 'rs256'}))}",
        "alg is missing": f"URL/ {API} {bearer(RSA.token(CLAIMS, b'{}'))}",
        "kid unknown": f"URL/ {API} {bearer(RSA.token(CLAIMS, {'kid': 'other'}))}",
        "kid is no string": f"URL/ {API} {bearer(RSA.token(CLAIMS, {'kid': 1}))}",
        "crit": f"URL/ {API} {bearer(RSA.token(CLAIMS, {'crit': ['exp']}))}",
        "b64": f"URL/ {API} {bearer(RSA.token(CLAIMS, {'b64': False}))}",
        "jwk in the header": f"URL/ {API} {bearer(EC.token(CLAIMS, {'kid': 'rsa', 'jwk': EC.public_jwk}))}",
        "short signature": f"URL/ {API} {bearer(EC.token(CLAIMS)[:-4])}",
        "padding": f"URL/ {API} -b 'token={GOOD}='",
        "two segments": f"URL/ {API} {bearer(GOOD.rpartition('.')[0])}",
        "encrypted": f"URL/ {API} {bearer('a.b.c.d.e')}",
        "JSON serialisation": f"""URL/ {API} -H 'Authorization: Bearer {{"payload":"x"}}'""",
        "header is a list": f"URL/ {API} {bearer(RSA.seal(b64u(b'[]'), b64u(claims)))}",
        "payload is no JSON": f"URL/ {API} {bearer(RSA.token(b'x'))}",
        "payload names a member twice": f"URL/ {API} " + bearer(RSA.token(b'{"a":1,"a":2}')),
        "expired": f"URL/ {API} {bearer(RSA.token({'exp': past}))}",
        "not yet valid": f"URL/ {API} {bearer(RSA.token({'nbf': later}))}",
        "exp is text": f"URL/ {API} {bearer(RSA.token({'exp': str(later)}))}",
        "iat is null": f"URL/ {API} {bearer(RSA.token({'iat': None}))}",
        "exp in milliseconds": f"URL/ {API} {bearer(RSA.token({'exp': 10**18}))}",
        "rules": f"URL/ {header('rules')} " + bearer(RSA.token({"iss": "https://issuer", "aud": ["x", "shop"]})),
        "no issuer": f"URL/ {header('rules')} {bearer(RSA.token({'aud': 'shop'}))}",
        "wrong issuer": f"URL/ {header('rules')} {bearer(RSA.token({'iss': 'https://issuer/', 'aud': 'shop'}))}",
        "wrong audience": f"URL/ {header('rules')} {bearer(RSA.token({'iss': 'https://issuer', 'aud': ['x']}))}",
        # Domains and routes.
        "host in other letters": f"URL/ -H 'Host: API.Example.com.:8080' {IN_HEADER}",
        "wildcard": f"URL/ {header('a.wild')} {IN_HEADER}",
        "wildcard of two labels": f"URL/ {header('a.b.wild')} {IN_HEADER}",
        "unknown domain": f"URL/ {IN_HEADER}",
        "no host": f"URL/ -H 'Host:' {IN_HEADER}",
        "two hosts, of which curl sends the first": f"URL/ {API} -H 'Host: open.example.com' {IN_HEADER}",
        "malformed host": f"URL/ -H 'Host: a/b' {IN_HEADER}",
        "target names another host": f"URL/ {API} --request-target http://open.example.com/x {IN_HEADER}",
        "target names the host": f"URL/ {API} --request-target http://api.example.com/x?y {IN_HEADER}",
        "options of the server": f"URL/ {API} -X OPTIONS --request-target '*' {IN_HEADER}",
        "no route": f"URL/other {header('routed')}",
        "route": f"URL/only {header('routed')}",
        "wrong method": f"URL/only -X DELETE {header('routed')}",
        "HEAD": f"-I URL/exact {header('routed')}",
        "base path of the function": f"'URL/based/x?y=%20z' {API} {IN_HEADER}",
        "long path of the function": f"URL/long/{'l' * 8000} {API} {IN_HEADER}",
        "path too long for gRPC": f"URL/long/{'l' * 8000} {API} {IN_HEADER} -H 'Content-Type: application/grpc' -d ''",
        "CONNECT": f"URL/ -X CONNECT {API} {IN_HEADER}",
        "strange method": f"URL/ -X 'BREW~' {API} {IN_HEADER}",
        # Heads that are not read.
        "malformed method": f"URL/ -X 'G@T' {API}",
        "method with a space": f"URL/ -X 'GET /a' {API}",
        "space in the target": f"URL/ --request-target '/a b' {API}",
        "space before the colon": f"URL/ {API} -H 'X-Name : a'",
        "header name with a space": f"URL/ {API} -H 'X Name: a'",
        "carriage return in a header": f"URL/ {API} -H 'X-Name: a\rb'",
        "header injected": f"URL/ {API} {IN_HEADER} -H 'X-A: a\r\nX-Name: b'",
        "folded header": f"URL/ {API} -H 'X-A: a\r\n b'",
        "length is no number": f"URL/ -X POST {API} -H 'Content-Length: +1'",
        "two lengths": f"URL/ -X POST {API} -H 'Content-Length: 0' -H 'content-length: 0'",
        "length and chunks": f"URL/ {API} -H 'Content-Length: 1' -H 'Transfer-Encoding: chunked' -d a",
        "other transfer encoding": f"URL/ {API} -H 'Transfer-Encoding: gzip' -X POST",
        "long target": f"URL/{'a' * 9000} {API}",
        "large header": f"URL/ {API} -H 'X-A: {'a' * 6000}'",
        "many headers": f"URL/ {API} " + " ".join(f"-H 'X-{number}: a'" for number in range(40)),
        # Bodies.
        "body passes": f"URL/ {API} {IN_HEADER} -H 'Content-Type: application/json' --data-binary @{__file__}",
        "chunked body": f"URL/ {API} {IN_HEADER} -H 'Content-Type: text/x' -H 'Transfer-Encoding: chunked' -d text",
        "chunked form": f"URL/ {API} {IN_HEADER} -H 'Transfer-Encoding: chunked' -d a=1",
        "body of a GET": f"URL/ -X GET {API} {IN_HEADER} -d a=1",
        "form without line ends": f"URL/ {header('open')} -d @{__file__}",
        "large form": f"URL/ {API} {IN_HEADER} -d a={'a' * 2000}",
        "compressed form": f"URL/ {API} {IN_HEADER} -H 'Content-Encoding: gzip' -d a=1",
        "form in UTF-16": f"URL/ {API} {IN_HEADER} -H 'Content-Type: application/x-www-form-urlencoded; charset=utf-16' -d a",
        "multipart without boundary": f"URL/ {API} {IN_HEADER} -H 'Content-Type: multipart/form-data' -d a",
        "multipart without end": f"URL/ {API} {IN_HEADER} -H 'Content-Type: multipart/form-data; boundary=b' -d --b",
        "two content types": f"URL/ {API} {IN_HEADER} -H 'Content-Type: a/b' -H 'Content-Type: a/c' -d a",
        # Headers that are the gateway's.
        "forwarded headers": f"URL/ {API} {IN_HEADER} -H 'X-Forwarded-For: 1.1.1.1' -H 'X_Forwarded_Host: evil' "
        "-H 'Forwarded: for=1.1.1.1' -H 'X-Real-IP: 1.1.1.1' -H 'X-FC-Account: 1' -H 'x_fc_request_id: 1'",
        "hop-by-hop headers": f"URL/ {API} {IN_HEADER} -H 'Connection: X-Name, x-a, close' -H 'X-A: a' -H 'X-B: b' "
        "-H 'Keep-Alive: 1' -H 'TE: trailers' -H 'Proxy-Authorization: a' -H 'Trailer: x'",
        "connection lists the token": f"URL/ {API} {IN_HEADER} -H 'Connection: Authorization'",
        "other upgrade": f"URL/ {API} {IN_HEADER} -H 'Connection: upgrade' -H 'Upgrade: h2c'",
        "WebSocket": f"URL/ {API} {IN_HEADER} -H 'Connection: Upgrade' -H 'Upgrade: websocket' "
        "-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='",
        "Expect": f"URL/ {API} {IN_HEADER} -H 'Expect: 100-continue' -d a=1",
        "no own headers": f"URL/ {API} {IN_HEADER} -H 'Accept:' -H 'User-Agent:' -H 'X-Empty;'",
    }
    for place, path in itertools.product(["white", "black", "api"], PATHS):
        lines[f"{place} {path}"] = f"URL/ --request-target '{path}' {header(place)}"
    return lines


#: Paths of whitelist and blacklist, and attempts to pass for one of them.
PATHS = (
    "/public/a",
    "/public/../admin",
    "/public/%2e%2e/admin",
    "/public/..%2fadmin",
    "/public/..;/admin",
    "/public%2fa",
    "/public/%252e%252e/admin",
    "/public/%25252525252e/admin",
    "//public/a",
    "/PUBLIC/a",
    "/healthz",
    "/healthz/",
    "/health%7a",
    "/admin",
    "/admin/",
    "/ADMIN",
    "/admin;x",
    "/admin%00",
    "/admin%5cx",
    "/admin\\x",
    "/admin#x",
    "/%61dmin",
    "/x/../admin",
    "/x//../admin/y",
    "/admin%",
    "/a?/admin",
    "/%",
    "admin",
)
REQUESTS = requests()


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_told_is_what_is_done(both, name):
    arguments = both.arguments(REQUESTS[name])
    arguments += ["--path-as-is"] + ([] if "User-Agent:" in arguments else ["-A", "curl"])
    status, body, line, seen = both.serve(*arguments)
    trace = both.trace(*arguments)

    assert trace["outcome"] == line["outcome"]
    assert (trace["domain"] or "") == line["domain"]
    assert (trace["route"] or {}).get("path", "") == line["route"]
    assert (trace["route"] or {}).get("functionName", "") == line["function"]
    if trace["outcome"] != "accepted":
        refusal = trace["refusal"]
        assert (refusal["status"], refusal["reason"]) == (status, line["reason"])
        if not name.startswith("HEAD"):
            answer = json.loads(body)
            assert (refusal["code"], refusal["message"]) == (answer["Code"], answer["Message"])
        assert refusal["detail"] and refusal["explanation"] and refusal["remedy"]
        return

    request = trace["request"]
    assert (request["method"], request["target"]) == (seen.method, seen.target)
    # The boundary is whatever a client likes.
    same = boundaries(request["headers"], seen.headers)
    assert sorted(of_every_request(request["headers"])) == sorted(same(of_every_request(seen.headers)))
    assert body_of(request) == same(seen.body)


def of_every_request(headers: list) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name not in OF_ONE_REQUEST]


def body_of(request: dict) -> bytes:
    body = request["body"]
    return body.encode() if isinstance(body, str) else base64.b64decode(body["base64"])


def boundaries(ours: list, theirs: list):
    """Puts our boundary in the place of curl's, which is chosen at random, and mends the length."""
    found = [re.search(r"boundary=(-\S+)", dict(headers).get("content-type", "")) for headers in (ours, theirs)]
    if not all(found):
        return lambda same: same
    our, their = (match[1] for match in found)

    def same(value):
        if isinstance(value, bytes):
            return value.replace(their.encode(), our.encode())
        lengths = [int(dict(headers)["content-length"]) for headers in (ours, theirs)]
        replaced = {their: our, str(lengths[1]): str(lengths[0])}
        return [
            (name, replaced.get(text, text) if name == "content-length" else text.replace(their, our))
            for name, text in value
        ]

    return same


def test_the_table_holds_what_it_should(both):
    """A table whose requests all end alike would prove nothing."""
    traces = [both.trace("--path-as-is", *both.arguments(line)) for line in REQUESTS.values()]
    reasons = {trace["refusal"]["reason"] for trace in traces if trace["refusal"]}
    assert len(reasons) > 40, sorted(reasons)
    assert sum(trace["outcome"] == "accepted" for trace in traces) > 50


def test_times_are_judged_as_they_are_served(both):
    """Such tokens are made when they are needed: a table would be old by then."""
    claims = {"iss": "https://issuer", "aud": "shop"}
    for within_leeway in ({"exp": in_an_hour() - HOUR - 10}, {"nbf": in_an_hour() - HOUR + 250}):
        arguments = both.arguments(f"URL/ {header('rules')} {bearer(RSA.token({**claims, **within_leeway}))}")
        assert both.trace(*arguments)["outcome"] == both.serve(*arguments)[2]["outcome"] == "accepted"


def find(items: list[dict], **wanted) -> dict:
    return next(item for item in items if wanted.items() <= item.items())


def test_the_trace_of_an_accepted_request(both):
    token = RSA.token({**CLAIMS, "iat": in_an_hour() - 3600, "iss": "https://issuer", "aud": "shop"})
    trace = both.trace(
        *both.arguments(f"/public/%2e%2e/a?uid=1 --domain rules.example.com -H 'Cookie: token={token}' -H 'X_Name: a'")
    )
    assert trace["host"] == trace["domain"] == "rules.example.com"
    path = trace["path"]
    assert (path["sent"], path["canonical"], path["forwarded"]) == ("/public/%2e%2e/a", "/a", "/a")
    assert {"/public/%2e%2e/a", "/a", "/public/../a"} <= set(path["readings"])
    assert trace["route"] == {
        "path": "/*", "methods": [], "functionName": "orders", "function": both.gateway.recorder.url,
    }
    assert trace["authentication"]["authType"] == "jwt" and trace["authentication"]["needsToken"]
    assert [place["result"] for place in trace["tokenLookup"]] == ["absent", "found", "not_reached", "not_reached"]
    assert trace["tokenLookup"][0] == {
        "readPosition": "header", "parameterName": "authorization", "prefix": "Bearer", "result": "absent",
    }
    assert trace["token"]["header"]["kid"] == "rsa" and trace["token"]["verified"]
    assert trace["token"]["payload"]["uid"] == CLAIMS["uid"], "a number is rounded"
    assert trace["key"] == {**trace["key"], "kid": "rsa", "kty": "RSA", "crv": None, "bits": 2048, "algorithms": ["RS256"]}
    assert re.fullmatch(r"[\w-]{43}", trace["key"]["thumbprint"])
    names = [check["check"] for check in trace["checks"]]
    assert names == (
        "length form header alg crit kid key key_fit signature payload times exp nbf iss aud".split()
    )
    assert {check["result"] for check in trace["checks"]} == {"passed"}
    assert re.search(r"expires in \d+ minutes", find(trace["checks"], check="exp")["detail"])
    assert "leeway of 300 s" in find(trace["checks"], check="exp")["detail"]
    assert "issued" in find(trace["checks"], check="times")["detail"]
    assert find(trace["claims"], claimName="name") == {
        "claimName": "name",
        "mappingParameterPosition": "header",
        "mappingParameterName": "x-name",
        "removed": True,
        "result": "set",
        "value": "John Snow",
    }
    assert find(trace["claims"], claimName="uid")["removed"] is True
    assert find(trace["claims"], claimName="email")["result"] == "no_form"
    assert find(trace["claims"], claimName="roles")["value"] == '["a","b"]'
    assert trace["refusal"] is None and trace["tokenRemoved"] is False


@pytest.mark.parametrize(
    ("token", "failed", "detail"),
    [
        (lambda: RSA.token({"exp": in_an_hour() - 2.5 * HOUR}), "exp", "expired 1 hour ago"),
        (lambda: RSA.token({"nbf": in_an_hour() + HOUR / 2}), "nbf", "valid in 1 hour"),
        (lambda: RSA.token({}, {"kid": "x"}), "key", 'no key has the `kid` "x"; there are "rsa", "ec", one without'),
        (lambda: RSA.token({}, {"alg": "PS256"}), "key_fit", "the token says PS256, and the key serves RS256"),
        (lambda: RSA.token({"iat": "now"}), "times", '`iat` is "now"'),
        (lambda: RSA.token({}, {"alg": "none"}), "alg", '"none" is not supported'),
        (lambda: "a.b", "form", "three segments"),
    ],
)
def test_a_failed_check_says_what_was_found(both, token, failed, detail):
    trace = both.trace("/", "--domain", "api.example.com", "-H", f"Authorization: Bearer {token()}")
    results = [check["result"] for check in trace["checks"]]
    position = results.index("failed")
    assert trace["checks"][position]["check"] == failed
    assert results == ["passed"] * position + ["failed"] + ["not_reached"] * (len(results) - position - 1)
    assert detail in trace["checks"][position]["detail"]
    assert trace["refusal"]["detail"] == trace["checks"][position]["detail"]


def test_a_payload_that_was_not_verified_is_shown_as_such(both):
    line = ["/", "--domain", "api.example.com", "-H", f"Authorization: Bearer {GOOD[:-4]}AAAA"]
    trace = both.trace(*line)
    assert trace["token"]["payload"]["name"] == "John Snow" and trace["token"]["verified"] is False
    assert "not reached; whoever made the token wrote" in both.try_(*line).text


@pytest.mark.parametrize("place", ["cookie", "query", "form", "header", "multipart form", "token in two places"])
def test_tokens_are_shown_only_when_asked_for(both, place):
    arguments = both.arguments(REQUESTS[place]) + ([] if "Host" in REQUESTS[place] else ["--domain", "api.example.com"])
    signature = GOOD.rpartition(".")[2]
    for form in ([], ["--json"]):
        hidden, shown = both.try_(*form, *arguments), both.try_(*form, "--show-token", *arguments)
        assert hidden.code == shown.code == 0, hidden
        assert signature in shown.text and signature not in hidden.text
        assert "eyJhbGci…" in hidden.text


def test_other_credentials_and_secrets_are_not_shown(both):
    result = both.try_("/public/x", "--domain", "white.example.com", "-u", "user:password", "--json")
    assert base64.b64encode(b"user:password").decode() not in result.text
    assert dict(json.loads(result.text)["request"]["headers"])["authorization"].startswith("Basic ")
    result = both.try_("/", "--domain", "api.example.com", "-b", f"token={SECRET.token(CLAIMS)}", "--json")
    assert json.loads(result.text)["key"]["thumbprint"] is None
    assert SECRET.public_jwk["k"] not in result.text


def test_people_read_one_step_a_line(both):
    text = both.try_(*both.arguments(f"/orders?uid=1 --domain api.example.com {IN_HEADER} -H 'X-Odd: \x9b31m'")).text
    steps, _, request = text.partition("\naccepted: the function orders receives\n\n")
    marks = [(line[0], line[2:12].strip()) for line in steps.splitlines()]
    assert marks[:6] == [
        (" ", "request"), ("✓", "host"), ("✓", "domain"), ("✓", "path"), ("✓", "route"), ("✓", "jwt"),
    ]
    assert ("✓", "signature") in marks and ("·", "nbf") not in marks and marks.count(("✓", "claim")) == 3
    assert "    GET /orders?uid=9007199254740993\n" in request and "    x-name: John Snow\n" in request
    assert "\x9b" not in text, "a terminal would act on it"

    text = both.try_(*both.arguments("/ --domain api.example.com")).text
    assert 'refused: 401 Unauthorized, "missing or malformed jwt"' in text
    assert "what to do client: send a token" in text


def test_the_host_comes_from_where_curl_has_it(serve, recorder, tmp_path):
    file = tmp_path / "c.yaml"
    domains = [domain("only.example.com"), domain("*.example.org")]
    file.write_text(json.dumps(configuration(domains, [function(recorder.url)])))

    def host(*arguments):
        result = claimgate("try", "--config", file, "--json", *arguments)
        return json.loads(result.text)["host"], result.err

    assert host("http://user@a.example.org:80/x") == ("a.example.org", "")
    assert host("a.example.org:8080/x?y") == ("a.example.org", "")
    assert host("https://a.example.org?y") == ("a.example.org", "")
    assert host("http://127.0.0.1/", "-H", "Host: b.example.org") == ("b.example.org", "")
    assert host("http://127.0.0.1/", "--domain", "b.example.org") == ("b.example.org", "")
    taken, said = host("/x")
    assert taken == "only.example.com" and "only.example.com" in said

    file.write_text(json.dumps(configuration([*domains, domain("b.example.com")], [function(recorder.url)])))
    result = claimgate("try", "--config", file, "/x")
    check_refusal(result, 2, "--domain", "*.example.org, b.example.com, only.example.com")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", ["URL-or-path"]),
        ("/ --nonsense", ["--nonsense"]),
        ("ftp://a/", ["ftp", "http"]),
        ("http:///x", ["no host"]),
        ("/ -H nonsense", ["-H", "nonsense", "Name: value"]),
        ("/ -b cookies.txt", ["cookies.txt"]),
        ("/ -d a=1 -F b=2", ["-d", "-F"]),
        ("/ -F nonsense", ["-F", "nonsense"]),
        ("/ -d @missing", ["missing"]),
        ("/ -F f=@missing", ["missing"]),
    ],
)
def test_wrong_usage_is_told_in_one_line(both, tmp_path, arguments, words):
    result = claimgate("try", "--config", both.gateway.file, *shlex.split(arguments), cwd=tmp_path)
    check_refusal(result, 2, *words)


def test_an_unusable_configuration_is_told_in_one_line(tmp_path):
    check_refusal(claimgate("try", "--config", tmp_path / "missing", "/"), 2, "missing")
    file = tmp_path / "bad.yaml"
    file.write_text("nonsense: 1\n")
    check_refusal(claimgate("try", "--config", file, "/"), 2, "bad.yaml", "nonsense")


def test_data_are_read_from_standard_input(both):
    result = claimgate(
        "try", "--config", both.gateway.file, "--json", "/", "--domain", "open.example.com", "-d", "@-", stdin=b"a=1\r\n"
    )
    assert json.loads(result.text)["request"]["body"] == "a=1"


def test_a_body_that_is_shorter_than_its_length_breaks_off(both):
    arguments = both.arguments(f"/ --domain api.example.com {IN_HEADER} -H 'Content-Length: 10' -d a=1")
    assert both.trace(*arguments)["refusal"]["reason"] == "body_broke_off"
    arguments = both.arguments("/ --domain open.example.com -H 'Content-Length: 10' -d a=1")
    assert both.trace(*arguments)["refusal"]["reason"] == "request_body"


def test_the_commands_of_the_quickstart_can_be_tried(tmp_path):
    quickstart = Process("quickstart", "--dir", str(tmp_path / "q"))
    try:
        quickstart.wait_for_log(lambda line: line.get("listener") == "http")
        quickstart.wait_for(lambda: any(line.startswith("Stop with") for line in quickstart.output))
    finally:
        quickstart.stop()
    tried = 0
    for said, command in itertools.pairwise(quickstart.output):
        if command.startswith("curl "):
            arguments = shlex.split(command)[1:]
            result = claimgate("try", "--config", tmp_path / "q/claimgate.yaml", *arguments)
            assert result.code == (0 if "200" in said else 1), (said, command, result)
            tried += 1
    assert tried == 9
