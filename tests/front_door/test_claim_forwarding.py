"""What the function receives of claims, of spoofed parameters, and of everything else: rule 6 of the design."""

import itertools
import json
from urllib.parse import unquote

import pytest

from support.configuration import configuration, domain, function, jwt
from support.forms import BOUNDARY, MULTIPART, URLENCODED, field, multipart, multipart_values, part
from support.http1 import chunked
from support.tokens import in_an_hour, jwks, key

KEY = key("ES256")
EVERYWHERE = "header:sub:x-user-id,query:sub:uid,form:sub:fuid,cookie:sub:cuid"


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    def auth(claim_pass_by, **more):
        return jwt(jwks(KEY), claim_pass_by=claim_pass_by, **more)

    nested = [
        ("address.country", "x-country"),
        ("address.geo.lat", "x-lat"),
        ("https://example.com/role", "x-role"),
        ("a.b", "x-literal"),
        ("list.0", "x-list"),
    ]
    domains = [
        domain("api.example.com", auth=auth(EVERYWHERE, whitelist=["/open"])),
        domain("types.example.com", auth=auth("header:v:x-v,query:v:v,form:v:v,cookie:v:v")),
        domain("forward.example.com", auth=auth(EVERYWHERE, otherBodies="forward")),
        domain("header.example.com", auth=auth("header:sub:x-user-id")),
        domain("query.example.com", auth=auth("query:sub:uid")),
        domain("odd.example.com", auth=auth("query:sub:u id,cookie:sub:__Host-id,header:sub:X_User.Name")),
        domain("none.example.com", auth=auth("query::")),
        domain("two.example.com", auth=auth("header:sub:x-a,header:sub:x-b,header:name:x-c")),
        domain(
            "nested.example.com",
            auth=auth(
                [
                    {"claimName": claim, "mappingParameterPosition": "header", "mappingParameterName": name}
                    for claim, name in nested
                ]
            ),
        ),
    ]
    return serve(configuration(domains, [function(recorder.url)]), recorder)


def test_four_positions(gateway):
    token = KEY.token({"sub": "ann"})
    seen = gateway.post("/?a=1", token=token, headers=[URLENCODED, ("Cookie", "b=2")], body=b"c=3").seen
    assert seen.values("x-user-id") == ["ann"]
    assert (seen.path, sorted(seen.query.split("&"))) == ("/", ["a=1", "uid=ann"])
    assert sorted(seen.body.split(b"&")) == [b"c=3", b"fuid=ann"]
    assert seen.values("content-length") == [str(len(seen.body))]
    assert seen.values("cookie") == ["cuid=ann; b=2"]


def test_a_claim_may_go_to_several_parameters(gateway):
    seen = gateway.get(host="two.example.com", token=KEY.token({"sub": "ann", "name": "Ann"})).seen
    assert [seen.values(name) for name in ("x-a", "x-b", "x-c")] == [["ann"], ["ann"], ["Ann"]]


# The claim's JSON, and the text that the function receives (None: no parameter)
TYPES = {
    "string": ('"ann"', "ann"),
    "empty string": ('""', ""),
    "string with spaces inside": ('"a b  c"', "a b  c"),
    "string of query characters": ('"a&b=c;d+e%20f#g?h"', "a&b=c;d+e%20f#g?h"),
    "string of cookie characters": ('"a;b,c=\\"d\\\\e"', 'a;b,c="d\\e'),
    "Icelandic": ('"Jón Snær"', "Jón Snær"),
    "Chinese": ('"\\u96ea 雪"', "雪 雪"),
    "emoji by surrogates": ('"\\ud83d\\ude00"', "😀"),
    "zero": ("0", "0"),
    "negative": ("-17", "-17"),
    "2^53 + 1": ("9007199254740993", "9007199254740993"),
    "2^64": ("18446744073709551616", "18446744073709551616"),
    "50 digits": ("9" * 50, "9" * 50),
    "integer with an exponent": ("12e3", "12000"),
    "fraction": ("1.5", "1.5"),
    "fraction that no double holds": ("0.1234567890123456789012345", "0.1234567890123456789012345"),
    "true": ("true", "true"),
    "false": ("false", "false"),
    "null": ("null", None),
    "array": ('[ "a", 1, 9007199254740993, null ]', '["a",1,9007199254740993,null]'),
    "empty array": ("[ ]", "[]"),
    "object in its order": ('{ "b" : [ true ], "a" : {"c":"d"} }', '{"b":[true],"a":{"c":"d"}}'),
    "object with UTF-8": ('{"n":"Snær"}', '{"n":"Snær"}'),
}


