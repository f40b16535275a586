"""Requests by which claims were once set from outside, each for itself, and well-formed ones.

Every framework gets all of them.
"""

import gzip

from harness.case import EVIL, FORM, MULTIPART, ODD, OTHER, URLENCODED, Case, content_type, field, multipart, part

B = b"----WebKitFormBoundary7MA4YWxkTrZu0gW3"
TYPE = MULTIPART + b"; boundary=" + B


def _query(note: str, query: bytes, **more) -> Case:
    return Case("known query", note, query=query, **{"hosts": ("query",), **more})


def _form(note: str, body: bytes, kind: bytes | None = URLENCODED, more: tuple[bytes, ...] = (), **rest) -> Case:
    lines = (*more, *((content_type(kind),) if kind is not None else ()))
    values = {"body_kind": FORM if kind == URLENCODED or kind == TYPE else ODD, "hosts": ("forward", "query"), **rest}
    return Case("known form", note, values.pop("method", b"POST"), lines=lines, body=body, **values)


def _multi(note: str, parts: list[bytes], **more) -> Case:
    return _form(note, multipart(parts, B), TYPE, **more)


def _cookie(note: str, *fields: bytes, **more) -> Case:
    return Case("known cookie", note, lines=tuple(b"Cookie: " + one for one in fields), hosts=("cookie",), **more)


def _header(note: str, *lines: bytes, **more) -> Case:
    return Case("known header", note, lines=lines, hosts=("header",), **more)


#: Spoofs that any client can write: removed, never refused.
WELL_FORMED = [
    _query("plain", b"uid=EVIL", must_pass=True),
    _query("percent-encoded", b"%75id=EVIL", must_pass=True),
    _query("twice", b"uid=EVIL&uid=EVIL", must_pass=True),
    _query("an array", b"uid[]=EVIL&uid[a]=EVIL", must_pass=True),
    _form("plain", b"fuid=EVIL", must_pass=True),
    _form("percent-encoded", b"a=1&%66%75%69%64=EVIL", must_pass=True),
    _form("in chunks", b"a=1&fuid=EVIL&b=2", chunks=3, must_pass=True),
    _multi("plain", [field(b"fuid")], must_pass=True),
    _multi("among others", [field(b"a", b"1"), field(b"fuid"), field(b"b", b"2")], must_pass=True),
    _multi("a file", [field(b"a", b"1"), part(b'name="fuid"; filename="x"', EVIL, b"Content-Type: text/plain")], must_pass=True),
    _cookie("plain", b"cuid=EVIL", must_pass=True),
    _cookie("among others", b"a=1; cuid=EVIL; b=2", must_pass=True),
    _header("plain", b"X-Uid: EVIL", must_pass=True),
    _header("underscore", b"X_Uid: EVIL", must_pass=True),
    _header("twice", b"x-uid: EVIL", b"X-UID: EVIL", must_pass=True),
]

BRACKETS = [
    b"[N]", b"[N][]", b"[N][0]", b"[N]]", b"%5bN%5d", b".N", b"N.x", b"[N", b"N]", b"]N", b"[]N", b"[[N]]", b"%EF%BB%BFN", b"?N", b"%%N",
    b"%N", b"N%", b"%20N", b"N%00",
]  # fmt: skip
A_THOUSAND = b"a&" * 1000

