"""What slow signatures do to the other requests of the same core."""

import json
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path

import paced
import tokens
from load import Load
from paced import Cpus, Seen
from served import serving
from targets import NotTheSameJob

# Room for some dozens of tokens: the one that is sent all the time stays, those that come in turn do not.
CACHE_BYTES = 16384
RATE = 500
CONNECTIONS = 16
SLOW_CONNECTIONS = 32
NEW = {"HS256": 4000, "ES512": 1000, "RS512": 500}
DOMAINS = {
    "HS256": "hs256.example.com",
    "RS256": "rs256.example.com",
    "ES512": "es512.example.com",
    "RS512": "rs512.example.com",
}


@dataclass
class Together:
    """What the two steady loads and the slow one saw at the same time."""

    hs256: Load
    remembered: Load
    slow: Load | None
    hit_rate: float
    """The share of the remembered token's requests that found it."""
    cpu: Seen


@dataclass
class Slow:
    alone: list[Together] = field(default_factory=list)
    beside: list[Together] = field(default_factory=list)


def measure(options: Namespace, cpus: Cpus, directory: Path, upstream: int) -> Slow:
    issuers = {
        algorithm: tokens.issuer(algorithm, directory, rsa_bits=4096 if algorithm == "RS512" else 2048)
        for algorithm in DOMAINS
    }
    requests = {}
    for name, algorithms in (("hs256", ["HS256"]), ("remembered", ["RS256"]), ("slow", ["ES512", "RS512"])):
        signed = [
            [f"{DOMAINS[algorithm]} {issuers[algorithm].sign(user)}\n" for user in range(NEW.get(algorithm, 1))]
            for algorithm in algorithms
        ]
        requests[name] = directory / f"slow-load-{name}.requests"
        requests[name].write_text("".join(mixed(signed)))
    configuration = directory / "slow-load.json"
    configuration.write_text(json.dumps(written(issuers, upstream)))
    slow = Slow()
    with serving(cpus.gateway, configuration) as served:
        for _ in range(options.rounds):
            slow.alone.append(together(options, cpus, served, requests, has_slow=False))
            slow.beside.append(together(options, cpus, served, requests, has_slow=True))
    return slow


def mixed(lists: list[list[str]]) -> list[str]:
    """All items, those of each list spread evenly."""
    placed = [((index + 0.5) / len(items), item) for items in lists for index, item in enumerate(items)]
    return [item for _, item in sorted(placed)]


def written(issuers: dict[str, tokens.Issuer], upstream: int) -> dict:
    return {
        "gateway": {"http": "127.0.0.1:0", "workers": 1, "verifiedTokenCacheBytes": CACHE_BYTES},
        "admin": {"listen": "127.0.0.1:0"},
        "functions": [{"functionName": "upstream", "url": f"http://127.0.0.1:{upstream}"}],
        "customDomains": [
            {
                "domainName": DOMAINS[algorithm],
                "protocol": "HTTP",
                "routeConfig": {"routes": [{"path": "/*", "functionName": "upstream"}]},
                "authConfig": {
                    "authType": "jwt",
                    "authInfo": {
                        "jwks": {"keys": [issuer.jwk]},
                        "tokenLookup": "header:Authorization:Bearer",
                        "claimPassBy": "header:sub:x-sub",
                    },
                },
            }
            for algorithm, issuer in issuers.items()
        ],
    }


def together(options: Namespace, cpus: Cpus, served, requests: dict[str, Path], has_slow: bool) -> Together:
    hits = served.metric("claimgate_token_cache_hits_total")
    with paced.Measured(cpus.gateway, served) as measured:
        started = {
            name: paced.start(
                cpus.load,
                served.port,
                file,
                options.seconds,
                None if name == "slow" else RATE,
                SLOW_CONNECTIONS if name == "slow" else CONNECTIONS,
            )
            for name, file in requests.items()
            if has_slow or name != "slow"
        }
        found = {name: paced.result(process, options.seconds) for name, process in started.items()}
    hits = served.metric("claimgate_token_cache_hits_total") - hits
    for name, load in found.items():
        if load.refused or load.broken:
            raise NotTheSameJob(f"{name}: {load}")
    remembered = found["remembered"]
    hit_rate = hits / remembered.requests
    if not options.smoke and not 0.9 < hit_rate < 1.2:
        raise NotTheSameJob(f"one token was to be remembered and the others not, found were {hits}: {remembered}")
    return Together(found["hs256"], remembered, found.get("slow"), hit_rate, measured.seen(remembered))
