"""Spellings of mapped parameters that real frameworks read, and what honest clients send: through one gateway
to a function that keeps what it received. tests/frameworks shows the same with the frameworks themselves."""

import contextlib
import re
import threading

import pytest

from support.configuration import configuration, domain, function, jwt
from support.forms import BOUNDARY, MULTIPART, URLENCODED, field, multipart, multipart_values, part
from support.http1 import chunked, head
from support.tokens import jwks, key

KEY = key("ES256")
ANN = KEY.token({"sub": "ann"})
ALL = "header:sub:x-uid,query:sub:uid,form:sub:fuid,cookie:sub:cuid"
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    def auth(claim_pass_by, **more):
        return jwt(jwks(KEY), claim_pass_by=claim_pass_by, **more)

    names = ",".join(f"form:sub:name{number}" for number in range(20))
    domains = [
        domain("api.example.com", auth=auth(ALL, whitelist=["/open", "/free/*"])),
        domain("query.example.com", auth=auth("query:sub:uid")),
        domain("cookie.example.com", auth=auth("cookie:sub:cuid")),
        domain("header.example.com", auth=auth("header:sub:x-uid,cookie:sub:cuid")),
        domain("many.example.com", auth=auth(names)),
    ]
    return serve(configuration(domains, [function(recorder.url)]), recorder)


#: How a request comes, and what the function may find of each claim.
SITUATIONS = {"token": ("/", ANN, "ann"), "no claim": ("/", KEY.token(), None), "exempt": ("/open", None, None)}
situations = pytest.mark.parametrize(("path", "token", "claim"), SITUATIONS.values(), ids=SITUATIONS.keys())


# --- 0: what browsers and libraries send ---

BOUNDARIES = [
    "----WebKitFormBoundary7MA4YWxkTrZu0gW9", "----geckoformboundary4a1f0c2e9b", "X-INSOMNIA-BOUNDARY",
    "dart-http-boundary-Zx.c_V+b3nM", "Boundary-0B2D4D33-0A5B-4F0E-8E0A-1F6E0D2C3B4A", "-" * 27 + "123456789012345678",
    "-" * 26 + "041f3a5b7c9d1e2f3a4b5c6d", '"8f2c1f6e-1f0a-4c57-a2f3-9a0c1d2e3f40"', '"----=_Part_7_1234.5678"',
    "----boundary", "Boundary", "boundary.boundary", "-----011000010111000001101001", "x" * 70,
]  # fmt: skip


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_boundaries_of_browsers_and_libraries_pass(gateway, boundary):
    delimiter = b"--" + boundary.strip('"').encode()
    sent = b'\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\0\xff--\r\n'
    body = delimiter + sent + delimiter + b"--\r\n"
    content_type = f"multipart/form-data; boundary={boundary}"
    response = gateway.post("/", token=ANN, headers=[("Content-Type", content_type)], body=body)
    claim = delimiter + b'\r\nContent-Disposition: form-data; name="fuid"\r\n\r\nann\r\n'
    assert response.seen.body == claim + body
    assert response.seen.values("content-type") == [content_type]


def test_file_names_as_dotnet_writes_them_pass(gateway):
    sent = part("name=file; filename=a.png; filename*=utf-8''a%20b.png", b"x", "Content-Type: image/png")
    seen = gateway.post("/", token=ANN, headers=[MULTIPART], body=multipart(sent)).seen
    assert seen.body == multipart(field("fuid", "ann"), sent)


OTHERS = "my[uid]=1&filter[uid]=3&uid2=4&uid_type=5&user[id]=6&q[uid_eq]=7&UID=8&a.uid=9&fuid2=&my[fuid]=2"


