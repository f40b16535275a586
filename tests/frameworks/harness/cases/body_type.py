"""Bodies of every type that may be taken for a form, and JSON and XML."""

import re

from harness.case import MULTIPART, ODD, OTHER, URLENCODED, Case, content_type, field, multipart
from harness.generator import Generator, escaped, kind


def content_types(boundary: bytes) -> list[tuple[str, tuple[bytes, ...]]]:
    """Content-Type lines; in some two readers see two types."""
    multi = MULTIPART + b"; boundary=" + boundary
    single = [
        b"", b"application/x-url-encoded", b"xurlencodedx", b"urlencoded", b"form-urlencoded", b"x-www-form-urlencoded",
        b"application/x-www-form-urlencoded ", b"application/x-www-form-urlencoded;", b"application/x-www-form-urlencoded,",
        b"application/x-www-form-urlencoded, text/plain", b"text/plain, application/x-www-form-urlencoded",
        b"text/plain; application/x-www-form-urlencoded", b"application/x-www-form-urlencodedx", b"application/x-www-form-urlencoded+json",
        b"application/x-www-form-urlencoded\t;charset=utf-8", b"application/x-www-form-urlencoded charset=utf-8",
        b"application/x-www-form-urlencoded\x0b", b"application/x-www-form-urlencoded\x0c;a=b", b"\x0bapplication/x-www-form-urlencoded",
        b"application/x-www-form-urlencoded\xa0", b"\xa0application/x-www-form-urlencoded", b"\"application/x-www-form-urlencoded\"",
        b"APPLICATION/X-WWW-FORM-URLENCODED", b"Application/X-WWW-Form-URLEncoded;charset=UTF-8", b"application/X-WWW-FORM-URLENCODED; q=1",
        b"application /x-www-form-urlencoded", b"application/ x-www-form-urlencoded", b"application/x-www-form-urlencoded/x",
        b"application/x-www-form-urlencoded:x", b"application/x-www-form-urlencoded&x", b"application\\x-www-form-urlencoded",
        b"application/x%2Dwww-form-urlencoded", b"application/xwwwformurlencoded", b"application/www-form-urlencoded",
        b"application/vnd.x+x-www-form-urlencoded", b"text/x-www-form-urlencoded", b"*/*", b"*", b"application/*", b"form",
        b"application/x-www-form", b"application/form-data", b"form-data", b"application/sparql-query", b"application/x-form",
        b"application/octet-stream", b"application/json", b"text/plain", b"text/plain;charset=UTF-8", b"text/html", b"text/xml",
        b"application/xml", b"text/json", b"application/vnd.api+json", b"application/x-json", b"application/javascript",
        b"application/json; charset=utf-8", b"application/jsonp", b"application/problem+json", b"application/x-ndjson", b"text/javascript",
        b"application/csp-report", b"application/graphql", b"x", b"/", b";", b"null", b"undefined", b"text", b"application",
        b"application/json, " + URLENCODED, URLENCODED + b", application/json", b"application/json; x=" + URLENCODED,
        b"application/json;" + URLENCODED, URLENCODED + b"; x=application/json", b"application/json " + URLENCODED,
        b"text/plain; x=\"" + URLENCODED + b"\"", b"application/" + URLENCODED, b"x/" + URLENCODED, b"a, " + URLENCODED,
        b"multipart/mixed; boundary=" + boundary, b"multipart/related; boundary=" + boundary, b"multipart/alternative; boundary=" + boundary,
        b"multipart/x-mixed-replace; boundary=" + boundary, b"multipart/digest; boundary=" + boundary, b"multipart/byteranges; boundary=" + boundary,
        b"multipart/encrypted; boundary=" + boundary, b"multipart/signed; boundary=" + boundary, b"multipart/report; boundary=" + boundary,
        b"multipart/x; boundary=" + boundary, b"multipart/; boundary=" + boundary, b"multipart; boundary=" + boundary, b"multipart/form_data; boundary=" + boundary,
        b"multipart/form-dat; boundary=" + boundary, b"multipart/form-data2; boundary=" + boundary, b"multipart/form-data boundary=" + boundary,
        b"multipart/form-data, boundary=" + boundary, b"multipart/form-data;; boundary=" + boundary, b"multipart/form-data ; boundary=" + boundary,
        b"MULTIPART/FORM-DATA; boundary=" + boundary, b"Multipart/Form-Data; Boundary=" + boundary, b"xmultipartx; boundary=" + boundary,
        b"application/multipart/form-data; boundary=" + boundary, b"text/plain, " + multi, multi + b", text/plain", b"application/json, " + multi,
        b"text/plain; x=\"" + multi + b"\"", b"message/rfc822; boundary=" + boundary, b"application/x; boundary=" + boundary,
        b"application/json; boundary=" + boundary, b"multipart/form-data\x0b; boundary=" + boundary, b"multipart/form-data:boundary=" + boundary,
        b"multipart/form-data\xa0; boundary=" + boundary, b" multipart/form-data; boundary=" + boundary, b"x/multipart/form-data; boundary=" + boundary,
        b"multipart/form-data/x; boundary=" + boundary, b"multipart /form-data; boundary=" + boundary, b"multipart/ form-data; boundary=" + boundary,
        b"boundary=" + boundary, b"; boundary=" + boundary, b"form-data; boundary=" + boundary, URLENCODED + b"; boundary=" + boundary,
        multi + b"; " + URLENCODED, URLENCODED + b"; " + multi, URLENCODED + b", " + multi, multi + b", " + URLENCODED,
        b"multipart/form-data-urlencoded; boundary=" + boundary, URLENCODED + b"\x00", b"multipart/form-data\x00; boundary=" + boundary,
    ]  # fmt: skip
    several = [
        ("none",),
        ("two: text, form", content_type(b"text/plain"), content_type(URLENCODED)),
        ("two: form, text", content_type(URLENCODED), content_type(b"text/plain")),
        ("two: json, form", content_type(b"application/json"), content_type(URLENCODED)),
        ("two: form, json", content_type(URLENCODED), content_type(b"application/json")),
        ("two: text, multipart", content_type(b"text/plain"), content_type(multi)),
        ("two: multipart, text", content_type(multi), content_type(b"text/plain")),
        ("two: multipart, form", content_type(multi), content_type(URLENCODED)),
        ("two: form, multipart", content_type(URLENCODED), content_type(multi)),
        ("two: form, form", content_type(URLENCODED), content_type(URLENCODED)),
        ("two: empty, form", content_type(b""), content_type(URLENCODED)),
        ("two: form, empty", content_type(URLENCODED), content_type(b"")),
    ]
    for odd in (b"Content_Type", b"Content.Type", b"Content~Type", b"CONTENT_TYPE", b"Content!Type", b"Content-Type_", b"HTTP_CONTENT_TYPE",
                b"X-Content-Type", b"Http-Content-Type", b"Content'Type", b"Content^Type"):  # fmt: skip
        name = odd.decode()
        several += [
            (f"{name} of a form beside json", content_type(b"application/json"), odd + b": " + URLENCODED),
            (f"{name} of a form before text", odd + b": " + URLENCODED, content_type(b"text/plain")),
            (f"{name} of multipart beside a form", content_type(URLENCODED), odd + b": " + multi),
            (f"{name} of json beside a form", content_type(URLENCODED), odd + b": application/json"),
            (f"{name} of a form alone", odd + b": " + URLENCODED),
            (f"{name} of multipart alone", odd + b": " + multi),
        ]
    several += [
        ("folded", b"Content-Type:\r\n " + URLENCODED),
        ("folded type", b"Content-Type: text/plain\r\n ;" + URLENCODED),
        ("space before the colon", b"Content-Type : " + URLENCODED),
        ("lower case", b"content-type: " + URLENCODED),
        ("upper case", b"CONTENT-TYPE: " + multi),
        ("no space", b"Content-Type:" + multi),
        ("tab", b"Content-Type:\t" + URLENCODED),
    ]
    return [(escaped(one), (content_type(one),)) for one in single] + [(label, tuple(lines)) for label, *lines in several]