GROUPS: dict[str, list[Case]] = {
    "brackets and marks": [_query(f"[{n.decode()}]", n.replace(b"N", b"uid") + b"=EVIL") for n in BRACKETS]
    + [_form(f"[{n.decode()}]", n.replace(b"N", b"fuid") + b"=EVIL") for n in BRACKETS]
    + [_multi(f"[{n.decode()}]", [field(n.replace(b"N", b"fuid"))]) for n in BRACKETS],
    "thousands before": [
        _query("1,000 before", A_THOUSAND + b"uid=EVIL"),
        _query("1,000 before brackets", A_THOUSAND + b"[uid]=EVIL"),
        _query("brackets before 1,000", b"[uid]=EVIL&" + A_THOUSAND),
        _form("1,000 before", A_THOUSAND + b"fuid=EVIL"),
        _form("brackets before 1,000", b"[fuid]=EVIL&" + A_THOUSAND),
        _multi("1,001 parts before", [field(b"a", b"")] * 1001 + [field(b"fuid")]),
        _multi("1,001 parts behind brackets", [field(b"[fuid]")] + [field(b"a", b"")] * 1001),
    ],
    "other bodies": [
        _form("JSON", b'{"fuid":"EVIL","uid":"EVIL"}', b"application/json", body_kind=OTHER),
        _form("no type", b"fuid=EVIL&uid=EVIL", None),
        _form("empty type", b"fuid=EVIL&uid=EVIL", b""),
        _form("multipart/mixed", multipart([field(b"fuid")], B), b"multipart/mixed; boundary=" + B),
        _form("multipart/related", multipart([field(b"fuid")], B), b"multipart/related; boundary=" + B),
        _form("xurlencodedx", b"fuid=EVIL", b"xurlencodedx"),
        _form("xmultipartx", multipart([field(b"fuid")], B), b"xmultipartx; boundary=" + B),
        _form("x-url-encoded", b"fuid=EVIL", b"application/x-url-encoded"),
        _form("Content_Type", b"fuid=EVIL", b"application/json", (b"Content_Type: " + URLENCODED,)),
        _form("Content_Type behind", b"fuid=EVIL", None, (b"Content-Type: text/plain", b"Content_Type: " + URLENCODED)),
    ],
    "boundaries": [
        _form(
            f"boundary b{c}c",
            multipart([field(b"a", b"1\r\n" + multipart([field(b"fuid")], b"b"))], b"b%sc" % c.encode()),
            MULTIPART + b"; boundary=b%sc" % c.encode(),
        )
        for c in "=:/?("
    ],
    "the other position": [
        _form("uid in a form", b"uid=EVIL"),
        _multi("uid in multipart", [field(b"uid")]),
        _query("fuid in a query", b"fuid=EVIL"),
        _form("uid in JSON", b'{"uid":"EVIL"}', b"application/json", body_kind=OTHER),
        _form("both in a query beside a form", b"a=1", query=b"fuid=EVIL&uid=EVIL"),
    ],
    "header names": [_header(chr(c), b"X%cUid: EVIL" % c) for c in b"!#$%&'*+.^_`|~"],
    "cookies": [
        _cookie(note, *fields)
        for note, *fields in (
            ("quotes", b'a="b"cuid=EVIL'),
            ("backslash", b"\\cuid=EVIL"),
            ("A0", b"\xa0cuid=EVIL"),
            ("85", b"\x85cuid=EVIL"),
            ("FF", b"\xffcuid=EVIL"),
            ("__Host-", b"__Host-cuid=EVIL"),
            ("__Secure-", b"__Secure-cuid=EVIL"),
            ("no name", b"=cuid=EVIL"),
            ("space before =", b"cuid =EVIL"),
            ("space behind =", b"cuid= EVIL"),
            ("a b", b"a b"),
            ("= alone", b"=; x=1"),
            ("a valueless one", b"a;b=1"),
            ("two fields", b"a=1", b"b=2"),
            ("two fields with it", b"a=1", b"cuid=EVIL"),
            ("prefix and others", b"a=1; __Host-cuid=EVIL; b=2"),
        )
    ],
    "heads, types and methods": [
        _multi("two dispositions", [b'Content-Disposition: form-data; name="a"\r\n' + field(b"fuid")]),
        _multi("two dispositions, first", [b'Content-Disposition: form-data; name="fuid"\r\n' + field(b"a")]),
        _multi("disposition in a value", [b'X: Content-Disposition: form-data; name="fuid"\r\n' + field(b"a")]),
        _query("BOM", b"\xef\xbb\xbfuid=EVIL"),
        _form("BOM", b"\xef\xbb\xbffuid=EVIL"),
        _form("leading ?", b"?fuid=EVIL"),
        _query("leading ?", b"?uid=EVIL"),
        _form("% before", b"%fuid=EVIL"),
        _form("% behind", b"fuid%=EVIL"),
        *(_multi(f"{c:02x} behind the name", [field(b"fuid%c" % c)]) for c in (0, 9, 11, 12, 28, 31, 127)),
        _form("method override", b"fuid=EVIL", more=(b"X-HTTP-Method-Override: GET",)),
        Case("known form", "GET that says POST", lines=(b"X-HTTP-Method-Override: POST", content_type(URLENCODED)), body=b"fuid=EVIL", body_kind=FORM),
        _form("two types in one field", b"fuid=EVIL", b"text/plain, application/x-www-form-urlencoded"),
        _form("two types in one field, form first", b"fuid=EVIL", b"application/x-www-form-urlencoded, text/plain"),
        _form("a second type", b"fuid=EVIL", b"text/plain", (b"Content.Type: " + URLENCODED,)),
        _form("two types", b"fuid=EVIL", URLENCODED, (b"Content-Type: text/plain",), body_kind=ODD),
    ],
}  # fmt: skip