def test_other_parameters_arrive_byte_for_byte(gateway):
    cookies = "cuid2=1; my_cuid=2; xcuid=3; Cuid=4; a=cuid; b=cuid:1"
    headers = [URLENCODED, ("Cookie", cookies), ("X-Uid2", "5"), ("X-My-Uid", "6")]
    seen = gateway.post(f"/?{OTHERS}", token=ANN, headers=headers, body=OTHERS.encode()).seen
    assert (seen.query, seen.body) == (f"uid=ann&{OTHERS}", f"fuid=ann&{OTHERS}".encode())
    assert seen.values("cookie") == [f"cuid=ann; {cookies}"]
    assert (seen.values("x-uid2"), seen.values("x-my-uid")) == (["5"], ["6"])


# --- 1, 5, 8: query and forms ---

NAMES = [
    "N", "[N]", "[N][]", "[N][0]", "[N]]", "%5bN%5d", "[N", "N]", "]N", "[]N", "[[N]]", "N[", "N[]", "N[a][b]", "?N", "%N",
    "N%", "%20N", "N+", "N%00", "N%00x", "%EF%BB%BFN", "%C2%A0N", "N%0b", "%01N", "%2575", "%u0075",
]  # fmt: skip
IN_FORMS = [".N", "N.x", "..N[0]"]


def spelled(pattern: str, name: str) -> str:
    at = name.index("u")
    for escape in ("%2575", "%u0075"):
        if pattern == escape:
            return name[:at] + escape + name[at + 1 :]
    return pattern.replace("N", name)


@situations
@pytest.mark.parametrize("pattern", NAMES)
@pytest.mark.parametrize("name", ["uid", "fuid"])
def test_names_in_the_query(gateway, path, token, claim, pattern, name):
    """A name that is mapped to either is removed from both."""
    seen = gateway.get(f"{path}?a=1&{spelled(pattern, name)}=EVIL", token=token).seen
    assert seen.query == "&".join(filter(None, [claim and f"uid={claim}", "a=1"]))


@pytest.mark.parametrize("pattern", [pattern for pattern in NAMES if not pattern.startswith("?")])
@pytest.mark.parametrize("name", ["uid", "fuid"])
@pytest.mark.parametrize("before", ["/p;", "/p;a=1&", "/p;a;", "/;/p;x/y;", "/free/;"])
def test_names_behind_a_semicolon_of_the_path_are_refused(gateway, before, pattern, name):
    """Fastify 4 begins the query there."""
    token = None if before.startswith("/free") else ANN
    response = gateway.get(f"{before}{spelled(pattern, name)}=EVIL&x=", token=token)
    assert (response.status, gateway.access_line(response)["reason"]) == (400, "invalid_path")


@pytest.mark.parametrize("query", ["", "?b=2", "?&b=2", "?uid=EVIL&b=2"])
@pytest.mark.parametrize("path", ["/p;jsessionid=1", "/p;a=1;b/q", "/p;a=uid"])
def test_other_parameters_of_a_path_pass_and_do_not_swallow_the_claim(gateway, path, query):
    seen = gateway.get(path + query, token=ANN).seen
    kept = query.removeprefix("?").replace("uid=EVIL&", "")
    assert (seen.path, seen.query) == (path, "&uid=ann" + (kept and f"&{kept}"))
    assert gateway.get(f"/free{path}?b=2").seen.query == "b=2"


@situations
@pytest.mark.parametrize("pattern", NAMES + IN_FORMS)
@pytest.mark.parametrize("name", ["uid", "fuid"])
def test_names_in_urlencoded_forms(gateway, path, token, claim, pattern, name):
    if pattern in IN_FORMS and name == "uid":
        return  # koa-body reads dots in forms, where a claim for the query is not looked for.
    body = f"a=1&{spelled(pattern, name)}=EVIL&b=2".encode()
    seen = gateway.post(path, token=token, headers=[URLENCODED], body=body).seen
    assert seen.body == (b"fuid=ann&" if claim else b"") + b"a=1&b=2"
    assert seen.values("content-length") == [str(len(seen.body))]


MULTIPART_NAMES = [
    "N", "[N]", "[N][0]", "N]", ".N", "N.x", " N", "N ", "N\x0b", "\x01N", "\ufeffN", "\u00a0N", "%20N", "N[]", "N[a]",
]  # fmt: skip