CLEAN = {b"application/x-www-form-urlencoded", b"multipart/form-data"}
#: Types that `otherBodies: forward` lets pass, whatever the function makes of them.
STATED = (
    b"application/json", b"text/plain", b"text/html", b"text/xml", b"application/xml", b"text/json", b"application/octet-stream",
    b"application/vnd.api+json", b"application/x-json", b"application/javascript", b"application/jsonp", b"application/problem+json",
    b"application/x-ndjson", b"text/javascript", b"application/csp-report", b"application/graphql", b"application/sparql-query",
    b"application/x", b"message/rfc822",
)  # fmt: skip


def kind_of(lines: tuple[bytes, ...]) -> str:
    """What the gateway must make of these Content-Type lines."""
    # Those whose names some servers take for Content-Type.
    alike = [line for line in lines if re.match(rb"content[^a-z0-9]type\s*:", line.lower())]
    own = [line for line in alike if line.lower().startswith(b"content-type:")]
    if not own:
        # Those in other spellings are dropped, so that none is left.
        return OTHER
    if len(own) != 1 or len(alike) != 1:
        return ODD
    value = own[0].partition(b":")[2].strip(b" \t")
    essence = value.partition(b";")[0].strip(b" \t").lower()
    if essence in STATED and b"form-" not in value and b"multipart" not in value:
        return OTHER
    return ODD


BODIES = [
    "form", "form", "multipart", "json", "bare json", "form in lines", "text", "nothing", "pairs in a part", "pairs in a part", "part in a pair",
    "pair in json", "json as a pair",
]  # fmt: skip


