"""No spelling of a path passes a blacklist, a whitelist, a route or a function's URL that it should not pass."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import paths, registry
from harness.client import Broken, Client
from harness.gateway import KEY, token
from harness.processes import Function, free_ports
from support.configuration import configuration, domain, function, jwt
from support.gateway import Gateway
from support.tokens import jwks

#: How many spellings each function gets of each rule.
SHORT, LONG = 300, 3000
#: What keeps a client from a path: each is a host of the gateway.
RULES = ("blacklist", "whitelist", "route", "base")
TOKEN = token({"sub": "ann"})


def functions(config) -> list[registry.Framework]:
    """With `--framework express-4`, of those for paths only `paths-express-4`."""
    wanted = {f"paths-{name}" for name in config.getoption("--framework")}
    found = registry.frameworks("paths")
    if wanted:
        return [one for one in found if one.name in wanted]
    return [one for one in found if one.short or config.getoption("--long")]


def pytest_generate_tests(metafunc):
    if "served" in metafunc.fixturenames:
        metafunc.parametrize("served", functions(metafunc.config), ids=str, scope="module", indirect=True)


@dataclass
class Served:
    """A function with a gateway in front of it."""

    name: str
    function: Function
    gateway: Gateway
    client: Client

    def direct(self, target: str):
        return self.client.send(self.function.address, request(target, "localhost"), fresh=True)

    def through(self, rule: str, target: str, authorized: bool = False):
        return self.client.send(self.gateway.address, request(target, f"{rule}.test", TOKEN if authorized else None))


def request(target: str, host: str, bearer: bytes | None = None) -> bytes:
    head = f"GET {target.replace('{host}', host)} HTTP/1.1\r\nHost: {host}\r\n".encode("latin-1")
    if bearer:
        head += b"Authorization: Bearer " + bearer + b"\r\n"
    return head + b"\r\n"


@pytest.fixture(scope="module")
def served(request, tmp_path_factory):
    [port] = free_ports(1)
    started = Function(request.param, port)
    try:
        gateway = start_gateway(tmp_path_factory.mktemp("paths"), port)
        yield Served(request.param.name, started, gateway, Client())
        assert gateway.stop() == 0
    finally:
        started.stop()


def start_gateway(folder: Path, port: int) -> Gateway:
    url = f"http://127.0.0.1:{port}"
    everything = [{"path": "/*", "functionName": "whole"}]
    domains = [
        domain("blacklist.test", everything, jwt(jwks(KEY), blacklist=["/admin", "/admin/*"])),
        domain("whitelist.test", everything, jwt(jwks(KEY), whitelist=["/public/*"])),
        domain("route.test", [{"path": "/app1/*", "functionName": "whole"}]),
        domain("base.test", [{"path": "/*", "functionName": "app1"}]),
    ]
    whole = [function(url, "whole"), function(f"{url}/app1", "app1")]
    return Gateway(folder, configuration(domains, whole, accessLog="none"))


def spellings(rule: str, count: int, seed: str):
    """Requests that a client makes to come past a rule."""
    if rule == "blacklist":
        yield from paths.spellings("/admin", count // 3, seed)
        yield from paths.spellings("/admin/x", count - count // 3, seed)
    elif rule == "whitelist":
        yield from paths.out_of("/public", "/admin/x", count, seed)
    elif rule == "route":
        yield from paths.out_of("/app1", "/app2/x", count // 2, seed)
        yield from paths.out_of("/app1", "/admin/x", count // 2, seed)
    else:
        yield from paths.out_of("", "/app2/x", count // 2, seed)
        yield from paths.out_of("", "/admin/x", count // 2, seed)


def is_secret(response) -> bool:
    """Whether the function answered with what the rule is to protect."""
    try:
        return response.status == 200 and response.json()["secret"] is True
    except (ValueError, KeyError, TypeError):
        return False


@pytest.mark.parametrize("rule", RULES)
def test_paths(served, rule, pytestconfig, summaries):
    count = pytestconfig.getoption("--cases") or (LONG if pytestconfig.getoption("--long") else SHORT)
    seed = f"{pytestconfig.getoption('--seed')} {served.name} {rule}"
    read = refused = total = 0
    failures = []
    for name, target in spellings(rule, count, seed):
        total += 1
        try:
            directly = served.direct("/app1" + target if rule == "base" and target.startswith("/") else target)
            read += is_secret(directly)
        except Broken:
            directly = None  # Some servers close the connection instead of answering 400.
        try:
            response = served.through(rule, target)
        except Broken as broken:
            failures.append(f"{target}: {broken} ({name})")
            continue
        if is_secret(response):
            failures.append(f"{target}: the function answers with its secret ({name})")
        elif response.status >= 500 and not (response.status == 502 and directly is None):
            failures.append(f"{target}: {response.status} ({name})")
        refused += 400 <= response.status < 500
    summaries.append(f"{served.name} {rule}: {total} paths, the secret directly for {read}, {refused} refused, {len(failures)} failed")
    assert not failures, "\n".join([f"{len(failures)} of {total}:", *failures[:40]])


@pytest.mark.parametrize(
    ("rule", "target", "authorized"),
    [
        *(("blacklist", target, False) for target in ("/", "/a/b", "/administrator", "/x/admin", "/a%20b", "/caf%C3%A9/x", "/a;v=1/b", "/a.b.c", "/a/", "/a%2Fb", "/~x/@y:z,$!")),
        *(("whitelist", target, False) for target in ("/public/", "/public/a/b", "/public/a;v=1", "/public/a%20b", "/public/%C3%A9", "/public/a.tar.gz", "/public/a/")),
        *(("whitelist", target, True) for target in ("/", "/a/b", "/a%2Fb", "/x;y/z")),
        *(("route", target, False) for target in ("/app1/", "/app1/a/b", "/app1/a.b", "/app1/a%20b")),
        *(("base", target, False) for target in ("/", "/a/b", "/a.b..c", "/a%20b")),
    ],
)  # fmt: skip
def test_honest_paths(served, rule, target, authorized):
    direct = served.direct(("/app1" if rule == "base" else "") + target)
    response = served.through(rule, target, authorized)
    assert (response.status, response.body) == (direct.status, direct.body)
    assert not is_secret(response)


@pytest.mark.parametrize("rule", ["blacklist", "whitelist"])
def test_the_secret_needs_a_token(served, rule):
    assert served.through(rule, "/admin/x").status == 401
    assert is_secret(served.through(rule, "/admin/x", authorized=True))
    assert is_secret(served.direct("/admin/x"))