@situations
@pytest.mark.parametrize("pattern", MULTIPART_NAMES)
def test_names_in_multipart_forms(gateway, path, token, claim, pattern):
    name = pattern.replace("N", "fuid")
    kept = [field("a", "1"), part('name="f"; filename="x"', bytes(range(256)))]
    body = multipart(kept[0], part(f'name="{name}"', b"EVIL"), kept[1])
    seen = gateway.post(path, token=token, headers=[MULTIPART], body=body).seen
    assert seen.body == multipart(*([field("fuid", "ann")] if claim else []), *kept)


REFUSED_PARTS = {
    "two dispositions": 'Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="fuid"',
    "one within another header": 'X: Content-Disposition: form-data; name="fuid"\r\nContent-Disposition: form-data; name="a"',
    "another before it": 'X-Content-Disposition: form-data; name="fuid"\r\nContent-Disposition: form-data; name="a"',
    "two names": 'Content-Disposition: form-data; name="a"; name="fuid"',
    "a name in a file name": 'Content-Disposition: form-data; filename="; name=fuid"; name="a"',
    "an extended name": "Content-Disposition: form-data; name=\"a\"; name*=utf-8''fuid",
    "an encoded word": 'Content-Disposition: form-data; name="=?utf-8?q?fuid?="',
    "a backslash": 'Content-Disposition: form-data; name="f\\uid"',
    "a quote behind": 'Content-Disposition: form-data; name="fuid""',
    "a comma": "Content-Disposition: form-data; name=fuid,x",
    "single quotes": "Content-Disposition: form-data; name='fuid'",
    "an attachment": 'Content-Disposition: attachment; name="fuid"',
    "a nested form": 'Content-Disposition: form-data; name="a"\r\nContent-Type: multipart/mixed; boundary=x',
}


@pytest.mark.parametrize("lines", REFUSED_PARTS.values(), ids=REFUSED_PARTS.keys())
def test_part_heads_that_two_readers_take_differently_are_refused(gateway, lines):
    body = multipart(lines.encode() + b"\r\n\r\nEVIL")
    response = gateway.post("/", token=ANN, headers=[MULTIPART], body=body)
    assert (response.status, gateway.access_line(response)["reason"]) == (400, "invalid_form")


# --- 2: functions stop counting after a thousand ---


@pytest.mark.parametrize("many", [b"a&" * 1000 + b"b=1", b"&" * 5000, b"x[]=1&" * 1001 + b"[uid]=EVIL&[fuid]=EVIL"])
def test_claims_come_before_a_thousand_parameters(gateway, many):
    seen = gateway.post(f"/?{many.decode()}", token=ANN, headers=[URLENCODED], body=many).seen
    kept = many.removesuffix(b"&[uid]=EVIL&[fuid]=EVIL")
    assert (seen.query.encode(), seen.body) == (b"uid=ann&" + kept, b"fuid=ann&" + kept)


def test_claims_come_before_a_thousand_parts(gateway):
    parts = [field("a", "1")] * 1001
    seen = gateway.post("/", token=ANN, headers=[MULTIPART], body=multipart(*parts, field("fuid", "EVIL"))).seen
    assert seen.body == multipart(field("fuid", "ann"), *parts)


# --- 3, 4: bodies that are not forms ---

TYPES = [
    None, "", "application/json", "application/vnd.api+json", "multipart/mixed; boundary=b", "multipart/related; boundary=b",
    "application/x-url-encoded", "xurlencodedx", "text/plain; x=urlencoded", "text/plain, application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded, text/plain", "application/x-www-form-urlencoded x", "text/plain", "image/png",
]  # fmt: skip


@situations
@pytest.mark.parametrize("content_type", TYPES)
def test_no_other_body_slips_by(gateway, path, token, claim, content_type):
    headers = [] if content_type is None else [("Content-Type", content_type)]
    response = gateway.post(path, token=token, headers=headers, body=b"fuid=EVIL&uid=EVIL")
    assert (response.status, gateway.access_line(response)["reason"]) == (415, "not_a_form")