#: Found later.
FURTHER = [
    _multi("slash before the name", [field(b"/fuid")]),
    _multi("backslash before the name", [field(b"\\fuid")]),
    _multi("name with a comma", [part(b"name=fuid,x", EVIL)]),
    _multi("a byte that is no UTF-8", [field(b"\x80fuid*")]),
    _form("raw bytes that are no UTF-8", b"\xc0\x88\xc1\xa6=EVIL"),
    _form("high bits", b"x=1\xa6fuid\xbdEVIL"),
    _form("boundary inside a part", multipart([field(b"a", b"1\r\n" + B + b"\r\n" + field(b"fuid"))], B), TYPE),
    _form("boundary with one dash", multipart([field(b"a", b"1\r\n-" + B + b"\r\n" + field(b"fuid"))], B), TYPE),
    _form("two types, the first empty", b"fuid=EVIL", URLENCODED, (b"Content-Type:",), body_kind=ODD),
    _query("unicode_escape", b"%5Cu0075%5Cu0069%5Cu0064=EVIL", lines=(b'Content-Type: text/html;charset="unicode_escape"',)),
    _query("utf-7", b"+AHUAaQBk-=EVIL", lines=(b"Content-Type: text/html; charset=utf-7",)),
    _query("iso-2022-kr", b"%1B%24%29%43uid=EVIL", lines=(b"Content-Type: application/json;charset=iso-2022-kr",)),
    _query("EBCDIC", b"%A4%89%84=EVIL", lines=(b"Content-Type: application/json;charset=cp037",)),
    _form("UTF-16", "fuid=EVIL".encode("utf-16"), URLENCODED + b"; charset=utf-16", body_kind=ODD),
    _form("gzip", gzip.compress(b"fuid=EVIL", mtime=0), URLENCODED, (b"Content-Encoding: gzip",), body_kind=ODD),
    _form("pairs in a part, type in capitals", multipart([field(b"a", b"1&fuid=EVIL&b=2")], B), b"Multipart/Form-Data; boundary=" + B, body_kind=FORM),
    _query("what erases all parameters", b".defaults=1"),
    _form("what erases all parameters", b".defaults=1&a=1"),
    _multi("a file's name in place of the part's", [part(b'name=""; filename="fuid"', EVIL)]),
    _form("pairs in a part of a PUT", multipart([field(b"a", b"1&fuid=EVIL&b=2")], B), TYPE, method=b"PUT"),
    _cookie("names of other positions", b"uid=EVIL; fuid=EVIL"),
    _query("an object beside it", b"uid[__proto__]=EVIL&__proto__[uid]=EVIL"),
    _form("pairs in a part", multipart([field(b"a", b"1&fuid=EVIL&b=2")], B), TYPE),
    _form("type in capitals", b"fuid=EVIL", b"Application/X-WWW-Form-URLEncoded", body_kind=FORM),
    _header("named as hop-by-hop", b"Connection: x-uid, cookie"),
]

CASES = WELL_FORMED + FURTHER + [case.but(kind=f"known: {group}") for group, cases in GROUPS.items() for case in cases]
