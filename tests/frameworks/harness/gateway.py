"""The gateway in front of all functions."""

from pathlib import Path

from support.configuration import configuration, domain, function, jwt
from support.gateway import Gateway
from support.tokens import jwks, key

KEY = key("ES256")
MAPPINGS = {"header": "header:sub:X-Uid", "query": "query:sub:uid", "form": "form:sub:fuid", "cookie": "cookie:sub:cuid"}
#: The name of the function that only records what it receives.
RECORDER = "recorder"
#: What a domain maps, by the first label of its name.
HOSTS = {"all": tuple(MAPPINGS), "forward": tuple(MAPPINGS), "query": ("query",), "cookie": ("cookie",), "header": ("header",)}


def start(folder: Path, ports: dict[str, int], forwards: bool) -> Gateway:
    """One process with the hosts of each function; `forwards` says whether it knows `otherBodies`."""
    domains = []
    for name in ports:
        for host, positions in HOSTS.items():
            more = {"otherBodies": "forward"} if host == "forward" and forwards else {}
            auth = jwt(jwks(KEY), claim_pass_by=",".join(MAPPINGS[p] for p in positions), whitelist=["/open/*"], **more)
            domains.append(domain(host_name(host, name), [{"path": "/*", "functionName": name}], auth))
    functions = [function(f"http://127.0.0.1:{port}", name) for name, port in ports.items()]
    return Gateway(folder, configuration(domains, functions, accessLog="none"))


def host_name(host: str, framework: str) -> str:
    return f"{host}.{framework}.test"


def token(claims: dict) -> bytes:
    return KEY.token(claims).encode()
