"""Cookies."""

from harness import spelling
from harness.case import EVIL, Case
from harness.generator import Generator, escaped, kind

COOKIE_SEPARATORS = [b"; ", b";", b";; ", b" ; ", b",", b", ", b"&", b";\t", b" ", b"\t", b";,", b"; ; ", b";  ", b"|", b"%3B", b"%3B ", b"; =; ", b"\\;", b"\x0b", b";\x0b", b";\xa0"]


@kind(16)
def cookie_name(g: Generator) -> Case:
    odd, decoration = g.decorated("cookie", b"cuid")
    encoding = g.take("cookie encoding", ["raw"] * 5 + list(spelling.ENCODINGS))
    written = odd if encoding == "raw" else spelling.ENCODINGS[encoding](odd, g.rng)
    assign = g.take("cookie assign", [b"="] * 9 + [b" =", b"= ", b" = ", b"\t=", b"==", b'="', b"%3D"])
    value = g.take("cookie value", [EVIL] * 6 + [b'"EVIL"', b'"EVIL', b"%45VIL", b"EVIL=", b"EVIL x", b'"\\105VIL"', b"EVIL,x", b"EVIL\\"])
    separator = b"; " if g.rng.random() < 0.7 else g.take("cookie separator", COOKIE_SEPARATORS)
    pair = written + assign + value
    label, pairs = g.take(
        "cookie neighbours",
        [
            ("alone", [None]),
            ("behind", [b"a=1", None]),
            ("before", [None, b"b=2"]),
            ("between", [b"a=1", None, b"b=2"]),
            ("twice", [None, None]),
            ("ann before", [b"cuid=ann", None]),
            ("ann behind", [None, b"cuid=ann"]),
        ],
    )
    text = separator.join(pair if one is None else one for one in pairs)
    well_formed = decoration == b"N" and encoding == "raw" and assign == b"=" and value in (EVIL, b"%45VIL", b"EVIL=") and separator == b"; "
    note = f"{escaped(decoration)} {encoding}, {escaped(assign)}{escaped(value)}, separator {escaped(separator)}, {label}"
    return Case("", note, lines=(b"Cookie: " + text,), must_pass=well_formed, hosts=("cookie",))


