"""Forms that are filtered while they stream: a mapped parameter in them reaches no framework, and all can read the rest."""

import pytest

from harness.case import FORM, MULTIPART, URLENCODED, Case, content_type, field, multipart, part
from harness.client import Broken
from harness.gateway import host_name, token

TOKEN = token({"sub": "ann"})
LARGE = b"x" * (2 << 20)
BOUNDARY = b"----WebKitFormBoundary7MA4YWxkTrZu0gW9"
FILE = part(b'name="file"; filename="a.bin"', LARGE, b"Content-Type: application/octet-stream")
#: Of the mapped parameter, in bytes.
LENGTHS = (0, 1, 5_000, 600_000)


def forms(length: int) -> dict[str, tuple[bytes, bytes]]:
    """Content types and bodies, with the mapped parameter at one place or another."""
    mapped, a = field(b"fuid", b"E" * length), field(b"a", b"1")
    mapped_file = part(b'name="fuid"; filename="b.bin"', b"E" * length, b"Content-Type: application/octet-stream")
    parts = {
        "first": [mapped, FILE, a],
        "behind a file": [FILE, mapped, a],
        "last": [FILE, a, mapped],
        "twice": [FILE, mapped, a, mapped],
        "a file": [FILE, mapped_file, a],
        "spelled otherwise": [FILE, mapped.replace(b"fuid", b"[fuid]"), a],
        "in no part": [FILE, a],
    }
    written = {what: multipart(parts, BOUNDARY) for what, parts in parts.items()}
    written["without a last line end"] = written["last"].removesuffix(b"\r\n")
    written["behind an empty line"] = b"\r\n" + written["behind a file"]
    found = {what: (MULTIPART + b"; boundary=" + BOUNDARY, body) for what, body in written.items()}
    pair = b"fuid=" + b"E" * length
    pairs = {"first pair": pair + b"&b=%s&a=1", "pair": b"b=%s&" + pair + b"&a=1", "last pair": b"b=%s&a=1&" + pair}
    return found | {what: (URLENCODED, pairs % LARGE) for what, pairs in pairs.items()}


def form_of(response) -> dict:
    """What a function read from the form, as names with values."""
    everything = response.json()["all"]
    form = everything["form"] or {}
    pairs = form.items() if isinstance(form, dict) else form
    found: dict[str, list] = {}
    for name, value in pairs:
        found.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    for file in everything.get("files") or []:
        found.setdefault(file["name"], []).append(file)
    return found


@pytest.mark.parametrize("length", LENGTHS)
def test_long_forms(framework, function, gateway, client, length, summaries):
    if "form" not in framework.positions:
        pytest.skip("reads no forms")
    failures, read = [], 0
    for what, (kind, body) in forms(length).items():
        case = Case("long", what, b"POST", lines=(content_type(kind),), body=body, body_kind=FORM)
        name = host_name("all", framework.name)
        direct = client.send(function.address, case.request(name), fresh=True)
        if direct.status != 200:
            continue  # It takes no form of this size or shape.
        read += 1
        try:
            through = client.send(gateway.address, case.request(name, TOKEN))
        except (Broken, OSError) as error:
            failures.append(f"{what}: no response: {error}")
            continue
        if through.status != 200:
            failures.append(f"{what}: 200 directly, {through.status} through the gateway: {through.body[:200]!r}")
            continue
        claims = [a["value"] for a in through.json()["accessors"] if a["position"] == "form" and a["name"] == "fuid"]
        before, after = form_of(direct), form_of(through)
        kept = {name: values for name, values in before.items() if name.strip("[]") != "fuid"}
        left = {name: values for name, values in after.items() if name != "fuid" and name.strip("z")}
        if any(claim not in ("ann", ["ann"]) for claim in claims):
            failures.append(f"{what}: the accessor reads {str(claims)[:200]}")
        if left != kept:
            failures.append(f"{what}: {str(kept)[:200]} became {str(left)[:200]}")
        if b"EEEE" in through.body:
            failures.append(f"{what}: what was mapped is still there")
    summaries.append(f"{framework.name} long forms with {length} bytes: {read} read, {len(failures)} failures")
    if failures:
        pytest.fail("\n".join(failures), pytrace=False)