@pytest.mark.parametrize("boundary", ["b=c", "b:c", "b/c", "b?c", "(b)", "'b'", "b,c", '"b,c"', '"b c"', "b; x=boundary=c", "b; x=boundary"])
def test_boundaries_that_end_elsewhere_to_some_are_refused(gateway, boundary):
    headers = [("Content-Type", f"multipart/form-data; boundary={boundary}")]
    response = gateway.post("/", token=ANN, headers=headers, body=multipart(field("a", "1")))
    assert (response.status, gateway.access_line(response)["reason"]) == (400, "invalid_form")


@pytest.mark.parametrize("body", [b"a=1\xa6fuid\xbdEVIL", b"\xe6\xf5\xe9\xe4=EVIL", "a=\u00e6fuid=EVIL".encode(), b"a=\xff"])
def test_bytes_that_hide_a_name_are_refused(gateway, body):
    assert gateway.post("/", token=ANN, headers=[URLENCODED], body=body).status == 400


@pytest.mark.parametrize("charset", ["unicode_escape", "utf-7", '"UTF-16"', "ibm037"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_charset_that_hides_a_name_is_refused_with_and_without_a_body(gateway, method, charset):
    """Django decodes the query by it."""
    headers = [("Content-Type", f"text/html; charset={charset}")]
    for host in ["api.example.com", "query.example.com"]:
        response = gateway.request(method, r"/?%5Cu0075id=EVIL", host=host, token=ANN, headers=headers)
        assert (response.status, gateway.access_line(response)["reason"]) == (415, "encoded_form")


@pytest.mark.parametrize("charset", ["iso-8859-1", "us-ascii", "windows-1252"])
@pytest.mark.parametrize("host", ["api.example.com", "query.example.com", "cookie.example.com"])
def test_a_charset_in_which_the_claim_would_be_another_is_refused(gateway, host, charset):
    """Some functions decode forms, and Django the query too, by the charset of the content type."""
    headers = [("Content-Type", f"{URLENCODED[1]}; charset={charset}")]
    assert gateway.post("/", host=host, token=ANN, headers=headers, body=b"a=%E9").status == 200
    beyond = KEY.token({"sub": "J\u00f3n"})
    response = gateway.post("/", host=host, token=beyond, headers=headers, body=b"a=1")
    if host == "cookie.example.com":
        assert response.status == 200
    else:
        assert (response.status, gateway.access_line(response)["reason"]) == (415, "encoded_form")
    utf8 = [("Content-Type", f"{URLENCODED[1]}; charset=UTF-8")]
    assert gateway.post("/", host=host, token=beyond, headers=utf8, body=b"a=1").status == 200


def test_a_part_that_says_how_others_are_decoded_is_removed(gateway):
    """Jetty 9.4 decodes all parts by it, the claim's too."""
    sent = multipart(field("_charset_", "utf-16"), field("a", "1"))
    seen = gateway.post("/", token=ANN, headers=[MULTIPART], body=sent).seen
    assert seen.body == multipart(field("fuid", "ann"), field("a", "1"))


def test_a_client_cannot_choose_a_boundary_that_leaves_the_claim_out(gateway):
    token = KEY.token({"sub": "a--b"})
    headers = [("Content-Type", "multipart/form-data; boundary=b")]
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'
    assert gateway.post("/", token=token, headers=headers, body=body).status == 400


@pytest.mark.parametrize("name", ["Content_Type", "content.type", "CONTENT~TYPE"])
def test_another_content_type_in_another_spelling_is_dropped(gateway, name):
    headers = [URLENCODED, (name, "application/json")]
    seen = gateway.post("/", token=ANN, headers=headers, body=b"a=1").seen
    assert seen.values_of_alias("content-type") == [URLENCODED[1]]
    assert "application/json" not in str(seen.headers)


TYPES_IN_OTHER_CLOTHES = {
    "multipart": [
        f"Multipart/Form-Data; boundary={BOUNDARY}", f"multipart/form-data ; boundary={BOUNDARY}",
        f"multipart/form-data;; boundary={BOUNDARY}", f"multipart/form-data; Boundary={BOUNDARY} ;",
    ],
    "urlencoded": [URLENCODED[1].upper(), URLENCODED[1] + " ;", URLENCODED[1] + "; ;"],
}  # fmt: skip


@pytest.mark.parametrize("content_type", TYPES_IN_OTHER_CLOTHES["multipart"] + TYPES_IN_OTHER_CLOTHES["urlencoded"])
def test_the_type_of_a_form_is_written_as_browsers_do(gateway, content_type):
    """Some frameworks compare it with its case, or find no boundary, and read the body otherwise or not at all."""
    is_multipart = content_type in TYPES_IN_OTHER_CLOTHES["multipart"]
    body = multipart(field("a", "1&fuid=EVIL")) if is_multipart else b"a=1"
    seen = gateway.post("/", token=ANN, headers=[("Content-Type", content_type)], body=body).seen
    assert seen.values("content-type") == [MULTIPART[1] if is_multipart else URLENCODED[1]]


@pytest.mark.parametrize("content_type", [MULTIPART[1], MULTIPART[1].replace("; ", ";"), MULTIPART[1] + "; charset=UTF-8"])
def test_a_type_that_is_written_so_stays_as_it_is(gateway, content_type):
    seen = gateway.post("/", token=ANN, headers=[("Content-Type", content_type)], body=multipart(field("a", "1"))).seen
    assert seen.values("content-type") == [content_type]


# --- 6: headers ---

OTHER_CHARACTERS = "!#$%&'*+.^_`|~"


@situations
@pytest.mark.parametrize("between", [*OTHER_CHARACTERS, "--", "-_"])
def test_header_names_that_cgi_cannot_tell_apart(gateway, path, token, claim, between):
    names = ["X-Uid", "X-Forwarded-For", "X-Forwarded-Proto", "X-Fc-Request-Id", "X-Real-Ip", "X-Original-Url"]
    headers = [(name.replace("-", between), "EVIL") for name in names]
    seen = gateway.get(path, token=token, headers=headers).seen
    assert "EVIL" not in str(seen.headers)
    assert seen.values("x-uid") == ([claim] if claim else [])


@pytest.mark.parametrize(
    "name", ["Content_Length", "Transfer_Encoding", "Content_Encoding", "Proxy", "X-Rewrite-URL", "X_Forwarded", "Proxy_Authorization"]
)
def test_headers_that_servers_act_on_are_dropped(gateway, name):
    seen = gateway.get("/", token=ANN, headers=[(name, "EVIL")]).seen
    assert "EVIL" not in str(seen.headers)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X_Http_Method_Override", "X-HTTP-Method", "X-Method-Override"])
def test_the_method_is_not_overridden_where_parameters_are_judged(gateway, name):
    seen = gateway.post("/", token=ANN, headers=[(name, "PUT"), URLENCODED], body=b"a=1").seen
    assert "PUT" not in str(seen.headers)


# --- 7, 13: cookies ---

COOKIES = [
    'a="b"cuid=EVIL', "\\cuid=EVIL", "a=1,cuid=EVIL", "a=1 cuid=EVIL", "__Host-cuid=EVIL", "__Secure-cuid=EVIL", "=cuid=EVIL",
    "cuid =EVIL", "cuid= EVIL", "cuid = EVIL", "%63uid=EVIL", "c%u0075id=EVIL", "[cuid]=EVIL", '"cuid"=EVIL', "cuid[a]=EVIL",
    "cuid", 'a="x cuid=EVIL y"',
]  # fmt: skip


@situations
@pytest.mark.parametrize("cookie", COOKIES)
def test_cookies_that_some_server_reads(gateway, path, token, claim, cookie):
    seen = gateway.get(path, token=token, headers=[("Cookie", f"a=1; {cookie}; b=2")]).seen
    assert seen.values("cookie") == ["; ".join(filter(None, [claim and "cuid=ann", "a=1; b=2"]))]


@pytest.mark.parametrize("byte", [b"\xa0", b"\x85", b"\xff", b"\xc2\xa0"])
def test_bytes_before_the_name_of_a_cookie(gateway, byte):
    lines = [("Host", "api.example.com"), ("Authorization", f"Bearer {ANN}"), ("Cookie", "a=1; BYTEcuid=EVIL")]
    response = gateway.raw(head("GET", "/", lines).replace(b"BYTE", byte))
    assert response.seen.values("cookie") == ["cuid=ann; a=1"]


@pytest.mark.parametrize("junk", ["a b", "=; x=1", "a", "; ;", "=x", "(a)=1"])
def test_what_is_not_a_cookie_does_not_hide_the_claim(gateway, junk):
    seen = gateway.get("/", token=ANN, headers=[("Cookie", junk), ("Cookie", "b=2")]).seen
    (cookies,) = seen.values("cookie")
    assert cookies.startswith("cuid=ann; ") and cookies.endswith("b=2")
    assert all(re.fullmatch(r"[A-Za-z0-9]+=[a-z0-9]*", cookie) for cookie in cookies.split("; ") if cookie.strip("; "))


@pytest.mark.parametrize("value", ["ann+x@example.com", "a&b", "a=b", "a;b, c", 'say "hi"\\', "100%", "J\u00f3n"])
def test_a_cookie_claim_is_read_by_all_as_it_is(gateway, value):
    seen = gateway.get("/", token=KEY.token({"sub": value})).seen
    (cookie,) = seen.cookie_values("cuid")
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*", cookie)


# --- 4, 8: uploads stream, memory is bounded ---


def test_an_upload_streams_through_a_domain_that_maps_a_form(gateway):
    """Larger than limits.formBytes; the mapped part is gone or overwritten, the claim is there, the rest as it was."""
    content = bytes(range(256)) * (5 * MEBIBYTE // 256)
    kept = [part('name="file"; filename="a.bin"', content), field("a", "1")]
    body = multipart(kept[0], field("fuid", "EVIL"), kept[1])
    for headers, sent in [([MULTIPART], body), ([MULTIPART, ("Transfer-Encoding", "chunked")], chunked(body))]:
        seen = gateway.post("/", token=ANN, headers=headers, body=sent).seen
        if len(headers) == 2:
            assert seen.body == multipart(field("fuid", "ann"), *kept)
            assert (seen.values("content-length"), seen.values("transfer-encoding")) == ([], ["chunked"])
        else:
            # Some functions read no body without a length: what is mapped is overwritten.
            assert seen.body == multipart(field("fuid", "ann"), kept[0], field("zzzz", "zzzz"), kept[1])
            assert seen.values("content-length") == [str(len(seen.body))]
        assert multipart_values(MULTIPART[1], seen.body, "fuid") == [b"ann"]


def test_a_large_urlencoded_form_streams_too(gateway):
    body = b"a=" + b"x" * 2 * MEBIBYTE + b"&fuid=EVIL&b=2"
    seen = gateway.post("/", token=ANN, headers=[URLENCODED], body=body).seen
    assert seen.body == b"fuid=ann&" + body.replace(b"fuid=EVIL", b"zzzz=zzzz")
    assert seen.values("content-length") == [str(len(seen.body))]
    seen = gateway.post("/", token=ANN, headers=[URLENCODED, ("Transfer-Encoding", "chunked")], body=chunked(body)).seen
    assert (seen.body, seen.values("content-length")) == (b"fuid=ann&" + body.replace(b"&fuid=EVIL", b""), [])


UNFINISHED = {
    "a part without content": multipart(field("a", "1"), field("b", ""))[: -len(multipart()) - 2],
    "no closing delimiter": multipart(field("a", "1"))[: -len(multipart())],
    "half a closing delimiter": multipart(field("a", "1"))[:-3],
    "half a character": b"a=\xc3",
}


@pytest.mark.parametrize("end", UNFINISHED.values(), ids=UNFINISHED.keys())
def test_a_form_that_is_not_whole_at_its_end_is_not_forwarded_as_whole(gateway, end):
    large = b"x" * 2 * MEBIBYTE
    is_multipart = end.startswith(b"--")
    body = multipart(part('name="file"', large))[: -len(multipart())] + end if is_multipart else b"b=" + large + b"&" + end
    lines = [("Host", "api.example.com"), ("Authorization", f"Bearer {ANN}"), MULTIPART if is_multipart else URLENCODED]
    with gateway.connect() as connection:
        connection.send(head("POST", "/", [*lines, ("Content-Length", str(len(body)))]) + body)
        response = connection.receive("POST")
    assert (response.status, gateway.access_line(response)["reason"]) == (400, "invalid_form")


def test_a_form_that_turns_out_to_be_malformed_breaks_off(gateway):
    """The function has been called by then, and never receives the end of the body."""
    body = multipart(part('name="file"', b"x" * 2 * MEBIBYTE), part('name="fuid"; name="b"', b"EVIL"))
    lines = [("Host", "query.example.com"), ("Authorization", f"Bearer {ANN}"), MULTIPART]
    with gateway.connect() as connection:
        connection.send(head("POST", "/", [*lines, ("Content-Length", str(len(body)))]) + body)
        response = connection.receive("POST")
    assert (response.status, gateway.access_line(response)["reason"]) == (400, "invalid_form")
    recorded = gateway.recorder.requests[-1]
    assert (recorded.query, recorded.body) == ("uid=ann", b"")


def test_a_domain_that_maps_headers_and_cookies_leaves_bodies_alone(gateway):
    body = b"uid=EVIL&x=" + b"\xff" * MEBIBYTE
    seen = gateway.post("/", host="header.example.com", token=ANN, headers=[URLENCODED], body=body).seen
    assert seen.body == body


def test_twenty_mappings_and_a_million_names(gateway):
    """All names are looked for in one pass."""
    body = b"+&" * (MEBIBYTE // 2 - 100)
    seen = gateway.post("/", host="many.example.com", token=ANN, headers=[URLENCODED], body=body).seen
    assert seen.body == b"&".join(b"name%d=ann" % number for number in range(20)) + b"&" + body


@pytest.fixture(scope="module")
def small(serve, recorder):
    """A gateway that holds 4 MiB of forms at once."""
    auth = jwt(jwks(KEY), token_lookup="form:token", claim_pass_by="form:sub:fuid", otherBodies="refuse")
    settings = configuration([domain("api.example.com", auth=auth)], [function(recorder.url)])
    settings["gateway"]["limits"] = {"formMemoryBytes": 4 * MEBIBYTE}
    return serve(settings, recorder)


def test_forms_in_memory_are_bounded_together(small):
    """Before any token, in chunks of one byte: what is held is what was sent, and there is no more than the limit."""
    before = small.memory()
    open_connections, statuses = [], []
    lines = [("Host", "api.example.com"), URLENCODED, ("Transfer-Encoding", "chunked")]

    def send():
        connection = small.connect()
        open_connections.append(connection)
        with contextlib.suppress(OSError):  # The gateway may answer and close before it has read everything.
            connection.send(head("POST", "/", lines) + b"1\r\nx\r\n" * 900_000)
        with contextlib.suppress(OSError, ValueError):  # The connection may have been closed below.
            response = connection.receive("POST")
            statuses.append(response and response.status)

    threads = [threading.Thread(target=send, daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    small.poll(lambda: len(statuses) >= 8 and set(statuses) == {503})
    grown = small.memory() - before
    for connection in open_connections:
        connection.close()
    assert grown < 32 * MEBIBYTE
    # There is room again when they have gone.
    token = KEY.token({"sub": "ann"})

    def passes():
        return small.post("/", headers=[URLENCODED], body=f"token={token}&a={'x' * 900_000}".encode()).status == 200

    small.poll(passes)
