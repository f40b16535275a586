"""Where the token is read from: rule 3 of the design."""

import json

import pytest

from support.command import claimgate
from support.configuration import configuration, domain, function, jwt
from support.forms import BOUNDARY, MULTIPART, URLENCODED, field, multipart, part
from support.http1 import chunked
from support.tokens import Key, jwks, key

KEY = key("ES256")
GOOD = KEY.token({"sub": "good"})
BETTER = KEY.token({"sub": "better"})
BAD = Key("ES256").token({"sub": "bad"})
MISSING, INVALID = "missing or malformed jwt", "invalid or expired jwt"

DOMAINS = {
    "header": "header:Authorization:Bearer",
    "space": "header:Authorization:Bearer ",
    "bare": "header:X-Token",
    "scheme": "header:X-Token:JWT",
    "cookie": "cookie:token",
    "query": "query:token",
    "form": "form:token",
    "every": "header:Authorization:Bearer,cookie:token,query:token,form:token",
    "reverse": "form:token,query:token,cookie:token,header:Authorization:Bearer",
    "two": "header:X-First,header:X-Second",
    "proxy": "header:Proxy-Authorization:Bearer",
    "list": [
        {"readPosition": "header", "parameterName": "Authorization", "prefix": "Bearer"},
        {"readPosition": "query", "parameterName": "a:b,c"},
    ],
}


#: As browsers can send one with a WebSocket.
BEHIND_A_WORD = {"readPosition": "header", "parameterName": "Sec-WebSocket-Protocol", "prefix": "bearer,"}


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    def auth(lookup, **more):
        return jwt(jwks(KEY), lookup, "header:sub:x-sub", **more)

    domains = [domain(f"{name}.example.com", auth=auth(lookup)) for name, lookup in DOMAINS.items()]
    domains.append(domain("drop.example.com", auth=auth(DOMAINS["every"], forwardToken=False)))
    mapped = jwt(jwks(KEY), DOMAINS["every"], "form:sub:fsub,header:sub:x-sub", forwardToken=False)
    domains.append(domain("drop-mapped.example.com", auth=mapped))
    domains.append(domain("socket.example.com", auth=auth([BEHIND_A_WORD], forwardToken=False)))
    domains.append(
        domain("drop-open.example.com", auth=auth(DOMAINS["every"], forwardToken=False, whitelist=["/open"]))
    )
    return serve(configuration(domains, [function(recorder.url)]), recorder)


def outcome(response):
    """Who was let in, or which message was given."""
    if response.status == 200:
        return response.seen.values("x-sub")[0]
    assert response.status == 401
    return response.json()["Message"]


# domain, value of the header, outcome
HEADERS = {
    "the word, a space, the token": ("header", "Bearer {good}", "good"),
    "lower case": ("header", "bearer {good}", "good"),
    "upper case": ("header", "BEARER {good}", "good"),
    "configured with a space": ("space", "Bearer {good}", "good"),
    "configured with a space, lower case": ("space", "bearer {good}", "good"),
    "no space": ("header", "Bearer{good}", INVALID),
    "no space, configured with one": ("space", "Bearer{good}", INVALID),
    "two spaces": ("header", "Bearer  {good}", "good"),
    "many spaces": ("space", "bearer        {good}", "good"),
    "two spaces behind another prefix": ("scheme", "JWT  {good}", "good"),
    "a tab": ("header", "Bearer\t{good}", INVALID),
    "a tab behind a space": ("header", "Bearer \t{good}", INVALID),
    "a colon": ("header", "Bearer: {good}", INVALID),
    "the token alone": ("header", "{good}", INVALID),
    "another word": ("header", "Basic {good}", INVALID),
    "the word twice": ("header", "Bearer Bearer {good}", INVALID),
    "the word alone": ("header", "Bearer", INVALID),
    "an empty value": ("header", "", INVALID),
    "more behind it": ("header", "Bearer {good}, Basic x", INVALID),
    "another user's basic credentials": ("header", "Basic dXNlcjpwYXNz", INVALID),
    "no prefix configured": ("bare", "{good}", "good"),
    "no prefix configured, but sent": ("bare", "Bearer {good}", INVALID),
    "another prefix": ("scheme", "JWT {good}", "good"),
    "another prefix, but Bearer sent": ("scheme", "Bearer {good}", INVALID),
}


