"""`rewriteConfig`: the path and query that the function receives."""

import json

import pytest

from support.command import claimgate
from support.configuration import configuration, domain, function, jwt
from support.tokens import jwks, key

KEY = key("ES256")
GOOD = KEY.token({"uid": 7})
LISTS = {"equal": "equalRules", "wildcard": "wildcardRules", "regex": "regexRules"}

# name of the domain: [kind, match, replacement], {path: the function's path; None where nothing is rewritten}
RULES = {
    "e1": (("equal", "/old", "/new"), {"/old": "/new", "/test/old": None, "/old/": None, "/%6fld": "/new"}),
    "e2": (("equal", "/serviceName.Qualifier", "/serviceA"), {"/serviceName.Qualifier": "/serviceA"}),
    "w1": (("wildcard", "/old", "/new"), {"/old": "/new", "/test/old": "/new", "/old/x": None}),
    "w2": (("wildcard", "^/old", "/new"), {"/old": "/new", "/test/old": None}),
    "w3": (
        ("wildcard", "/api/*", "/$1"),
        {
            "/api/getFunctionName": "/getFunctionName",
            "/api/getFunctionName&Version=1": "/getFunctionName&Version=1",
            "/api/": "/",
            "/api": None,
            "/api/a%2fb?c=%2f": "/a%2Fb?c=%2f",
            "/api/a?b": "/a?b",
            "/api/a?": "/a?",
            "/x/../api/y": "/y",
            "/api//evil.example/": "/evil.example/",
            "/api///evil.example": "/evil.example",
        },
    ),
    "w4": (("wildcard", "/css/*", "/public/static/css/$1"), {"/css/style.css": "/public/static/css/style.css"}),
    "w5": (
        ("wildcard", "/ServiceName/*/FunctionName/*/Qualifier/*", "/$1.$3/$2"),
        {"/ServiceName/svc-a/FunctionName/func-a/Qualifier/1": "/svc-a.1/func-a", "/ServiceName/a": None},
    ),
    "w6": (("wildcard", "/f..c", "/x"), {"/func": None, "/f..c": "/x"}),
    "r1": (("regex", "^/old/[a-z]+/", "/new"), {"/old/ab/": "/new", "/old/ab/c": "/new", "/test/a-b/": None}),
    "r2": (("regex", "^/api/.+?/(.*)", "/api/v2/$1"), {"/api/v1/test": "/api/v2/test", "/api/v1": None}),
    "q1": (
        ("wildcard", "^/user/*", "/profile?id=$1"),
        {
            "/user/7": "/profile?id=7",
            "/user/7?tab=a&tab=b": "/profile?id=7&tab=a&tab=b",
            "/user/7?": "/profile?id=7&",
            "/user/7&uid=1;x=a+b": "/profile?id=7%26uid%3D1%3Bx%3Da%2Bb",
            "/user/caf%c3%a9": "/profile?id=caf%C3%A9",
        },
    ),
}
ALL = [(name, sent, seen) for name, (_, cases) in RULES.items() for sent, seen in cases.items()]


def config(*rules: tuple[str, str, str]) -> dict:
    written = {}
    for kind, match, replacement in rules:
        written.setdefault(LISTS[kind], []).append({"match": match, "replacement": replacement})
    return written


def route(*rules, path="/*", function="orders") -> dict:
    return {"path": path, "functionName": function, "rewriteConfig": config(*rules)}


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    pass_by = jwt(jwks(KEY), "header:Authorization:Bearer,query:token", "query:uid:uid")
    strip = ("wildcard", "^/public/*", "/$1")
    domains = [domain(f"{name}.example.com", [route(rule)]) for name, (rule, _) in RULES.items()]
    domains += [
        domain("white.example.com", [route(strip)], auth={**pass_by, "whitelist": ["/public/*"], "forwardToken": False}),
        domain("black.example.com", [route(strip, ("equal", "/open", "/admin/x"))], auth={**pass_by, "blacklist": ["/admin", "/admin/*"]}),
        domain("forge.example.com", [route(("wildcard", "^/u/*", "/u?uid=$1&uid=2"))], auth=pass_by),
        domain("half.example.com", [route(("wildcard", "^/p*", "/files/$1"), ("regex", "^/([^C]*)C(.*)$", "/$1$2"))]),
        domain("long.example.com", [route(("wildcard", "*", "/" + "$1" * 127))]),
        domain("based.example.com", [route(("wildcard", "^/api/*", "/$1"), function="based")]),
        domain("order.example.com", [route(("regex", "^/", "/regex"), ("wildcard", "/a*", "/wildcard"), ("wildcard", "/ab*", "/never"), ("equal", "/ab", "/equal"))]),
        domain("routes.example.com", [route(("equal", "/a", "/b"), path="/a"), {"path": "/*", "functionName": "based"}]),
    ]  # fmt: skip
    functions = [function(recorder.url), function(recorder.url + "/base", "based")]
    return serve(configuration(domains, functions), recorder)


@pytest.mark.parametrize(("name", "sent", "seen"), ALL, ids=[f"{name} {sent}" for name, sent, _ in ALL])
def test_rules(gateway, name, sent, seen):
    response = gateway.get(sent, host=f"{name}.example.com")
    assert response.status == 200
    assert response.seen.target == (sent if seen is None else seen)


@pytest.mark.parametrize(
    ("sent", "seen"), [("/ab", "/equal"), ("/abc", "/wildcard"), ("/b", "/regex"), ("/regex", "/regex")]
)
def test_the_first_rule_of_the_first_kind_that_matches(gateway, sent, seen):
    assert gateway.get(sent, host="order.example.com").seen.target == seen


