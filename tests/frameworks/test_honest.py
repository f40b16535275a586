"""What honest clients send passes, with nothing changed but the claims."""

import concurrent.futures
import json
import random
import re

import pytest

from harness import honest
from harness.case import FORM
from harness.client import Broken, Response
from harness.gateway import HOSTS, RECORDER, host_name, token
from harness.honest import Honest

TOKEN = token({"sub": "ann"})
SHORT = 120
#: What the gateway sets itself, or what belongs to one hop.
OF_THE_GATEWAY = re.compile(
    r"x-fc-.*|x-forwarded-.*|forwarded|traceparent|tracestate|connection|keep-alive|te|host|content-length|transfer-encoding|cookie|x-uid|expect"
)


def test_there_are_enough():
    assert len({(one.client, one.what) for one in honest.ALL}) >= 400


def without_claims(everything: dict, mapped: tuple[str, ...]) -> dict:
    """What a function read, without what the gateway may add on a host."""
    left = dict(everything)
    left["headers"] = {n: v for n, v in (everything.get("headers") or {}).items() if not OF_THE_GATEWAY.fullmatch(n)}
    for place, position, name in (("query", "query", "uid"), ("form", "form", "fuid"), ("cookies", "cookie", "cuid")):
        left[place] = _without(left.get(place), name) if position in mapped else left.get(place) or {}
    # Some frameworks give them in no order.
    left["files"] = sorted(everything.get("files") or [], key=json.dumps)
    if "form" in mapped:
        left.pop("body_sha256", None)
    return left


def _without(values, name: str):
    """Parameters without the claim's, whatever shape a framework gives them."""
    if isinstance(values, dict):
        return {key: value for key, value in values.items() if not (key == name and value in ("ann", ["ann"]))}
    if isinstance(values, list):
        return [one for one in values if list(one) != [name, "ann"]]
    if isinstance(values, str):
        return re.sub(rf"^{name}=ann(&|; |$)", "", values)
    return values or {}


def hosts_for(one: Honest, framework, every: bool, number: int) -> list[str]:
    """The hosts that a request is sent through: one or two of them, in turn."""
    hosts = [host for host in one.hosts if host in HOSTS]
    is_keywords = any(text and b"=" not in text for text in (one.case.query, one.case.body))
    if framework.reads_keywords and is_keywords:
        # A claim is a parameter, and there are no keywords beside parameters.
        hosts = [host for host in hosts if host in ("header", "cookie")]
    return [hosts[(number + i) % len(hosts)] for i in range(2 if every else 1)] if hosts else []


def differences(one: Honest, host: str, framework, function, gateway, client) -> str | None:
    """How what the function reads through the gateway differs from what it reads directly."""
    name = host_name(host, framework.name)
    through = client.send(gateway.address, one.case.request(name, TOKEN))
    direct = client.send(function.address, one.case.request(name, TOKEN), fresh=True)
    found = difference(one, direct, through, HOSTS[host])
    if found and one.case.chunks:
        # The gateway may know the length of what came in chunks, which some servers want.
        direct = client.send(function.address, one.case.but(chunks=None).request(name, TOKEN), fresh=True)
        found = difference(one, direct, through, HOSTS[host])
    return found


def difference(one: Honest, direct: Response, through: Response, mapped: tuple[str, ...]) -> str | None:
    if direct.status != through.status:
        return f"{direct.status} directly, {through.status} through the gateway: {through.body[:200]!r}"
    if direct.status != 200:
        return None
    left, right = (without_claims(answer.json()["all"], mapped) for answer in (direct, through))
    if not one.case.body and "form" in mapped:
        # A POST without a body becomes a form, for its claim.
        for side in (left, right):
            side["headers"].pop("content-type", None)
    changed = [key for key in left if left[key] != right.get(key)]
    return "; ".join(_change(key, left[key], right.get(key)) for key in changed) or None


def _change(key: str, left, right) -> str:
    """What differs, not more of it than a line."""
    if isinstance(left, dict) and isinstance(right, dict):
        names = [name for name in {**left, **right} if left.get(name) != right.get(name)]
        left, right = ({name: side.get(name) for name in names} for side in (left, right))
    return f"{key}: {json.dumps(left)[:200]} became {json.dumps(right)[:200]}"