@pytest.mark.parametrize(("host", "value", "expected"), HEADERS.values(), ids=HEADERS.keys())
def test_header(gateway, host, value, expected):
    name = "Authorization" if host in ("header", "space") else "X-Token"
    headers = [(name, value.format(good=GOOD))]
    assert outcome(gateway.get(host=f"{host}.example.com", headers=headers)) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Bearer\t{good}", "wrong_prefix"), ("Bearer \t{good}", "wrong_prefix"), ("Bearer {good}, Bearer {good}", "ambiguous_token"),
        ("Bearer {good},{good}", "ambiguous_token"), ("Bearer {good}, Basic x", "ambiguous_token"),
    ],
)  # fmt: skip
def test_why_a_header_is_refused(gateway, value, reason):
    response = gateway.get(host="header.example.com", headers=[("Authorization", value.format(good=GOOD))])
    assert (outcome(response), gateway.access_line(response)["reason"]) == (INVALID, reason)


def test_a_token_that_proxies_ask_for_is_read_and_consumed(gateway):
    headers = [("Proxy-Authorization", f"Bearer {GOOD}"), ("Authorization", "Basic dXNlcjpwYXNz")]
    seen = gateway.get(host="proxy.example.com", headers=headers).seen
    assert (seen.values("x-sub"), seen.values("proxy-authorization")) == (["good"], [])
    assert seen.values("authorization") == ["Basic dXNlcjpwYXNz"]
    # Elsewhere it never arrives.
    assert gateway.get(host="header.example.com", headers=[*headers[:1], ("Authorization", f"Bearer {GOOD}")]).seen.values("proxy-authorization") == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("bearer, {good}", "bearer"), ("bearer, {good}, chat", None), ("bearer,  {good}", "bearer"), ("Bearer, {good}", "Bearer")],
)
def test_the_other_subprotocols_of_a_websocket_stay(gateway, sent, kept):
    response = gateway.get(host="socket.example.com", headers=[("Sec-WebSocket-Protocol", sent.format(good=GOOD))])
    if kept is None:
        assert outcome(response) == INVALID
    else:
        assert response.seen.values("sec-websocket-protocol") == [kept]


@pytest.mark.parametrize("name", ["Keep-Alive", "TE", "upgrade", "Connection", "Proxy-Connection", "transfer_encoding", "HOST", "Content-Length", "Expect"])
@pytest.mark.parametrize("notation", ["text", "list"])
def test_a_header_in_which_no_token_can_be_is_refused(tmp_path, name, notation):
    listed = [{"readPosition": "cookie", "parameterName": "a"}, {"readPosition": "header", "parameterName": name}]
    lookup = listed if notation == "list" else f"cookie:a,header:{name}"
    written = configuration([domain(auth=jwt(jwks(KEY), lookup))], [{"functionName": "orders", "builtin": "echo"}])
    (tmp_path / "claimgate.yaml").write_text(json.dumps(written))
    checked = claimgate("check", "--config", tmp_path / "claimgate.yaml")
    assert checked.code != 0 and "is removed before tokens are read" in checked.err


def test_the_headers_name_is_compared_without_case(gateway):
    headers = [("aUTHORIZATION", f"Bearer {GOOD}")]
    assert outcome(gateway.get(host="header.example.com", headers=headers)) == "good"


@pytest.mark.parametrize("values", [(GOOD, GOOD), (GOOD, BAD), (BAD, GOOD), (GOOD, "")])
def test_two_headers_are_refused_even_when_equal(gateway, values):
    headers = [("Authorization", f"Bearer {value}") for value in values]
    response = gateway.get(host="header.example.com", headers=headers)
    assert outcome(response) == INVALID
    assert gateway.access_line(response)["reason"] == "ambiguous_token"


# domain, value of the Cookie header, outcome
COOKIES = {
    "alone": ("cookie", "token={good}", "good"),
    "among others": ("cookie", "a=1; token={good}; b=2", "good"),
    "without spaces": ("cookie", "a=1;token={good};b=2", "good"),
    "another name": ("cookie", "Token={good}", MISSING),
    "the name as a prefix": ("cookie", "token2={good}; mytoken={good}", MISSING),
    "a value that looks like it": ("cookie", "a=token={good}", MISSING),
    "twice": ("cookie", "token={good}; token={good}", INVALID),
    "twice, one empty": ("cookie", "token=; token={good}", INVALID),
    "empty": ("cookie", "token=", INVALID),
    "no value at all": ("cookie", "a=1", MISSING),
    "with a prefix": ("cookie", "token=Bearer {good}", INVALID),
}


