"""10 domains beside very many: memory, time to ready, latency, and what a reload does to it."""

import contextlib
import json
import random
import statistics
import time
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path

import paced
import tokens
from paced import Cpus, Seen
from served import Served, serving, wait_for

FEW = 10
# Making an RSA key takes a tenth of a second: so many are made, and domains have them in turn.
KEYS = 200
AUTHENTICATION = ["anonymous", "jwt"]


@dataclass
class Started:
    """A configuration that is served, and what it took."""

    domains: int
    authentication: str
    ready_seconds: float
    file_bytes: int
    loaded_kib: int
    """Resident after it was loaded."""
    peak_kib: int
    """The most that was resident until then."""
    served: Served
    requests: Path
    asked_kib: int = 0
    """Resident after each domain was asked."""
    runs: list[Seen] = field(default_factory=list)


@dataclass
class Reloads:
    """What was seen while reloads followed on each other."""

    runs: list[Seen]
    completed: int
    seconds: float
    """How long one took."""
    before_kib: int
    after_kib: int


@dataclass
class Domains:
    rate: int
    started: list[Started]
    reloads: Reloads

    def of(self, domains: int, authentication: str) -> Started:
        return next(it for it in self.started if (it.domains, it.authentication) == (domains, authentication))

    def bytes_for_each(self, value: str) -> float:
        """What a domain with a key takes, by the difference between many and few."""
        few, many = self.of(FEW, "jwt"), self.started[-1]
        return (getattr(many, value) - getattr(few, value)) * 1024 / (many.domains - few.domains)


def measure(options: Namespace, cpus: Cpus, directory: Path, upstream: int) -> Domains:
    issuers = [tokens.issuer("RS256", directory) for _ in range(FEW if options.smoke else KEYS)]
    with contextlib.ExitStack() as stack:
        started = []
        # Few first: what is measured of many is the difference.
        for domains in (FEW, options.domains):
            for authentication in AUTHENTICATION:
                configuration = directory / f"{domains}-{authentication}.json"
                configuration.write_text(written(domains, authentication, issuers, upstream))
                started.append(start(stack, cpus, configuration, domains, authentication, issuers))
        # The first requests load pages and fill tables; with many domains each is asked once.
        for it in started:
            warm_up(it, cpus, options.seconds)
        few = next(it for it in started if (it.domains, it.authentication) == (FEW, "jwt"))
        rate = int(paced.sent(cpus, few.served, few.requests, options.seconds).per_second / 2)
        for number in range(options.rounds):
            # Every other round in the opposite order, so that a drift hits all.
            for it in started[:: -1 if number % 2 else 1]:
                it.runs.append(paced.sent(cpus, it.served, it.requests, options.seconds, rate))
        return Domains(rate, started, reload(started[-1], options, cpus, rate))


def written(domains: int, authentication: str, issuers: list[tokens.Issuer], upstream: int) -> str:
    """The configuration, as JSON without spaces."""
    configuration = {
        # Every token is verified, so that the key of its domain is needed.
        "gateway": {"http": "127.0.0.1:0", "workers": 1, "verifiedTokenCacheBytes": 0},
        "admin": {"listen": "127.0.0.1:0"},
        "functions": [{"functionName": "upstream", "url": f"http://127.0.0.1:{upstream}"}],
        "customDomains": [
            domain(number, authentication, issuers[number % len(issuers)]) for number in range(domains)
        ],
    }
    return json.dumps(configuration, separators=(",", ":"))


def domain(number: int, authentication: str, issuer: tokens.Issuer) -> dict:
    document = {
        "domainName": host(number),
        "protocol": "HTTP",
        "routeConfig": {"routes": [{"path": "/*", "functionName": "upstream"}]},
        "authConfig": {"authType": authentication},
    }
    if authentication == "jwt":
        document["authConfig"]["authInfo"] = {
            "jwks": {"keys": [issuer.jwk]},
            "tokenLookup": "header:Authorization:Bearer",
            "claimPassBy": "header:sub:x-sub,header:name:x-name",
            "issuers": [tokens.ISSUER],
            "audiences": [tokens.AUDIENCE],
        }
    return document


def host(number: int) -> str:
    return f"d{number:06}.example.com"


def start(
    stack: contextlib.ExitStack,
    cpus: Cpus,
    configuration: Path,
    domains: int,
    authentication: str,
    issuers: list[tokens.Issuer],
) -> Started:
    served = stack.enter_context(serving(cpus.gateway, configuration))
    signed = [issuer.sign(number) for number, issuer in enumerate(issuers)]
    lines = [f"{host(number)} {signed[number % len(issuers)]}\n" for number in range(domains)]
    random.Random(domains).shuffle(lines)
    requests = configuration.with_suffix(".requests")
    requests.write_text("".join(lines))
    time.sleep(2)
    memory, peak = served.memory_kib(), served.peak_memory_kib()
    size = configuration.stat().st_size
    return Started(domains, authentication, served.ready_seconds, size, memory, peak, served, requests)


def warm_up(it: Started, cpus: Cpus, seconds: int) -> None:
    """Asks each domain, as fast as it goes."""
    answered = 0
    while answered < it.domains:
        answered += paced.sent(cpus, it.served, it.requests, seconds).load.requests
        if answered < it.domains and it.domains > FEW:
            # Each run begins with the first line.
            seconds = seconds * it.domains // answered + 1
            answered = 0
    it.asked_kib = it.served.memory_kib()


def reload(it: Started, options: Namespace, cpus: Cpus, rate: int) -> Reloads:
    """Reloads again and again while requests come at the rate."""
    before = it.served.memory_kib()
    runs, times, wanted = [], [], it.served.reloads()
    for _ in range(options.rounds):
        with paced.Measured(cpus.gateway, it.served) as measured:
            process = paced.start(cpus.load, it.served.port, it.requests, options.seconds, rate, paced.CONNECTIONS)
            while process.poll() is None:
                began, wanted = time.monotonic(), wanted + 1
                it.served.reload()
                wait_for(lambda: it.served.reloads() >= wanted, it.served.process)
                times.append(time.monotonic() - began)
            found = paced.result(process, options.seconds)
        runs.append(measured.seen(found))
    time.sleep(2)
    return Reloads(runs, len(times), statistics.median(times), before, it.served.memory_kib())