@pytest.mark.parametrize(("claim", "text"), TYPES.values(), ids=TYPES.keys())
def test_types(gateway, claim, text):
    token = KEY.token('{"v":%s}' % claim)
    seen = gateway.post("/", host="types.example.com", token=token).seen
    expected = [] if text is None else [text]
    assert seen.values("x-v") == expected
    assert seen.query_values("v") == expected
    assert seen.form_values("v") == expected
    assert [unquote(value) for value in seen.cookie_values("v")] == expected


def test_a_whole_number_as_a_fraction_is_not_changed_beyond_its_value(gateway):
    seen = gateway.get(host="types.example.com", token=KEY.token('{"v":1.0}')).seen
    assert seen.values("x-v")[0] in ("1", "1.0")


def test_an_absent_claim_gives_no_parameter(gateway):
    seen = gateway.post("/", host="types.example.com", token=KEY.token()).seen
    assert (seen.values("x-v"), seen.query, seen.body, seen.cookies) == ([], "", b"", [])


# Values that a header line cannot carry; the other positions can.
CONTROL = ["a\nb", "a\r\nx-admin: 1", "a\x00b", "a\tb", "\x7f", " lead", "trail ", "\ttab", "a\u0085b\x1b"]


@pytest.mark.parametrize("value", CONTROL, ids=repr)
def test_values_that_no_header_carries_are_left_out_of_it(gateway, value):
    headers = [("X-V", "evil")]
    token = KEY.token({"v": value})
    response = gateway.post("/", host="types.example.com", token=token, headers=headers)
    seen = response.seen
    assert seen.values_of_alias("x-v") == []
    assert seen.values("x-admin") == []
    assert seen.query_values("v") == [value]
    assert seen.form_values("v") == [value]
    assert [unquote(v) for v in seen.cookie_values("v")] == [value]


COOKIE_OCTETS = set("!#$&'()*+-./:<=>?@[]^_`{|}~") | {chr(c) for c in range(48, 123) if chr(c).isalnum()}


def test_cookie_values_hold_cookie_octets_only_and_percent_is_encoded(gateway):
    value = "".join(map(chr, range(1, 256))) + "%41雪"
    seen = gateway.get(host="types.example.com", token=KEY.token({"v": value})).seen
    (raw,) = seen.cookie_values("v")
    assert set(raw.replace("%", "")) <= COOKIE_OCTETS
    assert unquote(raw) == value


NESTED = {
    "a path": ({"address": {"country": "IS"}}, "x-country", ["IS"]),
    "a longer path": ({"address": {"geo": {"lat": 64.1}}}, "x-lat", ["64.1"]),
    "the literal name before the path": ({"a.b": "literal", "a": {"b": "path"}}, "x-literal", ["literal"]),
    "a literal null is no reason for the path": ({"a.b": None, "a": {"b": "path"}}, "x-literal", []),
    "a name that is a URL": ({"https://example.com/role": "admin"}, "x-role", ["admin"]),
    "a path into nothing": ({"address": {}}, "x-country", []),
    "a path through a string": ({"address": "IS"}, "x-country", []),
    "a path through an array": ({"address": [{"country": "IS"}]}, "x-country", []),
    "a path to null": ({"address": {"country": None}}, "x-country", []),
}


@pytest.mark.parametrize(("claims", "name", "expected"), NESTED.values(), ids=NESTED.keys())
def test_nested_claims(gateway, claims, name, expected):
    seen = gateway.get(host="nested.example.com", token=KEY.token(claims)).seen
    assert seen.values(name) == expected


# --- Spoofing: what the client sends for a mapped parameter is gone, whatever its spelling. ---

# How the request comes: path, token, and the value that the function must find.
SITUATIONS = {
    "the claim is there": ("/orders", KEY.token({"sub": "ann"}), ["ann"]),
    "the claim is absent": ("/orders", KEY.token(), []),
    "the claim is null": ("/orders", KEY.token({"sub": None}), []),
    "the path is exempt": ("/open", None, []),
    "the path is exempt and the claim is there": ("/open", KEY.token({"sub": "ann"}), None),
}
situations = pytest.mark.parametrize(("path", "token", "expected"), SITUATIONS.values(), ids=SITUATIONS.keys())