@pytest.mark.parametrize(("host", "value", "expected"), COOKIES.values(), ids=COOKIES.keys())
def test_cookie(gateway, host, value, expected):
    headers = [("Cookie", value.format(good=GOOD))]
    assert outcome(gateway.get(host=f"{host}.example.com", headers=headers)) == expected


def test_cookies_in_two_header_lines_count_together(gateway):
    lines = [("Cookie", "a=1"), ("Cookie", f"token={GOOD}")]
    assert outcome(gateway.get(host="cookie.example.com", headers=lines)) == "good"
    lines = [("Cookie", f"token={GOOD}"), ("Cookie", f"token={GOOD}")]
    assert outcome(gateway.get(host="cookie.example.com", headers=lines)) == INVALID


# query string, outcome
QUERIES = {
    "alone": ("token={good}", "good"),
    "among others": ("a=1&token={good}&b", "good"),
    "the name encoded": ("%74oken={good}", "good"),
    "dots encoded": ("token=" + GOOD.replace(".", "%2E"), "good"),
    "another case": ("Token={good}", MISSING),
    "a name that begins so": ("token2={good}&tokens={good}", MISSING),
    "in a value": ("a=token={good}", MISSING),
    "twice": ("token={good}&token={good}", INVALID),
    "twice, once encoded": ("token={good}&%74oken={good}", INVALID),
    "twice, the first empty": ("token=&token={good}", INVALID),
    "empty": ("token=", INVALID),
    "the name alone": ("token", INVALID),
    "a plus at the end": ("token={good}+", INVALID),
    "a blank at the end": ("token={good}%20", INVALID),
    "nothing": ("", MISSING),
}


@pytest.mark.parametrize(("query", "expected"), QUERIES.values(), ids=QUERIES.keys())
def test_query(gateway, query, expected):
    target = "/?" + query.format(good=GOOD)
    assert outcome(gateway.get(target, host="query.example.com")) == expected


def test_a_name_that_only_the_list_notation_can_hold(gateway):
    assert outcome(gateway.get(f"/?a:b,c={GOOD}", host="list.example.com")) == "good"
    assert outcome(gateway.get(f"/?a%3Ab%2Cc={GOOD}", host="list.example.com")) == "good"


# Content-Type, body, outcome
FORMS = {
    "urlencoded": (URLENCODED[1], "token={good}", "good"),
    "urlencoded, among others": (URLENCODED[1], "a=1&token={good}&b=2", "good"),
    "urlencoded with charset": (URLENCODED[1] + "; charset=UTF-8", "token={good}", "good"),
    "urlencoded in upper case": (URLENCODED[1].upper(), "token={good}", "good"),
    "urlencoded, the name encoded": (URLENCODED[1], "t%6Fken={good}", "good"),
    "urlencoded, twice": (URLENCODED[1], "token={good}&token={good}", INVALID),
    "urlencoded, empty": (URLENCODED[1], "token=", INVALID),
    "urlencoded, empty body": (URLENCODED[1], "", MISSING),
    "multipart": (MULTIPART[1], multipart(field("a", "1"), field("token", "{good}")), "good"),
    "multipart, unquoted name": (MULTIPART[1], multipart(part("name=token", b"{good}")), "good"),
    "multipart, quoted boundary": (
        f'multipart/form-data; boundary="{BOUNDARY}"', multipart(field("token", "{good}")), "good",
    ),
    "multipart, upper case": (
        f'Multipart/Form-Data; Boundary="{BOUNDARY}"', multipart(field("token", "{good}")), "good",
    ),
    "multipart, twice": (MULTIPART[1], multipart(field("token", "{good}"), field("token", "{good}")), INVALID),
    "multipart, another name": (MULTIPART[1], multipart(field("Token", "{good}")), MISSING),
    "multipart, in a value": (MULTIPART[1], multipart(field("a", "token={good}")), MISSING),
    "JSON": ("application/json", '{{"token":"{good}"}}', MISSING),
    "text": ("text/plain", "token={good}", MISSING),
    "no Content-Type": (None, "token={good}", MISSING),
}  # fmt: skip