def test_honest_requests_pass(framework, function, gateway, client, request, summaries):
    every = request.config.getoption("--long")
    chosen = list(enumerate(honest.ALL))
    if not every:
        rng = random.Random(framework.name)
        chosen = rng.sample(chosen, SHORT)

    def judge(entry: tuple[int, Honest]) -> list[tuple[Honest, str, str]]:
        number, one = entry
        found = []
        for host in hosts_for(one, framework, every, number):
            try:
                problem = differences(one, host, framework, function, gateway, client)
            except (Broken, OSError) as error:
                problem = f"no response: {error}"
            if problem:
                found.append((one, host, problem))
        return found

    with concurrent.futures.ThreadPoolExecutor(framework.threads) as pool:
        failures = [failure for found in pool.map(judge, chosen) for failure in found]
    summaries.append(f"{framework.name} honest: {len(chosen)} requests, {len(failures)} failures")
    _fail(framework.name, failures)


def _fail(name: str, failures: list[tuple[Honest, str, str]]):
    if failures:
        shown = "\n".join(f"{one} ({host}): {problem}" for one, host, problem in failures[:25])
        pytest.fail(f"{name}: {len(failures)} honest requests fail\n{shown}", pytrace=False)


# --- Byte for byte ---


def is_body(one: Honest, mapped: tuple[str, ...], seen: bytes) -> bool:
    """Whether a body is the client's, with the claim before it where a form carries one."""
    body = one.case.body or b""
    if one.boundary and body.startswith(b"\r\n"):
        # It stays before the first delimiter.
        body, seen = body.removeprefix(b"\r\n"), seen.removeprefix(b"\r\n")
    if not seen.endswith(body):
        return False
    added = seen[: len(seen) - len(body)]
    if "form" not in mapped:
        return not added
    if one.boundary:
        head = rb'content-disposition: ?form-data; ?name="?fuid"?'
        return bool(re.fullmatch(rb"--" + re.escape(one.boundary) + rb"\r\n" + head + rb"\r\n\r\nann\r\n", added, re.IGNORECASE))
    if one.case.body_kind == FORM:
        return added == (b"fuid=ann&" if body else b"fuid=ann")
    # A POST without a body becomes a form where a claim is passed in one.
    return added in (b"", b"fuid=ann") if not body else not added


def changes(one: Honest, host: str, seen) -> list[str]:
    """What of a request reached the recorder otherwise than it should."""
    mapped, case = HOSTS[host], one.case
    found = []
    query = (case.query or b"").decode("latin-1")
    if "query" in mapped:
        query = "uid=ann" + ("&" + query if query else "")
    target = case.path.decode() + ("?" + query if query else "")
    if seen.target != target:
        found.append(f"target {seen.target!r} in place of {target!r}")
    if not is_body(one, mapped, seen.body):
        found.append(f"body {seen.body[:300]!r} in place of {case.body[:200] if case.body else b''!r}")
    sent = [line.decode("utf-8", "surrogateescape").partition(":") for line in case.lines]
    own = [(name.lower(), value.strip(" \t")) for name, _, value in sent]
    cookies = [value for name, value in own if name == "cookie"]
    if "cookie" in mapped:
        cookies = ["; ".join(["cuid=ann", *cookies])]
    if seen.values("cookie") != cookies:
        found.append(f"cookies {seen.values('cookie')} in place of {cookies}")
    if "header" in mapped and seen.values("x-uid") != ["ann"]:
        found.append(f"x-uid {seen.values('x-uid')}")
    left = sorted((n, v) for n, v in own if not OF_THE_GATEWAY.fullmatch(n))
    right = sorted((n.lower(), v) for n, v in seen.headers if not OF_THE_GATEWAY.fullmatch(n.lower()))
    right = [(n, v) for n, v in right if n != "authorization"]
    if not case.body and "content-type" not in dict(left):
        right = [(n, v) for n, v in right if n != "content-type"]
    # The type of a form may be passed on in small letters.
    left, right = ([(n, v.lower() if n == "content-type" else v) for n, v in side] for side in (left, right))
    if left != right:
        found.append(f"headers {set(right) ^ set(left)}")
    return found


def test_honest_requests_pass_byte_for_byte(gateway, recorder, client):
    failures = []
    for one in honest.ALL:
        hosts = FORM_OF_RECORDER if "recorder only" in one.hosts else one.hosts
        for host in hosts:
            response = client.send(gateway.address, one.case.request(host_name(host, RECORDER), TOKEN))
            if response.status != 200:
                failures.append((one, host, f"{response.status}: {response.body[:200]!r}"))
                continue
            seen = recorder.requests[int(response.headers[b"x-recorded"])]
            failures += [(one, host, change) for change in changes(one, host, seen)]
            if one.big:
                seen.body = seen.everything = b""
    _fail("recorder", failures)


FORM_OF_RECORDER = ("all", "query", "header", "cookie", "forward")