def check(found: list, expected: list | None):
    """On an exempt path a good token may be used or not: only the spoofed value must not be there."""
    assert found in ([[], ["ann"]] if expected is None else [expected])


HEADER_NAMES = ["X-User-Id", "x-user-id", "X-USER-ID", "x_user_id", "X_User-Id", "x.user.id", "X.User_Id"]
HEADER_VALUES = [["evil"], [""], ["evil", "evil2"], ["evil", ""]]


@situations
@pytest.mark.parametrize("values", HEADER_VALUES, ids=str)
@pytest.mark.parametrize("name", HEADER_NAMES)
def test_spoofed_header(gateway, path, token, expected, name, values):
    headers = [(name, value) for value in values]
    seen = gateway.get(path, token=token, headers=headers).seen
    check(seen.values_of_alias("x-user-id"), expected)
    assert b"evil" not in seen.everything


@situations
def test_spoofed_header_in_all_spellings_at_once(gateway, path, token, expected):
    seen = gateway.get(path, token=token, headers=[(name, "evil") for name in HEADER_NAMES]).seen
    check(seen.values_of_alias("x-user-id"), expected)


@pytest.mark.parametrize("name", ["X-User-Name", "x_user_name", "X.USER.NAME"])
def test_a_mapping_with_underscore_and_dot_is_spoofed_by_no_spelling_either(gateway, name):
    seen = gateway.get(host="odd.example.com", token=KEY.token({"sub": "ann"}), headers=[(name, "evil")]).seen
    assert seen.values_of_alias("x-user-name") == ["ann"]


@pytest.mark.parametrize("value", ["x-user-id", "close, X-User-Id", "x-user-id, cookie, content-type", "X_User_Id"])
def test_connection_cannot_remove_a_claim(gateway, value):
    headers = [("Connection", value), ("Cookie", "a=1")]
    seen = gateway.get(token=KEY.token({"sub": "ann"}), headers=headers).seen
    assert seen.values("x-user-id") == ["ann"]
    assert seen.cookie_values("cuid") == ["ann"]


@pytest.mark.parametrize("token", [KEY.token({"sub": "ann"}), KEY.token()], ids=["claim", "no claim"])
@pytest.mark.parametrize("host", ["forward.example.com", "header.example.com"])
def test_trailers_are_dropped(gateway, host, token):
    headers = [("Transfer-Encoding", "chunked"), ("Trailer", "X-User-Id"), ("Content-Type", "text/plain")]
    body = chunked(b"body", trailers=b"X-User-Id: evil\r\nX-Other: evil\r\n")
    seen = gateway.post(host=host, token=token, headers=headers, body=body).seen
    assert seen.body == b"body"
    assert seen.trailers == []
    assert "evil" not in seen.values_of_alias("x-user-id")


QUERY_SPOOFS = [
    "uid=evil", "uid=", "uid", "%75id=evil", "u%69%64=evil", "uid[]=evil", "uid%5B%5D=evil", "uid%5b]=evil",
    "uid=evil&uid=evil2", "a=1&uid=evil&b=2", "uid=evil&%75id=evil&uid[]=evil", "&&uid=evil&&", "uid=evil=evil",
    "a=1;uid=evil", "uid=evil;a=1", ";uid=evil;", "a=1&b=2;%75id=evil;uid[]=evil",
]  # fmt: skip


def lenient_values(query: str, name: str) -> list[str]:
    """The values that any known parser gives to a name: `;` separates too, `name[]` is the name."""
    pairs = [piece.partition("=") for piece in query.replace(";", "&").split("&") if piece]
    decoded = [(unquote(key.replace("+", " ")), unquote(value)) for key, _, value in pairs]
    return [value for key, value in decoded if key.strip() in (name, name + "[]")]


@situations
@pytest.mark.parametrize("query", QUERY_SPOOFS)
def test_spoofed_query(gateway, path, token, expected, query):
    seen = gateway.get(f"{path}?{query}", token=token).seen
    check(lenient_values(seen.query, "uid"), expected)


