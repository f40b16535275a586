"""Judges what a function read of one request."""

import json
from dataclasses import dataclass

from harness.case import FORM, NONE, OTHER, Case
from harness.client import Response
from harness.registry import Framework

WITH_TOKEN, WITHOUT_CLAIM, EXEMPT = "token", "no claim", "exempt"
CLAIM = "ann"
#: A type with one of these is refused even where bodies of all other types pass.
LIKE_A_FORM = (b"urlencoded", b"url-encoded", b"form-data")


@dataclass(frozen=True)
class Run:
    """Where and how a case is sent: through which host, and with which token or none."""

    host: str
    identity: str


class Control:
    """What the function read of a case that was sent to it directly."""

    def __init__(self, response: Response | None):
        self.status = response.status if response else 0
        accessors = accessors_of(response) if response and response.status == 200 else []
        self.readings = [one["accessor"] for one in accessors if shows_evil(one["value"])]
        self.positions = {one["position"] for one in accessors if shows_evil(one["value"])}


def accessors_of(response: Response) -> list[dict]:
    return response.json()["accessors"]


def shows_evil(value) -> bool:
    return "EVIL" in json.dumps(value, ensure_ascii=False)


def is_absent(value) -> bool:
    return value is None or value == [] or value == ""


def is_claim(value, claim: str = CLAIM) -> bool:
    return value == claim or value == [claim]


def problems(
    case: Case, run: Run, response: Response, control: Control, mapped: tuple[str, ...], framework: Framework
) -> list[str]:
    """What is wrong with a response through the gateway."""
    if response.status == 502 and (control.status >= 400 or control.status == 0):
        return []  # The function refuses it before it has read the body, and closes the connection.
    if response.status >= 500:
        if not response.is_of_the_gateway() and (not case.must_pass or control.status >= 500):
            return []  # Some functions fail on odd requests by themselves, others on forms of which nothing is left.
        who = "the gateway" if response.is_of_the_gateway() else "the function"
        return [f"{response.status} by {who}: {response.body[:100]!r}"]
    if response.status >= 400:
        if case.must_pass and response.is_of_the_gateway() and run.identity == WITH_TOKEN:
            return [f"{response.status} though it is well-formed: {response.body[:200]!r}"]
        return []
    if response.status != 200:
        return [f"status {response.status}"]
    found = []
    for one in accessors_of(response):
        rule = _rule(case, run, one["position"], one["name"], mapped, framework)
        if rule and (problem := rule(one["value"])):
            found.append(f"{one['accessor']} ({one['position']}) gives {_short(one['value'])}: {problem}")
    return found


#: Positions of accessors besides those of parameters: `any` reads more than one of them, `file` an upload, `other` is
#: one that a function reads in some requests only.
def _rule(case: Case, run: Run, position: str, name: str, mapped: tuple[str, ...], framework: Framework):
    """What an accessor's value must be; None when the host does not map what it reads."""
    if position in ("form", "file") or name == "fuid" and position in ("any", "other"):
        if "form" not in mapped:
            return None
    elif position in ("any", "other"):
        if "query" not in mapped:
            return None
    elif position not in mapped:
        return None
    is_multipart = any(b"multipart" in line.lower() for line in case.lines)
    if framework.multipart_of_post_only and case.method != b"POST" and is_multipart and position in ("any", "form", "other"):
        return None
    if position == "any" and framework.any_reads_cookies and any(b"uid" in line for line in case.lines):
        return None  # Cookies of these names are not mapped, and pass.
    if _passes_unread(case, run, framework.reads_any_body) and position in ("form", "file", "any", "other"):
        return None  # A function that takes members of such a body for parameters must not be used with this host.
    if run.identity != WITH_TOKEN:
        return _absent
    if position in ("header", "query", "cookie"):
        return _exactly
    if position == "any" and name == "uid" and case.method in (b"GET", b"POST"):
        return _exactly
    if position in ("form", "any") and case.body_kind == FORM and case.method == b"POST":
        return _exactly
    return _exactly_or_absent


def _passes_unread(case: Case, run: Run, reads_any_body: bool) -> bool:
    """Whether a body of this type passes on this host without being judged."""
    if run.host == "all" or case.body_kind in (NONE, FORM):
        return False
    if case.body_kind == OTHER or reads_any_body:
        return True
    types = [line.lower() for line in case.lines if line.lower().startswith(b"content-type")]
    return run.host == "forward" and not any(word in one for one in types for word in LIKE_A_FORM)


def _absent(value) -> str | None:
    if is_absent(value):
        return None
    return "the client's value" if shows_evil(value) else "not absent"


def _exactly(value) -> str | None:
    if is_claim(value):
        return None
    return "the client's value" if shows_evil(value) else "not the claim"


def _exactly_or_absent(value) -> str | None:
    return None if is_absent(value) else _exactly(value)


def runs_of(case: Case) -> list[Run]:
    """All ways in which a case can be sent through the gateway; the first is the most telling."""
    runs = [Run("all", WITH_TOKEN), Run("all", EXEMPT), Run("all", WITHOUT_CLAIM)]
    for host in case.hosts:
        runs += [Run(host, WITH_TOKEN), Run(host, EXEMPT), Run(host, WITHOUT_CLAIM)]
    return runs


def _short(value) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 80 else text[:77] + "..."


__all__ = ["NONE", "Control", "Run", "problems", "runs_of"]
