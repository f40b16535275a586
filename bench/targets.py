"""What is measured: every proxy as it is started, and the check that it does its job."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tokens
from processes import free_port

HOST = "api.example.com"
HERE = Path(__file__).parent
CLAIMGATE = os.environ["CLAIMGATE"]
HAPROXY_ALGORITHMS = ["HS256", "RS256", "ES256"]


@dataclass
class Target:
    """A proxy at a job."""

    proxy: str
    job: str
    """An algorithm, or `plain` for a pass-through."""
    command: Callable[[int], list]
    environment: dict
    is_logging: bool = False
    metrics_port: int | None = None
    """Where the running claimgate answers /metrics."""
    is_http2_only: bool = False
    claims_in: str = "header"
    """The position that claims are mapped to: header or query."""


def claimgate(
    issuer: tokens.Issuer | None,
    directory: Path,
    upstream: int,
    is_logging: bool = False,
    cache_bytes: int | None = None,
    hosts: Sequence[str] = (HOST,),
    claims_in: str = "header",
) -> Target:
    """`cache_bytes` bounds the verified tokens that it remembers; without, claimgate's default does. Each of
    `hosts` is a domain. `claims_in` is the position of the claims: header or query."""
    job = issuer.algorithm if issuer else "plain"
    directory = folder(directory)
    domain = {
        "protocol": "HTTP",
        "routeConfig": {"routes": [{"path": "/*", "functionName": "upstream"}]},
    }
    if issuer:
        info = {
            "jwks": {"keys": [issuer.jwk]},
            "tokenLookup": "header:Authorization:Bearer",
            "claimPassBy": f"{claims_in}:sub:x-sub,{claims_in}:name:x-name",
            "issuers": [tokens.ISSUER],
            "audiences": [tokens.AUDIENCE],
        }
        domain["authConfig"] = {"authType": "jwt", "authInfo": info}

    def command(port: int) -> list:
        file = directory / f"claimgate-{job}.json"
        target.metrics_port = free_port()
        gateway = {"http": f"127.0.0.1:{port}", "workers": 1}
        if cache_bytes is not None:
            gateway["verifiedTokenCacheBytes"] = cache_bytes
        configuration = {
            "gateway": gateway,
            "admin": {"listen": f"127.0.0.1:{target.metrics_port}"},
            "functions": [{"functionName": "upstream", "url": f"http://127.0.0.1:{upstream}"}],
            "customDomains": [{"domainName": host} | domain for host in hosts],
        }
        file.write_text(json.dumps(configuration))
        return [CLAIMGATE, "serve", "--config", file, "--log-format", "json"]

    environment = {"CLAIMGATE_LOG": "info" if is_logging else "warn"}
    target = Target("claimgate", job, command, environment, is_logging, claims_in=claims_in)
    return target


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
    directory = folder(directory)

    def command(port: int) -> list:
        return ["haproxy", "-db", "-f", filled(template, directory, PORT=port, **names)]

    return Target("HAProxy", issuer.algorithm if issuer else "plain", command, {})


def node(issuer: tokens.Issuer, directory: Path, upstream: int) -> Target:
    directory = folder(directory)

    def command(port: int) -> list:
        file = directory / f"verifier-{issuer.algorithm}.json"
        rules = {
            "jwk": issuer.jwk,
            "algorithm": issuer.algorithm,
            "issuer": tokens.ISSUER,
            "audience": tokens.AUDIENCE,
        }
        file.write_text(json.dumps(rules))
        return ["node", HERE / "verifier.mjs", port, upstream, file]

    return Target("Node", issuer.algorithm, command, {"NODE_ENV": "production"})


def nginx_plain(directory: Path, upstream: int, is_http2: bool = False) -> Target:
    directory = folder(directory)

    def command(port: int) -> list:
        protocol = "http2" if is_http2 else ""
        names = {"PORT": port, "UPSTREAM": upstream, "DIRECTORY": directory, "PROTOCOL": protocol}
        return ["nginx", "-p", directory, "-c", filled("nginx-plain.conf", directory, **names)]

    return Target("nginx", "plain", command, {}, is_http2_only=is_http2)


def upstream_command(directory: Path) -> Callable[[int], list]:
    def command(port: int) -> list:
        return ["nginx", "-p", directory, "-c", filled("upstream.conf", directory, PORT=port, DIRECTORY=directory)]

    return command


def folder(directory: Path) -> Path:
    """One of a target's own, as several of a kind may be up."""
    return Path(tempfile.mkdtemp(dir=directory))


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