@situations
@pytest.mark.parametrize("query", QUERY_SPOOFS)
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_spoofed_urlencoded_form(gateway, path, token, expected, query, coding):
    body = query.replace("uid", "fuid").replace("%75id", "f%75id").replace("u%69%64", "fu%69%64").encode()
    headers = [URLENCODED] + ([("Transfer-Encoding", "chunked")] if coding == "chunked" else [])
    sent = chunked(body) if coding == "chunked" else body
    seen = gateway.post(path, token=token, headers=headers, body=sent).seen
    check(lenient_values(seen.body.decode(), "fuid"), expected)
    assert seen.values("content-length") == [str(len(seen.body))]


MULTIPART_SPOOFS = {
    "a part": [field("fuid", "evil")],
    "two parts": [field("fuid", "evil"), field("fuid", "evil2")],
    "name[]": [field("fuid[]", "evil")],
    "unquoted": [part("name=fuid", b"evil")],
    "another case of the parameter": [part('NAME="fuid"', b"evil")],
    "as a file": [part('name="fuid"; filename="evil.txt"', b"evil", "Content-Type: text/plain")],
    "filename before name": [part('filename="evil"; name="fuid"', b"evil")],
    "escaped": [part('name="f\\uid"', b"evil")],
    "spaces": [part('  name = "fuid"  ', b"evil")],
    "folded": [b'Content-Disposition: form-data;\r\n name="fuid"\r\n\r\nevil'],
    "another header first": [b'X-A: 1\r\nContent-Disposition: form-data; name="fuid"\r\n\r\nevil'],
    "case of the header": [b'content-disposition: FORM-DATA; name="fuid"\r\n\r\nevil'],
    "two names, ours first": [part('name="fuid"; name="b"', b"evil")],
    "two names, ours second": [part('name="b"; name="fuid"', b"evil")],
    "extended": [part("name*=utf-8''fuid", b"evil")],
    "percent-encoded": [part('name="f%75id"', b"evil")],
    "among others": [field("a", "1"), field("fuid", "evil"), field("b", "2")],
}


@situations
@pytest.mark.parametrize("parts", MULTIPART_SPOOFS.values(), ids=MULTIPART_SPOOFS.keys())
def test_spoofed_multipart_form(gateway, path, token, expected, parts):
    """A part whose name cannot be read for sure is removed, or the request refused."""
    response = gateway.post(path, token=token, headers=[MULTIPART], body=multipart(*parts))
    if response.status == 400:
        return
    seen = response.seen
    assert b"evil" not in seen.body
    content_type = seen.values("content-type")[0]
    if seen.body:
        check([v.decode() for v in multipart_values(content_type, seen.body, "fuid")], expected)
    assert seen.values("content-length") == [str(len(seen.body))]


# Two parsers may cut such bodies differently, so nothing of ours may be added beside an evil part.
AMBIGUOUS = {
    "preamble": b'--x\r\nContent-Disposition: form-data; name="fuid"\r\n\r\nevil\r\n' + multipart(field("a", "1")),
    "epilogue": multipart(field("a", "1")) + multipart(field("fuid", "evil")),
    "bare LF": multipart(field("fuid", "evil")).replace(b"\r\n", b"\n"),
    "space behind the delimiter": multipart(field("a", "1"), field("fuid", "evil")).replace(
        BOUNDARY.encode() + b"\r\n", BOUNDARY.encode() + b" \t\r\n"
    ),
    "no last delimiter": multipart(field("fuid", "evil")).removesuffix(f"--{BOUNDARY}--\r\n".encode()),
}


@pytest.mark.parametrize("body", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_ambiguous_multipart(gateway, body):
    response = gateway.post("/", token=KEY.token({"sub": "ann"}), headers=[MULTIPART], body=body)
    if response.status != 400:
        assert b"fuid" not in response.seen.body.replace(b'name="fuid"\r\n\r\nann', b"")


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={BOUNDARY}; boundary=x",
        f"multipart/form-data; boundary={BOUNDARY}, application/json",
    ],
)
def test_a_multipart_body_without_a_clear_boundary_is_refused(gateway, content_type):
    headers = [("Content-Type", content_type)]
    response = gateway.post(token=KEY.token({"sub": "a"}), headers=headers, body=multipart(field("fuid", "evil")))
    assert response.status == 400


