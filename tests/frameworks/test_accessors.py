"""What each accessor reads, and that it gives claims exactly.

With `--accessors-out` the result is written to a file, which a page of documentation can be checked against.
"""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.case import MULTIPART, URLENCODED, Case, content_type, field, multipart, part
from harness import documentation
from harness.client import Client
from harness.gateway import host_name, token
from harness.verdict import accessors_of, shows_evil

PAGE = (Path(__file__).resolve().parents[2] / "docs/claims.md").read_text().splitlines()
B = b"----WebKitFormBoundary7MA4YWxkTrZu0gW3"
FORM_DATA = content_type(MULTIPART + b"; boundary=" + B)


def _post(kind: bytes | None, body: bytes) -> Case:
    return Case("", "", b"POST", lines=(content_type(kind),) if kind else (), body=body)


#: Where a value may come from; each with both names, as only one of them is read where they differ.
SOURCES: dict[str, Case] = {
    "header": Case("", "", lines=(b"X-Uid: EVIL",)),
    "header with underscore": Case("", "", lines=(b"X_Uid: EVIL",)),
    "header with dot": Case("", "", lines=(b"X.Uid: EVIL",)),
    "query": Case("", "", query=b"uid=EVIL&fuid=EVIL"),
    "query of a POST": Case("", "", b"POST", query=b"uid=EVIL&fuid=EVIL", lines=(content_type(URLENCODED),), body=b"a=1"),
    "cookie": Case("", "", lines=(b"Cookie: cuid=EVIL; uid=EVIL; fuid=EVIL",)),
    "urlencoded": _post(URLENCODED, b"uid=EVIL&fuid=EVIL"),
    "multipart": Case("", "", b"POST", lines=(FORM_DATA,), body=multipart([field(b"uid"), field(b"fuid")], B)),
    "file": Case(
        "", "", b"POST", lines=(FORM_DATA,),
        body=multipart([part(b'name="' + name + b'"; filename="x"', b"EVIL", b"Content-Type: text/plain") for name in (b"uid", b"fuid")], B),
    ),
    "json": _post(b"application/json", b'{"uid":"EVIL","fuid":"EVIL"}'),
    "form of type text/plain": _post(b"text/plain", b"uid=EVIL&fuid=EVIL"),
    "form without a type": _post(None, b"uid=EVIL&fuid=EVIL"),
    "multipart/mixed": _post(b"multipart/mixed; boundary=" + B, multipart([field(b"uid"), field(b"fuid")], B)),
}  # fmt: skip

#: The position that an accessor must read, and those sources that it may read besides.
OF_POSITION = {
    "header": {"header", "header with underscore", "header with dot"},
    "query": {"query", "query of a POST"},
    "cookie": {"cookie"},
    "form": {"urlencoded", "multipart", "file", "json", "form of type text/plain", "form without a type", "multipart/mixed"},
    "file": {"file", "multipart"},
}


def test_accessors_read_their_position(framework, function, client: Client, accessors):
    found: dict[str, dict] = {}
    for source, case in SOURCES.items():
        response = client.send(function.address, case.request(host_name("all", framework.name)), fresh=True)
        if response.status != 200:
            continue  # Of other methods or types it takes no notice, or refuses them.
        for one in accessors_of(response):
            entry = found.setdefault(one["accessor"], {"position": one["position"], "name": one["name"], "reads": []})
            if one["position"] == "any":  # Some mix positions only where there is a form.
                entry["position"] = "any"
            if shows_evil(one["value"]):
                entry["reads"].append(source)
    accessors.setdefault(framework.name, {"version": framework.version})["accessors"] = found
    idle = [name for name, entry in found.items() if not entry["reads"] and entry["position"] not in ("file", "other")]
    assert not idle, f"{idle} read nothing at all"
    for name, entry in found.items():
        if allowed := OF_POSITION.get(entry["position"]):
            assert set(entry["reads"]) <= allowed, f"{name} is said to read the {entry['position']}, and reads {entry['reads']}"


# The claim, and the text that a function must read.
VALUES = [
    ("ann+x@example.com", "ann+x@example.com"), ("a&b", "a&b"), ("a=b", "a=b"), ("a;b", "a;b"), ('a"b', 'a"b'), ("a,b", "a,b"), ("a%41b%", "a%41b%"),
    ("a b  c", "a b  c"), ("a\\b", "a\\b"), ("a'b", "a'b"), ("<a>", "<a>"), ("a/b?c#d", "a/b?c#d"), ("[a]{b}", "[a]{b}"), ("Jón Snær 雪", "Jón Snær 雪"), ("😀", "😀"),
    (["admin", "user"], '["admin","user"]'), ({"a": [1, "b"]}, '{"a":[1,"b"]}'), (17, "17"), (True, "true"), ("x" * 1500, "x" * 1500), ("%00", "%00"), ("$a", "$a"), ("a|b^c`d~", "a|b^c`d~"), ("__Host-a", "__Host-a"),
]  # fmt: skip
REQUESTS = {
    "GET": Case("", ""),
    "urlencoded": _post(URLENCODED, b"a=1&b=2"),
    "multipart": Case("", "", b"POST", lines=(FORM_DATA,), body=multipart([field(b"a", b"1")], B)),
}


def readings(text: str) -> set[str]:
    """A text, also as those give it who take bytes of UTF-8 for letters."""
    return {text, text.encode().decode("latin-1")}


def test_claims_arrive_exactly(framework, function, gateway, client: Client, accessors):
    failures, decodes = [], {}
    for claim, text in VALUES:
        identity = token({"sub": claim})
        for kind, case in REQUESTS.items():
            response = client.send(gateway.address, case.request(host_name("all", framework.name), identity))
            if response.status != 200:
                failures.append(f"{claim!r} {kind}: {response.status} {response.body[:100]!r}")
                continue
            for one in accessors_of(response):
                value = one["value"]
                if isinstance(value, list):
                    value = value[0] if len(value) == 1 else json.dumps(value) if value else None
                right = readings(text)
                if one["position"] == "cookie":
                    # Some decode cookies, others leave that to the function's author.
                    right |= {quote(text, safe="-._~")}
                    if text == "a&b":
                        decodes[one["accessor"]] = value == text
                needed = one["position"] in ("header", "query", "cookie") or (one["position"] == "form" and kind != "GET")
                if value not in right and (needed or value not in (None, "")):
                    failures.append(f"{claim!r} {kind}: {one['accessor']} gives {json.dumps(value)[:100]}")
    known = accessors.setdefault(framework.name, {"version": framework.version})
    known["cookies are decoded by"] = sorted(name for name, does in decodes.items() if does)
    assert documentation.row(framework.version, known) in PAGE, "docs/claims.md does not say what was measured"
    if failures:
        pytest.fail(f"{framework.name}: {len(failures)} values\n" + "\n".join(failures[:25]), pytrace=False)