def body_of(g: Generator, shape: str, name: bytes, boundary: bytes) -> bytes:
    match shape:
        case "form":
            return b"a=1&" + name + b"=EVIL"
        case "multipart":
            return multipart([field(b"a", b"1"), field(name)], boundary)
        case "json":
            return b'{"a":1,"%s":"EVIL"}' % name
        case "bare json":
            return b'"%s=EVIL"' % name
        case "form in lines":
            return b"a=1\r\n" + name + b"=EVIL\r\n"
        case "text":
            return name + b": EVIL"
        case "pairs in a part":
            return multipart([field(b"a", b"1&" + name + b"=EVIL&b=2")], boundary)
        case "part in a pair":
            return b"a=1\r\n" + multipart([field(name)], boundary) + b"&b=2"
        case "pair in json":
            return b'{"a":"&%s=EVIL&b=2"}' % name
        case "json as a pair":
            return b'{"%s":"EVIL","a":"=","b":"&c="}' % name
    return b""


@kind(24)
def body_type(g: Generator) -> Case:
    boundary = b"----WebKitFormBoundary7MA4YWxkTrZu0gW3"
    label, lines = g.take("type", content_types(boundary))
    looks = "multipart" if b"multipart" in label.encode() or b"boundary" in label.encode() else "form"
    shape = looks if g.rng.random() < 0.5 else g.take("shape", BODIES)
    name = g.name(b"fuid", b"uid")
    body = body_of(g, shape, name, boundary)
    kind = kind_of(lines)
    return g.form(body, f"type {label}: {shape} body", lines=lines, body_kind=kind)


JSON_TYPES = [
    b"application/json", b"application/json; charset=utf-8", b"application/vnd.api+json", b"text/json", b"application/csp-report",
    b"application/problem+json", b"APPLICATION/JSON", b"application/json;", b"application/json-patch+json", b"text/plain", b"application/x-json",
    b"application/ld+json", b"application/json, application/x-www-form-urlencoded", b"", b"application/x-ndjson", b"application/manifest+json",
    b"text/x-json", b"x/json", b"application/json+x", b"application/*+json", b"application/JSON; charset=UTF-8", b"application/json ; a=b",
]  # fmt: skip
JSON_BODIES = [
    b'{"N":"EVIL"}', b'{"N":["EVIL"]}', b'{"N":{"a":"EVIL"}}', b'{"\\u0066uid":"EVIL","\\u0075id":"EVIL"}', b'{"N":"ann","N":"EVIL"}',
    b'\xef\xbb\xbf{"N":"EVIL"}', b'[{"N":"EVIL"}]', b'[["N","EVIL"]]', b' \r\n{"a":1,"N":"EVIL"}', b"{'N':'EVIL'}", b'{N:"EVIL"}',
    b'{"[N]":"EVIL"}', b'{"N[]":"EVIL"}', b'{"__proto__":{"N":"EVIL"}}', b'{"constructor":{"prototype":{"N":"EVIL"}}}', b'{"N":"EVIL",}',
    b'{"a":1}{"N":"EVIL"}', b'{"a":1}\n{"N":"EVIL"}', b'/**/{"N":"EVIL"}', b'"N=EVIL"', b'{"user":{"N":"EVIL"},"N":"EVIL"}',
    b'while(1);{"N":"EVIL"}', b')]}\',\n{"N":"EVIL"}', b'{"_json":{"N":"EVIL"}}', b'{"N ":"EVIL"}', b'{"N\\u0000":"EVIL"}', b'{"N":"\\u0045VIL"}',
    b'N=EVIL', b'{"params":{"N":"EVIL"}}', b'{"name":"N","value":"EVIL"}', b'[{"name":"N","value":"EVIL"}]', b'{"x-uid":"EVIL","cuid":"EVIL"}',
]  # fmt: skip


@kind(8)
def json_body(g: Generator) -> Case:
    kind = g.take("json type", JSON_TYPES)
    body = g.take("json body", JSON_BODIES).replace(b"N", g.name(b"fuid", b"uid"))
    lines = (content_type(kind),)
    body_kind = OTHER if b"json" in kind.lower() and b"form" not in kind else kind_of(lines)
    return g.form(body, f"{escaped(kind)}: {escaped(body)}", lines=lines, body_kind=body_kind, hosts=("forward", "query"))


@kind(2)
def xml_body(g: Generator) -> Case:
    name = g.name(b"fuid", b"uid")
    kind = g.take("xml type", [b"application/xml", b"text/xml", b"application/soap+xml", b"application/xhtml+xml", b"text/xml; charset=utf-16"])
    body = g.take("xml body", [b"<N>EVIL</N>", b'<?xml version="1.0"?><hash><N>EVIL</N></hash>', b'<params N="EVIL"/>', b"<methodCall><N>EVIL</N></methodCall>"])
    return g.form(body.replace(b"N", name), f"{escaped(kind)} {escaped(body)}", lines=(content_type(kind),), body_kind=OTHER)