@pytest.mark.parametrize(("content_type", "body", "expected"), FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_form(gateway, content_type, body, expected, coding):
    body = body if isinstance(body, bytes) else body.replace("{{", "{").replace("}}", "}").encode()
    body = body.replace(b"{good}", GOOD.encode())
    headers = [("Content-Type", content_type)] if content_type else []
    if coding == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
        sent = chunked(*[piece for piece in (body[:7], body[7:]) if piece])
    else:
        sent = body
    response = gateway.post(host="form.example.com", headers=headers, body=sent)
    assert outcome(response) == expected
    if expected == "good":
        assert response.seen.body == body


@pytest.mark.parametrize(
    "body",
    [
        multipart(field("token", GOOD))[:-8],
        multipart(field("token", GOOD), boundary="other"),
        b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="token"\r\n',
        b"no parts at all",
    ],
    ids=["cut off", "another boundary", "no end of the part's header", "no parts"],
)
def test_a_broken_multipart_body_lets_nobody_in(gateway, body):
    response = gateway.post(host="form.example.com", headers=[MULTIPART], body=body)
    assert response.status in (400, 401)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity"])
def test_a_compressed_form_is_refused_as_it_cannot_be_read(gateway, coding):
    headers = [URLENCODED, ("Content-Encoding", coding)]
    response = gateway.post(host="form.example.com", headers=headers, body=b"token=" + GOOD.encode())
    assert response.status == 415


def test_a_form_over_the_limit_is_refused_and_one_below_is_not(gateway):
    token = b"token=" + GOOD.encode() + b"&pad="
    below = token + b"x" * (2**20 - len(token))
    assert outcome(gateway.post(host="form.example.com", headers=[URLENCODED], body=below)) == "good"
    assert gateway.post(host="form.example.com", headers=[URLENCODED], body=below + b"x").status == 413
    headers = [URLENCODED, ("Transfer-Encoding", "chunked")]
    assert gateway.post(host="form.example.com", headers=headers, body=chunked(below, b"x")).status == 413


# domain, header token, cookie token, query token, form token, outcome: the first place that has one decides
ORDER = {
    "nothing": ("every", None, None, None, None, MISSING),
    "only the last": ("every", None, None, None, GOOD, "good"),
    "only the third": ("every", None, None, GOOD, None, "good"),
    "header before the others": ("every", GOOD, BETTER, BETTER, BETTER, "good"),
    "cookie before query and form": ("every", None, GOOD, BETTER, BETTER, "good"),
    "query before form": ("every", None, None, GOOD, BETTER, "good"),
    "form before the others": ("reverse", BETTER, BETTER, BETTER, GOOD, "good"),
    "query before cookie and header": ("reverse", BETTER, BETTER, GOOD, None, "good"),
    "a bad first is not saved by a good second": ("every", BAD, GOOD, GOOD, GOOD, INVALID),
    "an empty first is not saved by a good second": ("every", None, "", GOOD, GOOD, INVALID),
    "a good first is not spoilt by a bad second": ("every", GOOD, BAD, "", BAD, "good"),
    "a bad form first": ("reverse", GOOD, GOOD, GOOD, BAD, INVALID),
}


@pytest.mark.parametrize(("host", "header", "cookie", "query", "form", "expected"), ORDER.values(), ids=ORDER.keys())
def test_the_first_present_token_decides(gateway, host, header, cookie, query, form, expected):
    headers = [URLENCODED]
    if header is not None:
        headers.append(("Authorization", f"Bearer {header}"))
    if cookie is not None:
        headers.append(("Cookie", f"token={cookie}"))
    target = "/" if query is None else f"/?token={query}"
    body = b"a=1" if form is None else f"a=1&token={form}".encode()
    response = gateway.post(target, host=f"{host}.example.com", headers=headers, body=body)
    assert outcome(response) == expected


def test_two_headers_are_two_places(gateway):
    host = "two.example.com"
    assert outcome(gateway.get(host=host, headers=[("X-Second", GOOD)])) == "good"
    assert outcome(gateway.get(host=host, headers=[("X-Second", BETTER), ("X-First", GOOD)])) == "good"
    assert outcome(gateway.get(host=host, headers=[("X-Second", GOOD), ("X-First", BAD)])) == INVALID


def everywhere(gateway, host, target="/open"):
    headers = [
        ("Authorization", f"Bearer {GOOD}"),
        ("Cookie", f"a=1; token={GOOD}; b=2"),
        ("X-Other", "kept"),
        URLENCODED,
    ]
    target = f"{target}?x=1&token={GOOD}&y=2&%74oken={GOOD}"
    body = f"p=1&token={GOOD}&q=2".encode()
    return gateway.post(target, host=host, headers=headers, body=body).seen


def test_the_function_receives_the_token_unless_told_otherwise(gateway):
    seen = everywhere(gateway, "every.example.com")
    assert seen.values("authorization") == [f"Bearer {GOOD}"]
    assert seen.cookies == ["a=1", f"token={GOOD}", "b=2"]
    assert seen.query == f"x=1&token={GOOD}&y=2&%74oken={GOOD}"
    assert seen.body == f"p=1&token={GOOD}&q=2".encode()


def test_forward_token_false_removes_it_from_a_header(gateway):
    seen = gateway.get(host="drop.example.com", headers=[("Authorization", f"Bearer {GOOD}"), ("X-Other", "kept")]).seen
    assert GOOD.encode() not in seen.everything
    assert seen.values("authorization") == [] and seen.values("x-other") == ["kept"]


def test_forward_token_false_removes_it_from_a_cookie(gateway):
    seen = gateway.get(host="drop.example.com", headers=[("Cookie", f"a=1; token={GOOD}; b=2")]).seen
    assert GOOD.encode() not in seen.everything
    assert seen.cookies == ["a=1", "b=2"]


def test_forward_token_false_removes_it_from_the_query(gateway):
    seen = gateway.get(f"/?x=1&token={GOOD}&y=2", host="drop.example.com").seen
    assert GOOD.encode() not in seen.everything
    assert seen.query == "x=1&y=2"


def test_forward_token_false_removes_it_from_a_form(gateway):
    body = f"p=1&token={GOOD}&q=2".encode()
    seen = gateway.post(host="drop.example.com", headers=[URLENCODED], body=body).seen
    assert GOOD.encode() not in seen.everything
    assert seen.body == b"p=1&q=2" and seen.values("content-length") == ["7"]


@pytest.mark.parametrize("host", ["drop.example.com", "drop-mapped.example.com"])
def test_forward_token_false_removes_what_is_at_every_place(gateway, host):
    """Only one of them was verified (RFC 6750, 2)."""
    seen = everywhere(gateway, host)
    assert GOOD.encode() not in seen.everything
    assert (seen.values("authorization"), seen.values("x-other")) == ([], ["kept"])
    assert (seen.cookies, seen.query, seen.body[-7:]) == (["a=1", "b=2"], "x=1&y=2", b"p=1&q=2")


@pytest.mark.parametrize("token", [GOOD, BAD, "opaque"])
def test_forward_token_false_removes_it_from_a_form_that_streams(gateway, token):
    """The token is in the header; what is in the form is not even looked at."""
    bearer = ("Authorization", f"Bearer {GOOD}")
    large = b"x" * (2 << 20)
    body = b"p=" + large + f"&token={token}&q=2".encode()
    seen = gateway.post(host="drop.example.com", headers=[bearer, URLENCODED], body=body).seen
    length = len(f"token={token}") - len("token=")
    assert seen.body == b"p=" + large + b"&zzzzz=" + b"z" * length + b"&q=2"
    kept = [part('name="file"; filename="a.bin"', large), field("q", "2")]
    chunks = [bearer, MULTIPART, ("Transfer-Encoding", "chunked")]
    sent = multipart(kept[0], field("token", token), kept[1])
    assert gateway.post(host="drop.example.com", headers=chunks, body=chunked(sent)).seen.body == multipart(*kept)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/mixed; boundary=b", None])
def test_forward_token_false_leaves_other_bodies_alone(gateway, content_type):
    headers = [("Authorization", f"Bearer {GOOD}"), *([("Content-Type", content_type)] if content_type else [])]
    seen = gateway.post(host="drop.example.com", headers=headers, body=b'{"token":1}').seen
    assert seen.body == b'{"token":1}'


def test_forward_token_false_leaves_an_exempt_path_alone_where_no_token_is_looked_for(gateway):
    credentials = ("Authorization", "Basic dXNlcjpwYXNzd29yZA==")
    seen = gateway.get("/open", host="drop-open.example.com", headers=[credentials]).seen
    assert seen.values("authorization") == [credentials[1]]


def test_forward_token_false_removes_it_from_multipart(gateway):
    kept = [field("p", "1"), part('name="file"; filename="a.bin"', bytes(range(256)))]
    body = multipart(kept[0], field("token", GOOD), kept[1])
    seen = gateway.post(host="drop.example.com", headers=[MULTIPART], body=body).seen
    assert seen.body == multipart(*kept)