def test_two_content_types_are_refused(gateway):
    headers = [("Content-Type", "application/json"), URLENCODED]
    response = gateway.post(token=KEY.token({"sub": "a"}), headers=headers, body=b"fuid=evil")
    assert response.status == 400


COOKIE_SPOOFS = [
    ["cuid=evil"], ["cuid="], ["cuid"], ['cuid="evil"'], ["a=1; cuid=evil; b=2"], ["a=1;cuid=evil;b=2"],
    ["cuid=evil; cuid=evil2"], ["cuid=evil", "cuid=evil2"], ["a=1", "cuid=evil"], ["cuid =evil"], [" cuid=evil"],
    ["\tcuid\t=\tevil"], ["%63uid=evil"], ["cuid[]=evil"], ["c%75id%5B%5D=evil"], ["; ;cuid=evil;;"],
    ["a=\"x; cuid=evil; y\""], ["a=1, cuid=evil"],
]  # fmt: skip


def lenient_cookies(seen, name: str) -> list[str]:
    """The values that any known parser gives to a cookie: names trimmed, decoded, in quotes or not; commas separate too."""
    pairs = [piece.partition("=") for line in seen.values("cookie") for piece in line.replace(",", ";").split(";")]
    return [value.strip() for key, _, value in pairs if unquote(key.strip()) in (name, name + "[]")]


@situations
@pytest.mark.parametrize("lines", COOKIE_SPOOFS, ids=str)
def test_spoofed_cookie(gateway, path, token, expected, lines):
    seen = gateway.get(path, token=token, headers=[("Cookie", line) for line in lines]).seen
    check(lenient_cookies(seen, "cuid"), expected)


def test_odd_parameter_names(gateway):
    token = KEY.token({"sub": "ann"})
    headers = [("Cookie", "__Host-id=evil; __host-id=kept")]
    seen = gateway.get("/?u+id=evil&u%20id=evil&uid=kept", host="odd.example.com", token=token, headers=headers).seen
    assert seen.query_values("u id") == ["ann"]
    assert seen.query_values("uid") == ["kept"]
    assert sorted(seen.cookies) == ["__Host-id=ann", "__host-id=kept"]


# --- What is not mapped arrives byte for byte. ---

SURVIVING_QUERIES = [
    "a=%7e&b=+&c=%2b", "&&a&&=b&", "a=1;b=2", "a=b=c&d", "%zz=%", "a=%C3%28&b=\u00e9", "uidx=1&xuid=2&UID=3&uid.x=4",
    "a=b?c/d&e[]=f&g[h]=i", "q=%00%0d%0a", "a='`{|}~",
]  # fmt: skip


@pytest.mark.parametrize("query", SURVIVING_QUERIES)
@pytest.mark.parametrize("spoof", ["", "uid=evil"])
def test_the_rest_of_the_query_survives(gateway, query, spoof):
    sent = "&".join(filter(None, [query, spoof]))
    seen = gateway.get(f"/?{sent}", host="query.example.com", token=KEY.token({"sub": "ann"})).seen
    rest = seen.query.removeprefix("uid=ann&").removesuffix("&uid=ann")
    assert (seen.query_values("uid"), rest) == (["ann"], query)


@pytest.mark.parametrize("query", [*SURVIVING_QUERIES, "", "uid=mine"])
@pytest.mark.parametrize("host", ["header.example.com", "none.example.com"])
def test_a_query_that_no_claim_goes_to_is_not_touched(gateway, host, query):
    assert gateway.get(f"/p?{query}", host=host, token=KEY.token({"sub": "ann"})).seen.target == f"/p?{query}"


@pytest.mark.parametrize("query", SURVIVING_QUERIES)
def test_the_rest_of_a_urlencoded_form_survives(gateway, query):
    body = query.encode()
    seen = gateway.post("/", token=KEY.token({"sub": "ann"}), headers=[URLENCODED], body=body).seen
    rest = seen.body.removeprefix(b"fuid=ann&").removesuffix(b"&fuid=ann")
    assert rest == body
    assert seen.body != body