COOKIES = [
    b'a="b"cuid=EVIL', b'a="b" cuid=EVIL', b'a="b;cuid=EVIL', b'a="b; cuid=EVIL"', b'a="b; cuid=EVIL', b'a="b\\"; cuid=EVIL; c="', b'a="b\\; cuid=EVIL', b"a='b; cuid=EVIL'", b'a="b",cuid=EVIL', b"a=b,cuid=EVIL", b"a=b, cuid=EVIL", b"a=b cuid=EVIL", b"a=b&cuid=EVIL",
    b"\\cuid=EVIL", b"=cuid=EVIL", b"==cuid=EVIL", b"=; cuid=EVIL", b"=x; cuid=EVIL", b"; cuid=EVIL", b";;;cuid=EVIL", b"a; cuid=EVIL", b"a b; cuid=EVIL", b"a;b=1", b"a b", b"=; x=1", b"a b=c", b"[; x=1", b"{", b"(a)=1; cuid=EVIL", b"a@b=1; cuid=EVIL", b"a=b c", b"a=\xff; cuid=EVIL", b"\xff=1",
    b"a=1; \x00cuid=EVIL", b"$Version=1; cuid=EVIL; $Path=/", b"$Version=\"1\"; cuid=\"EVIL\"; $Path=\"/\"", b"$Version=0; $cuid=EVIL; cuid=EVIL", b"$Path=/; cuid=EVIL", b"$Version=1, cuid=EVIL", b"Version=1; Path=/; cuid=EVIL", b"Path=/; cuid=EVIL; Domain=x", b"expires=Mon, 01 Jan 2099 00:00:00 GMT; cuid=EVIL", b"a=1; expires=Mon, 01 Jan 2099 00:00:00 GMT; cuid=EVIL", b"HttpOnly; cuid=EVIL", b"Secure; cuid=EVIL; HttpOnly",
    b"__Host-cuid=EVIL", b"__Secure-cuid=EVIL", b"__HOST-cuid=EVIL", b"__Http-cuid=EVIL", b"__Host-Http-cuid=EVIL", b"__host-cuid=EVIL; __secure-cuid=EVIL", b"__Secure-__Host-cuid=EVIL", b" __Host-cuid=EVIL", b"\\__Host-cuid=EVIL",
    b"cuid[]=EVIL", b"cuid[a]=EVIL", b"cuid[a", b"cuid[=EVIL", b"cuid%5B%5D=EVIL", b"cuid.=EVIL", b"cuid =EVIL", b"cuid= EVIL", b"cuid = EVIL", b"cuid\t=\tEVIL", b"cuid", b"cuid; EVIL", b"cuid:EVIL", b"cuid==EVIL", b"CUID=EVIL", b"Cuid=EVIL", b"cuiD=EVIL", b"cuid=", b'cuid=""; cuid=EVIL', b"cuid=ann; cuid=EVIL", b"cuid=EVIL; cuid=ann", b"cuid;=EVIL", b"cuid,=EVIL", b"cuid\\=EVIL", b'cuid"=EVIL', b'"cuid"=EVIL', b"'cuid'=EVIL", b'"cuid=EVIL"', b"%63uid=EVIL", b"%63%75%69%64=EVIL", b"c%75id=EVIL", b"+cuid=EVIL", b"%20cuid=EVIL", b"cuid%20=EVIL", b"cuid%00=EVIL", b"cuid+=EVIL", b"%00cuid=EVIL", b"%0acuid=EVIL",
    b"a=1; cuid=EVIL; a=2; cuid=EVIL", b"a=1\tcuid=EVIL", b"a=1;\x0bcuid=EVIL", b"a=1;\x0ccuid=EVIL", b"a=1;\x1ccuid=EVIL", b"a=1;\x1fcuid=EVIL", b"a=1;\xa0cuid=EVIL", b"a=1;\x85cuid=EVIL", b"a=1;\xffcuid=EVIL", b"a=1;\xc2\xa0cuid=EVIL", b"a=1;\xef\xbb\xbfcuid=EVIL", b"\xef\xbb\xbfcuid=EVIL", b"\x85cuid=EVIL", b"\xa0cuid=EVIL", b"\xffcuid=EVIL", b"cuid\xa0=EVIL", b"cuid\x85=EVIL", b"cuid\x1f=EVIL", b"a\xffcuid=EVIL", b"a\\cuid=EVIL", b'a"cuid=EVIL', b"a(cuid=EVIL", b"a/cuid=EVIL", b"a,cuid=EVIL", b"a@cuid=EVIL", b"a]cuid=EVIL", b"a{cuid=EVIL", b"a?cuid=EVIL", b"a:cuid=EVIL", b"a<cuid=EVIL", b'a="\\\\"cuid=EVIL', b'x="a"b"cuid=EVIL', b'x=""cuid=EVIL', b'"";cuid=EVIL', b'x=";cuid=EVIL;y="', b'x=a"b;cuid=EVIL;y="',
    b"cuid=j:{\"a\":\"EVIL\"}", b"cuid=s%3AEVIL.x", b"cuid=\"EV\\IL\"; cuid=\"\\105VIL\"", b"cuid=EVIL, cuid=EVIL", b"cuid=EVIL;Path=/;Domain=x", b"Cookie: cuid=EVIL", b"Cookie:cuid=EVIL", b"cookie=cuid=EVIL", b"a=1&cuid=EVIL", b"a=cuid=EVIL", b"a%3D1%3B%20cuid=EVIL", b"a=1%3Bcuid=EVIL", b"a=1\\073cuid=EVIL",
]  # fmt: skip


@kind(14)
def cookie_structure(g: Generator) -> Case:
    cookie = g.take("cookie", COOKIES)
    label, lines = g.take(
        "cookie lines",
        [
            ("one field", [b"Cookie: @"]),
            ("one field", [b"Cookie: @"]),
            ("one field", [b"Cookie: a=1; @; b=2"]),
            ("two fields, first", [b"Cookie: @", b"Cookie: a=1"]),
            ("two fields, last", [b"Cookie: a=1", b"Cookie: @"]),
            ("two fields, both", [b"Cookie: @", b"cookie: @"]),
            ("behind many", [b"Cookie: " + b"; ".join(b"a%d=1" % i for i in range(120)) + b"; @"]),
            ("with Cookie2", [b"Cookie: a=1", b"Cookie2: @"]),
            ("Cookie2 version", [b"Cookie2: $Version=1", b"Cookie: @"]),
            ("another spelling", [b"Cookie_: @", b"X-Cookie: @", b"Http-Cookie: @", b"Set-Cookie: @"]),
            ("folded field", [b"Cookie: a=1;\r\n @"]),
        ],
    )
    written = tuple(line.replace(b"@", cookie, 1) for line in lines)
    return Case("", f"{escaped(cookie)}, {label}", lines=written, hosts=("cookie",))