def test_rules_belong_to_a_route_and_come_before_the_path_of_the_url(gateway):
    assert gateway.get("/a", host="routes.example.com").seen.target == "/b"
    assert gateway.get("/b", host="routes.example.com").seen.target == "/base/b"
    assert gateway.get("/api/x?y", host="based.example.com").seen.target == "/base/x?y"
    assert gateway.post("/api/x", host="based.example.com", body=b"b").seen.body == b"b"


PATHS_AND_LISTS = {
    "white /public/admin": "/admin",
    "white /admin": 401,
    "white /public/../admin": 401,
    "white /public/%2e%2e/admin": 401,
    "white /public/..%2fadmin": 401,
    "white /x/../public/admin": 401,  # The raw form is not on the whitelist.
    "black /public/admin": "/admin",  # What a rule makes of a free path is the operator's wish.
    "black /open": "/admin/x",
    "black /admin/x": 401,
    "black /public/../admin/x": 401,
    "black /public/..%2fadmin/x": 401,
}


@pytest.mark.parametrize(("request_", "expected"), PATHS_AND_LISTS.items(), ids=PATHS_AND_LISTS.keys())
def test_lists_judge_the_path_that_the_client_sent(gateway, request_, expected):
    name, sent = request_.split(" ")
    response = gateway.get(sent, host=f"{name}.example.com")
    if isinstance(expected, int):
        assert response.status == expected
    else:
        assert response.seen.target == expected


def test_a_rule_forges_no_claim_and_the_token_is_looked_for_before(gateway):
    seen = gateway.get("/u/evil?uid=3&a=1", host="forge.example.com", token=GOOD).seen
    assert seen.query_values("uid") == ["7"] and seen.path == "/u"
    assert gateway.get(f"/u/evil?token={GOOD}", host="forge.example.com").seen.query_values("uid") == ["7"]
    assert gateway.get("/u/evil", host="forge.example.com").status == 401
    # It is taken out of the query that is forwarded.
    seen = gateway.get(f"/x?a=1&token={GOOD}", host="white.example.com").seen
    assert seen.target.startswith("/x?") and seen.target.endswith("a=1") and "token" not in seen.target


@pytest.mark.parametrize(
    "sent", ["/p../admin", "/p%2e%2e/admin", "/p..%2fadmin", "/p%252e%252e/admin", "/p./x", "/%C00", "/%C5c", "/%C0d%C0a", "/%C3x"]
)
def test_what_leads_out_of_the_replacement_is_refused(gateway, sent):
    response = gateway.get(sent, host="half.example.com")
    assert (response.status, response.json()["Code"]) == (400, "InvalidArgument")
    assert "files" not in response.json()["Message"]
    assert gateway.access_line(response)["reason"] == "invalid_rewritten_path"
    assert gateway.get("/px/y", host="half.example.com").seen.target == "/files/x/y"


def test_the_length_is_bounded(gateway):
    assert gateway.get("/" + "a" * 100, host="long.example.com").status == 200
    response = gateway.get("/" + "a" * 1000, host="long.example.com")
    assert response.status == 414 and gateway.access_line(response)["reason"] == "target_too_long"


def try_(gateway, *arguments):
    return claimgate("try", "--config", gateway.file, *arguments)


def test_try_shows_the_rule(gateway):
    result = try_(gateway, "http://q1.example.com/user/7?tab=a")
    assert result.code == 0
    assert "✓ rewrite    to /profile?id=7, by ^/user/* → /profile?id=$1 of wildcardRules" in result.text
    trace = json.loads(try_(gateway, "--json", "http://q1.example.com/user/7?tab=a").text)
    rule = {"list": "wildcardRules", "match": "^/user/*", "replacement": "/profile?id=$1"}
    assert trace["rewrite"] == {"rule": rule, "path": "/profile", "query": "id=7"}
    assert trace["request"]["target"] == "/profile?id=7&tab=a"

    result = try_(gateway, "http://q1.example.com/other")
    assert "· rewrite    no rule matches" in result.text
    trace = json.loads(try_(gateway, "--json", "http://q1.example.com/other").text)
    assert trace["rewrite"] == {"rule": None, "path": None, "query": None}
    assert json.loads(try_(gateway, "--json", "http://routes.example.com/b").text)["rewrite"] is None

    result = try_(gateway, "http://half.example.com/p../admin")
    assert result.code == 1
    assert "✗ rewrite    to /files/../admin" in result.text and "invalid_rewritten_path" in result.text


BAD = {
    "equal": (("equal", "old", "/new"), "equalRules[0].match: the path must begin with /"),
    "wildcard": (("wildcard", "/*", "/$2"), "wildcardRules[0].replacement: there is no $2"),
    "regex": (("regex", "(", "/new"), 'regexRules[0].match: "(" is no regular expression: unclosed group'),
    "replacement": (("regex", "/", "http://evil.example/"), "must begin with one /"),
    "line end": (("equal", "/a", "/a\r\nHost: x"), "control character"),
}


@pytest.mark.parametrize(("rule", "said"), BAD.values(), ids=BAD.keys())
def test_check_refuses_bad_rules_and_says_where(tmp_path, rule, said):
    file = tmp_path / "claimgate.yaml"
    file.write_text(json.dumps(configuration([domain(routes=[route(rule)])], [function("http://h")]), indent=1))
    result = claimgate("check", "--config", file)
    assert result.code == 1 and said in result.err, result
    line = int(result.err.split(":")[1])
    word = "match" if ".match" in result.err else "replacement"
    assert f'"{word}"' in file.read_text().splitlines()[line - 1]