def test_the_rest_of_the_cookies_survives(gateway):
    cookies = 'a="x y"; b=%20%7e; d==; e={"j":1}; cuidx=1; CUID=2; f=\u00e9; a=again'
    seen = gateway.get(token=KEY.token({"sub": "ann"}), headers=[("Cookie", cookies)]).seen
    assert seen.values("cookie") == [f"cuid=ann; {cookies}"]
    # What is not a pair makes some functions read no cookie at all.
    seen = gateway.get(token=KEY.token({"sub": "ann"}), headers=[("Cookie", f"c; {cookies}; a b")]).seen
    assert seen.values("cookie") == [f"cuid=ann; {cookies}"]


def test_the_rest_of_a_multipart_form_survives_binary_file_included(gateway):
    binary = bytes(itertools.chain(range(256), b"\r\n--", BOUNDARY[:-1].encode(), b"\r\n\r\n", range(255, -1, -1)))
    parts = [
        field("a", " spaces \t"),
        part('name="file"; filename="b i%22n.bin"', binary * 50, "Content-Type: application/octet-stream", "X-Odd: 1"),
        field("Fuid", "kept"),
        field("empty", ""),
        part('name="sn\u00e6r"', "J\u00f3n".encode()),
    ]
    body = multipart(*parts[:2], field("fuid", "evil"), *parts[2:])
    seen = gateway.post("/", token=KEY.token({"sub": "Jón & co"}), headers=[MULTIPART], body=body).seen
    content_type = seen.values("content-type")[0]
    assert content_type == MULTIPART[1]
    assert multipart_values(content_type, seen.body, "fuid") == ["Jón & co".encode()]
    pieces = [piece for piece in seen.body.split(f"--{BOUNDARY}\r\n".encode())[1:]]
    pieces = [piece.removesuffix(f"--{BOUNDARY}--\r\n".encode()).removesuffix(b"\r\n") for piece in pieces]
    assert [piece for piece in pieces if b'name="fuid"' not in piece] == parts


@pytest.mark.parametrize("filename", ['b\\"in.bin', "C:\\\\in.bin", "snær.bin"])
def test_a_file_of_any_name_survives(gateway, filename):
    """Older browsers and curl --form-escape write a quote in a name as `\\"`."""
    sent = part(f'name="file"; filename="{filename}"', b"x")
    seen = gateway.post("/", token=KEY.token(), headers=[MULTIPART], body=multipart(sent)).seen
    assert seen is not None and seen.body == multipart(sent)


