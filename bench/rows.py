"""Which rows there are."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import targets
import tokens

CACHE_BYTES = {
    "one": None,
    "users": None,
    # Room for some dozens of tokens, of which thousands come in turn.
    "new": 16384,
    "uncached": 0,
}
# Who remembers no token pays the same for each workload.
FORGETFUL = "users"


@dataclass
class Row:
    """One row of the result."""

    part: str
    target: targets.Target
    workload: str
    algorithm: str
    """Whose tokens are sent; a pass-through gets the same bytes as the others."""
    is_beside: bool = False
    """A pass-through that stands beside the rows of its algorithm, to be compared with them."""

    @property
    def job(self) -> str:
        return self.target.job

    @property
    def name(self) -> str:
        logging = " with log" if self.target.is_logging else ""
        workload = f" {self.workload}" if self.remembers else ""
        rate = f" at the rate of {self.algorithm}" if self.part == "latency" and self.job == "plain" else ""
        beside = f" with tokens of {self.algorithm}" if self.is_beside else ""
        return f"{self.part} {self.job} {self.target.proxy}{workload}{logging}{rate}{beside}"

    @property
    def remembers(self) -> bool:
        return self.target.proxy == "claimgate" and self.job != "plain"


def all_rows(
    arguments: argparse.Namespace, issuers: dict[str, tokens.Issuer], directory: Path, upstream: int
) -> list[Row]:
    rows = []
    for part in arguments.parts:
        made = {"h1": http1, "h2": http2, "latency": latency}[part]
        rows += made(arguments, issuers, directory, upstream)
    return rows


def http1(arguments, issuers, *where) -> list[Row]:
    first = next(iter(issuers))
    rows = [Row("h1", target, FORGETFUL, first) for target in pass_throughs(*where)]
    for algorithm, issuer in issuers.items():
        rows += [Row("h1", targets.node(issuer, *where), FORGETFUL, algorithm)]
        rows += of_haproxy("h1", issuer, FORGETFUL, *where)
        rows += [Row("h1", targets.claimgate(None, *where), FORGETFUL, algorithm, is_beside=True)]
        rows += [of_claimgate("h1", issuer, workload, *where) for workload in arguments.workloads]
    logging = targets.claimgate(issuers[first], *where, is_logging=True)
    return [*rows, Row("h1", logging, "one", first)]


def http2(arguments, issuers, *where) -> list[Row]:
    rows = [Row("h2", target, "one", next(iter(issuers))) for target in pass_throughs(*where, is_http2=True)]
    for algorithm, issuer in issuers.items():
        rows += of_haproxy("h2", issuer, "one", *where)
        rows += [Row("h2", targets.claimgate(None, *where), "one", algorithm, is_beside=True)]
        rows += [of_claimgate("h2", issuer, workload, *where) for workload in one_token(arguments)]
    return rows


def latency(arguments, issuers, *where) -> list[Row]:
    rows = []
    for algorithm, issuer in issuers.items():
        rows += [Row("latency", target, "one", algorithm) for target in pass_throughs(*where)]
        rows += of_haproxy("latency", issuer, "one", *where)
        rows += [of_claimgate("latency", issuer, workload, *where) for workload in one_token(arguments)]
    return rows


def one_token(arguments) -> list[str]:
    """The workloads that one token can make."""
    return [name for name, wanted in (("one", "one"), ("uncached", "new")) if wanted in arguments.workloads]


def of_claimgate(part: str, issuer: tokens.Issuer, workload: str, *where) -> Row:
    target = targets.claimgate(issuer, *where, cache_bytes=CACHE_BYTES[workload])
    return Row(part, target, workload, issuer.algorithm)


def of_haproxy(part: str, issuer: tokens.Issuer, workload: str, *where) -> list[Row]:
    if issuer.algorithm not in targets.HAPROXY_ALGORITHMS:
        return []
    return [Row(part, targets.haproxy(issuer, *where), workload, issuer.algorithm)]


def pass_throughs(*where, is_http2: bool = False) -> list[targets.Target]:
    return [
        targets.nginx_plain(*where, is_http2=is_http2),
        targets.haproxy(None, *where),
        targets.claimgate(None, *where),
    ]
