"""What is measured: every proxy as it is started, and the check that it does its job."""

import http.client
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tokens

HOST = "api.example.com"
HERE = Path(__file__).parent
CLAIMGATE = os.environ["CLAIMGATE"]


@dataclass
class Target:
    """One row of the result."""

    proxy: str
    job: str
    """An algorithm, or `plain` for a pass-through."""
    command: Callable[[int], list]
    environment: dict
    is_logging: bool = False


def all_targets(issuers: list[tokens.Issuer], directory: Path, upstream: int) -> list[Target]:
    targets = [
        nginx_plain(directory, upstream),
        haproxy(None, directory, upstream),
        claimgate(None, directory, upstream),
    ]
    for issuer in issuers:
        targets += [haproxy(issuer, directory, upstream), claimgate(issuer, directory, upstream)]
    targets.append(claimgate(issuers[0], directory, upstream, is_logging=True))
    return targets


def claimgate(
    issuer: tokens.Issuer | None, directory: Path, upstream: int, is_logging: bool = False
) -> Target:
    job = issuer.algorithm if issuer else "plain"
    domain = {
        "domainName": HOST,
        "protocol": "HTTP",
        "routeConfig": {"routes": [{"path": "/*", "functionName": "upstream"}]},
    }
    if issuer:
        info = {
            "jwks": {"keys": [issuer.jwk]},
            "tokenLookup": "header:Authorization:Bearer",
            "claimPassBy": "header:sub:x-sub,header:name:x-name",
            "issuers": [tokens.ISSUER],
            "audiences": [tokens.AUDIENCE],
        }
        domain["authConfig"] = {"authType": "jwt", "authInfo": info}

    def command(port: int) -> list:
        file = directory / f"claimgate-{job}.json"
        configuration = {
            "gateway": {"http": f"127.0.0.1:{port}", "workers": 1},
            "admin": {"listen": "127.0.0.1:0"},
            "functions": [{"functionName": "upstream", "url": f"http://127.0.0.1:{upstream}"}],
            "customDomains": [domain],
        }
        file.write_text(json.dumps(configuration, indent=2))
        return [CLAIMGATE, "serve", "--config", file, "--log-format", "json"]

    environment = {"CLAIMGATE_LOG": "info" if is_logging else "warn"}
    return Target("claimgate", job, command, environment, is_logging)


def haproxy(issuer: tokens.Issuer | None, directory: Path, upstream: int) -> Target:
    names = {"UPSTREAM": upstream}
    if issuer:
        names |= {
            "ALGORITHM": issuer.algorithm,
            "ISSUER": tokens.ISSUER,
            "AUDIENCE": tokens.AUDIENCE,
            "KEY": issuer.haproxy_key,
        }
    template = "haproxy.cfg" if issuer else "haproxy-plain.cfg"

    def command(port: int) -> list:
        return ["haproxy", "-db", "-f", filled(template, directory, PORT=port, **names)]

    return Target("HAProxy", issuer.algorithm if issuer else "plain", command, {})


def nginx_plain(directory: Path, upstream: int) -> Target:
    def command(port: int) -> list:
        names = {"PORT": port, "UPSTREAM": upstream, "DIRECTORY": directory}
        return ["nginx", "-p", directory, "-c", filled("nginx-plain.conf", directory, **names)]

    return Target("nginx", "plain", command, {})


def upstream_command(directory: Path) -> Callable[[int], list]:
    def command(port: int) -> list:
        return ["nginx", "-p", directory, "-c", filled("upstream.conf", directory, PORT=port, DIRECTORY=directory)]

    return command


def filled(template: str, directory: Path, **names) -> Path:
    """A configuration file with its @NAMES@ filled in."""
    text = (HERE / template).read_text()
    for name, value in names.items():
        text = text.replace(f"@{name}@", str(value))
    file = directory / template
    file.write_text(text)
    return file


class NotTheSameJob(Exception):
    """A proxy lets through what it must refuse, or does not hand the claims over."""


def check(target: Target, port: int, issuer: tokens.Issuer, stranger: tokens.Issuer) -> None:
    """Fails unless the target does the whole job; `stranger` signs with another key."""
    good = issuer.sign(7)
    status, seen = request(port, good)
    expect(target, "a good token", status == 200, f"status {status}")
    if target.job == "plain":
        return
    expect(target, "the claims at the upstream", seen == "x-sub=user-000007\nx-name=John Snow 7\n", seen)
    head, payload, signature = good.split(".")
    refused = {
        "no token": None,
        "another issuer's signature": stranger.sign(7),
        "a changed signature": f"{head}.{payload}.{signature.swapcase()}",
        "another alg": issuer.mislabel(7, "HS384" if issuer.algorithm == "HS256" else "HS256"),
        "an expired token": issuer.sign(7, exp=1_000_000_000),
        "another iss": issuer.sign(7, iss="https://other.example.com"),
        "another aud": issuer.sign(7, aud="other.example.com"),
        "no iss": issuer.sign(7, iss=None),
        "no aud": issuer.sign(7, aud=None),
    }
    for what, token in refused.items():
        status, _ = request(port, token)
        expect(target, what, status == 401, f"status {status}")


def request(port: int, token: str | None) -> tuple[int, str]:
    """What a client gets who also claims to be somebody else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {"Host": HOST, "x-sub": "user-000001", "X-Name": "Night King"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request("GET", "/seen", headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def expect(target: Target, what: str, is_right: bool, found: str) -> None:
    if not is_right:
        raise NotTheSameJob(f"{target.proxy} {target.job}: {what}: not as it must be: {found!r}")
