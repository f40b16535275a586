"""Urlencoded forms."""

import gzip
import json
import zlib

from harness import spelling
from harness.case import MULTIPART, ODD, OTHER, URLENCODED, Case, content_type, field, multipart
from harness.generator import SEPARATORS, Generator, base64_of, escaped, kind, make_flood

RAW_SEPARATORS = [b"\n", b"\r\n", b"\r", b" ", b"\t", b"\x00", b"&\n", b"&\r\n", b"\x0b", b"\n&", b"\x1e", b"& ", b"&\x00", b"\xa6", b"\xbb", b"\xa6&"]


@kind(20)
def form_spelling(g: Generator) -> Case:
    pair, note, well_formed = g.pair(g.name(b"fuid", b"uid"), "form")
    body, repetition = g.pairs(pair)
    return g.form(body, f"{note}, {repetition}", well_formed)


@kind(6)
def form_separator(g: Generator) -> Case:
    separator = g.take("form separator", SEPARATORS + RAW_SEPARATORS)
    name = g.name(b"fuid", b"uid")
    odd = name if g.rng.random() < 0.6 else g.decorated("form separator", name)[0]
    body, repetition = g.pairs(odd + b"=EVIL", separator)
    if separator not in body:
        body = b"a=1" + separator + body
    well_formed = separator in (b"&", b"&&") and odd == name
    return g.form(body, f"separator {escaped(separator)}, {repetition}", well_formed)


@kind(4)
def form_raw(g: Generator) -> Case:
    """Names with bytes that a browser would have escaped."""
    odd, decoration = g.decorated("form raw", g.name(b"fuid", b"uid"))
    body, repetition = g.pairs(odd + b"=EVIL")
    lead = g.take("form lead", [b""] * 6 + [b"\xef\xbb\xbf", b"?", b"\r\n", b"\n", b" ", b"\x00", b"&", b"#", b"\xff\xfe", b"--b\r\n"])
    return g.form(lead + body, f"raw {escaped(decoration)}, {repetition}, behind {escaped(lead)!r}")


@kind(4)
def form_flood(g: Generator) -> Case:
    flood, note = make_flood(g, "form flood")
    name = g.name(b"fuid", b"uid")
    odd = g.take("form flood name", [b"N", b"[N]", b"N[]", b"[N][]", b"%5BN%5D", b"%20N", b".N", b"%%N"]).replace(b"N", name)
    return g.form(flood + odd + b"=EVIL", f"{note}, then {escaped(odd)}", odd == name and b";" not in note.encode())


#: Character sets by which some servers decode a form, and the form in them.
CHARSETS = [
    "utf-16", "utf-16le", "utf-16be", "utf-7", "utf-32", "utf-32be", "cp037", "cp500", "cp1140", "cp1026", "cp424", "ibm037",
    "unicode_escape", "raw_unicode_escape", "shift_jis", "iso-2022-jp", "iso-2022-kr", "hz", "gb18030", "big5", "euc-jp",
    "johab", "utf-8-sig", "iso-8859-1", "windows-1252", "us-ascii", "UTF8", "utf_8", "x-user-defined", "punycode", "idna",
    "rot13", "hex", "base64", "nonsense", "", "undefined", "mbcs", "latin-1", "koi8-r",
]  # fmt: skip


def in_charset(text: str, charset: str) -> bytes:
    match charset:
        case "utf-7":
            # Python's own encoder leaves letters as they are.
            return b"+" + base64_of(text.encode("utf-16be")).rstrip(b"=") + b"-"
        case "unicode_escape" | "raw_unicode_escape":
            return b"".join(b"\\u%04x" % ord(c) for c in text)
        case "ibm037":
            return text.encode("cp037")
        case "hz":
            return b"~{~}" + text.encode()
        case "iso-2022-jp":
            return b"\x1b(J" + text.encode()
        case "iso-2022-kr":
            return b"\x1b$)C" + text.encode()
    try:
        return text.encode(charset)
    except (LookupError, UnicodeError):
        return text.encode()