@pytest.mark.parametrize("value", ["plain", "a\r\n--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=x\r\n\r\ny"])
def test_a_claim_in_a_multipart_form_is_one_part_whatever_it_holds(gateway, value):
    token = KEY.token({"sub": value})
    response = gateway.post("/", token=token, headers=[MULTIPART], body=multipart(field("a", "1")))
    if response.status == 200:
        content_type = response.seen.values("content-type")[0]
        assert multipart_values(content_type, response.seen.body, "fuid") in ([value.encode()], [])
        assert multipart_values(content_type, response.seen.body, "x") == []
        assert multipart_values(content_type, response.seen.body, "a") == [b"1"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_an_empty_body_without_content_type_becomes_a_form(gateway, method):
    seen = gateway.request(method, "/", token=KEY.token({"sub": "a b"})).seen
    assert seen.values("content-type") == ["application/x-www-form-urlencoded"]
    assert seen.form_values("fuid") == ["a b"]
    assert seen.values("content-length") == [str(len(seen.body))]


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_other_methods_get_no_form(gateway, method):
    seen = gateway.request(method, "/", token=KEY.token({"sub": "ann"})).seen
    assert (seen.body, seen.values("content-type")) == (b"", [])


OTHER_BODIES = {
    "JSON": ("application/json", b' {"fuid": "mine", "n": 1.0}\n'),
    "XML": ("application/xml", b"<fuid>mine</fuid>"),
    "text": ("text/plain", b"fuid=mine"),
    "bytes": ("application/octet-stream", bytes(range(256))),
    "multipart but no form": ("multipart/mixed; boundary=x", b"--x\r\n\r\nmine\r\n--x--\r\n"),
    "no type": (None, b"fuid=mine"),
    "a type that is no type": ("form", b"fuid=mine"),
}


other_bodies = pytest.mark.parametrize(("content_type", "body"), OTHER_BODIES.values(), ids=OTHER_BODIES.keys())


@other_bodies
@pytest.mark.parametrize("host", ["forward.example.com", "header.example.com"])
def test_other_bodies_are_left_alone(gateway, host, content_type, body):
    headers = [("Content-Type", content_type)] if content_type else []
    seen = gateway.post("/", host=host, token=KEY.token({"sub": "ann"}), headers=headers, body=body).seen
    assert seen.body == body
    assert seen.values("content-type") == ([content_type] if content_type else [])
    assert seen.values("x-user-id") == ["ann"]


@other_bodies
def test_other_bodies_are_refused_where_a_claim_goes_into_a_form(gateway, content_type, body):
    headers = [("Content-Type", content_type)] if content_type else []
    for path, token in [("/", KEY.token({"sub": "ann"})), ("/", KEY.token()), ("/open", None)]:
        response = gateway.post(path, token=token, headers=headers, body=body)
        assert (response.status, gateway.access_line(response)["reason"]) == (415, "not_a_form")


@other_bodies
def test_bodies_that_may_be_forms_are_refused_where_a_claim_goes_into_the_query(gateway, content_type, body):
    """Frameworks that put both into one collection would read the client's value."""
    headers = [("Content-Type", content_type)] if content_type else []
    response = gateway.post("/", host="query.example.com", token=KEY.token({"sub": "ann"}), headers=headers, body=body)
    stated = content_type in ("application/json", "application/xml", "text/plain", "application/octet-stream")
    assert response.status == (200 if stated else 415)
    if stated:
        assert (response.seen.body, response.seen.query) == (body, "uid=ann")


@pytest.mark.parametrize("host", ["api.example.com", "query.example.com"])
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_type_without_a_body_is_not_refused(gateway, host, method):
    headers = [("Content-Type", "application/json")]
    seen = gateway.request(method, "/", host=host, token=KEY.token({"sub": "ann"}), headers=headers).seen
    assert (seen.query, seen.body) == ("uid=ann", b"")


def test_a_domain_without_form_mapping_streams_forms_untouched_and_unlimited(gateway):
    body = b"fuid=mine&pad=" + b"x" * (2 * 2**20)
    seen = gateway.post("/", host="header.example.com", token=KEY.token(), headers=[URLENCODED], body=body).seen
    assert seen.body == body


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_compressed_form_is_refused_where_a_claim_goes_into_it(gateway, coding):
    headers = [URLENCODED, ("Content-Encoding", coding)]
    assert gateway.post("/", token=KEY.token({"sub": "a"}), headers=headers, body=b"\x1f\x8b").status == 415
    assert gateway.post("/open", headers=headers, body=b"\x1f\x8b").status == 415
    assert gateway.post("/", host="query.example.com", token=KEY.token(), headers=headers, body=b"\x1f\x8b").status == 415
    headers = [("Content-Type", "application/json"), ("Content-Encoding", coding)]
    for host in ["forward.example.com", "query.example.com"]:
        assert gateway.post("/", host=host, token=KEY.token({"sub": "a"}), headers=headers, body=b"\x1f\x8b").status == 200


@pytest.mark.parametrize("coding", ["identity", "Identity"])
def test_an_identity_coding_is_no_compression(gateway, coding):
    headers = [URLENCODED, ("Content-Encoding", coding)]
    seen = gateway.post("/", token=KEY.token({"sub": "ann"}), headers=headers, body=b"a=1").seen
    assert seen.form_values("fuid") == ["ann"]


def test_header_names_arrive_in_lower_case_and_values_as_they_were(gateway):
    headers = [("X-MiXed", "A  b"), ("X-Twice", "1"), ("x-twice", "2"), ("X-Empty", ""), ("X-Utf8", "Jón")]
    seen = gateway.get(token=KEY.token({"sub": "ann"}), headers=headers).seen
    assert ("x-mixed", "A  b") in seen.headers
    assert seen.values("x-twice") == ["1", "2"]
    assert seen.values("x-empty") == [""]
    assert seen.values("x-utf8") == ["Jón"]
    assert all(name == name.lower() for name, _ in seen.headers)


def test_a_claim_from_real_json_arrives_as_json(gateway):
    roles = ["admin", "író", 9007199254740993]
    seen = gateway.get(host="types.example.com", token=KEY.token({"v": roles, "exp": in_an_hour()})).seen
    assert json.loads(seen.values("x-v")[0]) == roles
