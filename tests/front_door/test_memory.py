"""What the process holds in memory, after many requests and many changes."""

import subprocess
import time

import pytest

from support.api import Api, with_access_keys
from support.configuration import configuration, domain, jwt
from support.tokens import jwks, key

KEY = key("ES256")
REQUESTS, CHANGES, ROUNDS = 200_000, 2_000, 20


def send(gateway, count: int):
    """With a token that is remembered, one that is refused and none, over HTTP/1.1."""
    address = f"http://{gateway.address[0]}:{gateway.address[1]}/"
    for token in (KEY.token({"sub": "ann"}), "x", None):
        options = ["--header", f"authorization: Bearer {token}"] if token else []
        command = ["h2load", "--h1", "-n", str(count // 3), "-c", "10", "--header", "host: api.example.com", *options, address]
        subprocess.run(command, check=True, capture_output=True, timeout=300)


def settled(gateway) -> int:
    """When it falls no more: memory that is free is given back some seconds later."""
    memory = gateway.memory()
    for _ in range(30):
        time.sleep(1)
        before, memory = memory, gateway.memory()
        if memory >= before:
            break
    return memory


@pytest.mark.long
def test_memory_does_not_grow_with_requests_and_changes(serve, tmp_path):
    stored = {"store": {"sqlite": str(tmp_path / "claimgate.db")}}
    settings = configuration([domain(auth=jwt(jwks(KEY)))], [{"functionName": "orders", "builtin": "echo"}], accessLog="none")
    gateway = serve(with_access_keys(settings | stored, tmp_path))
    api = Api(gateway)
    send(gateway, 2_000)
    first = settled(gateway)
    measured = []
    for round in range(ROUNDS):
        for change in range(CHANGES // ROUNDS // 2):
            name = f"{round}-{change}.example.net"
            document = domain(name, auth=jwt(jwks(KEY)))
            assert api("PUT", f"/custom-domains/{name}", document).status_code == 201
            assert gateway.get("/", host=name).status == 401
            assert api("DELETE", f"/custom-domains/{name}").status_code == 204
        send(gateway, REQUESTS // ROUNDS)
        measured.append(gateway.memory())
    last = settled(gateway)
    assert last < first * 1.1, f"{first} bytes became {last}, by way of {measured}"