@kind(7)
def form_charset(g: Generator) -> Case:
    charset = g.take("charset", CHARSETS)
    name = g.name(b"fuid", b"uid").decode()
    shape = g.take("charset shape", ["whole", "name", "escaped", "escaped pair", "multipart", "_charset_", "json", "query"])
    encoded = in_charset(name, charset)
    parameter = g.take("charset parameter", [b"; charset=%s", b";charset=\"%s\"", b"; charset=utf-8; charset=%s", b"; CHARSET=%s"])
    parameter = parameter % charset.encode()
    note, base = f"{charset}: {shape}", {"lines": (content_type(URLENCODED + parameter),), "body_kind": ODD}
    match shape:
        case "whole":
            return g.form(in_charset(f"a=1&{name}=EVIL&b=2", charset), note, **base)
        case "name":
            return g.form(encoded + b"=EVIL", note, **base)
        case "escaped":
            return g.form(b"a=1&" + spelling.percent(encoded) + b"=EVIL", note, **base)
        case "escaped pair":
            value = spelling.percent(in_charset("EVIL", charset))
            return g.form(b"a=1&" + spelling.percent(encoded) + b"=" + value, note, **base)
        case "multipart":
            boundary = g.boundary()
            lines = (content_type(MULTIPART + parameter + b"; boundary=" + boundary),)
            return g.multi([field(encoded)], note, lines=lines, body=multipart([field(encoded)], boundary), body_kind=ODD)
        case "_charset_":
            parts = [field(b"_charset_", charset.encode()), field(encoded, in_charset("EVIL", charset)), field(encoded)]
            if g.rng.random() < 0.5:
                return g.multi(parts, note)
            pair = spelling.percent(encoded) + b"=EVIL"
            return g.form(b"_charset_=" + charset.encode() + b"&" + pair, note)
        case "json":
            body = in_charset(json.dumps({name: "EVIL"}), charset)
            return g.form(body, note, lines=(content_type(b"application/json" + parameter),), body_kind=OTHER)
        case _:
            name = g.name(b"uid", b"fuid").decode()
            pair = spelling.percent(in_charset(name, charset)) + b"=EVIL"
            kind = g.take("charset of a query", [URLENCODED, b"text/html", b"application/json", MULTIPART])
            return Case("", note, query=pair, lines=(content_type(kind + parameter),), hosts=("query",))


def gzip_of(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # Without the time, so that the same seed gives the same bytes.


@kind(4)
def content_coding(g: Generator) -> Case:
    name = g.name(b"fuid", b"uid")
    plain = b"a=1&" + name + b"=EVIL"
    coding, body = g.take(
        "coding",
        [
            ("gzip", gzip_of),
            ("x-gzip", gzip_of),
            ("GZIP", gzip_of),
            ("deflate", zlib.compress),
            ("deflate", lambda data: zlib.compress(data)[2:-4]),
            ("identity", bytes),
            ("gzip, identity", gzip_of),
            ("identity, gzip", gzip_of),
            ("gzip, gzip", lambda data: gzip_of(gzip_of(data))),
            ("br", bytes),
            ("none", bytes),
            ("", bytes),
        ],
    )
    # Behind plain text that a filter would read instead.
    lines = (content_type(URLENCODED), b"Content-Encoding: " + coding.encode())
    shape = g.take("coding shape", ["form", "form", "multipart", "json", "query"])
    if shape == "multipart":
        boundary = g.boundary()
        plain = multipart([field(name)], boundary)
        lines = (content_type(MULTIPART + b"; boundary=" + boundary), lines[1])
    elif shape == "json":
        plain, lines = b'{"%s":"EVIL"}' % name, (content_type(b"application/json"), lines[1])
    return g.form(body(plain), f"{coding}: {shape}", lines=lines, body_kind=ODD if shape != "json" else OTHER)
