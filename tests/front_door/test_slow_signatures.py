"""Signatures that are slow to verify are checked beside the other requests of their thread, not before them."""

import re

import httpx
import pytest

from support import http1
from support.configuration import configuration, domain, jwt
from support.tokens import b64u, jwks, key

HELLO = {"functionName": "orders", "builtin": "echo"}
FAST, SLOW = key("HS256", "fast"), key("ES512", "slow")
#: More than the queue holds.
FLOOD = 700


@pytest.fixture
def gateway(serve):
    auth = jwt(jwks(FAST, SLOW), claim_pass_by="header:sub:x-sub")
    return serve(configuration([domain(auth=auth)], [HELLO], workers=1))


def waiting_and_refused(gateway) -> tuple[int, int]:
    text = httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics", trust_env=False).text
    found = {name: int(value) for name, value in re.findall(r"^claimgate_slow_signatures_(\w+) (\d+)$", text, re.M)}
    return found["waiting"], found["refused_total"]


def forged(number: int) -> str:
    header, payload, _ = SLOW.token({"sub": f"user-{number}"}).split(".")
    return f"{header}.{payload}.{b64u(number.to_bytes(66) + bytes([1]) * 66)}"


def request(token: str) -> bytes:
    return http1.head("GET", "/", [("Host", "api.example.com"), ("Authorization", f"Bearer {token}")])


def test_slow_tokens_are_judged_as_others_are(gateway):
    for key in (SLOW, FAST):
        seen = gateway.get(token=key.token({"sub": "user"})).json()
        assert ["x-sub", "user"] in seen["headers"]
    for token, reason in [(forged(1), "bad_signature"), (SLOW.token({"exp": 1}), "expired")]:
        refused = gateway.get(token=token)
        assert (refused.status, gateway.access_line(refused)["reason"]) == (401, reason)
    assert waiting_and_refused(gateway) == (0, 0)


def test_a_flood_of_slow_tokens_leaves_the_others_answered(gateway):
    requests = [request(forged(number)) for number in range(FLOOD)]
    fast = FAST.token({"sub": "user"})
    connections = [gateway.connect() for _ in requests]
    try:
        for connection, bytes_ in zip(connections, requests, strict=True):
            connection.send(bytes_)
        # On the flood's thread, in turn with it: answered while slow signatures still wait.
        overtaking = 0
        while waiting_and_refused(gateway)[0] > 0:
            assert gateway.get(token=fast).status == 200
            overtaking += waiting_and_refused(gateway)[0] > 0
        statuses = {}
        for connection in connections:
            status = connection.receive_head().status
            statuses[status] = statuses.get(status, 0) + 1
    finally:
        for connection in connections:
            connection.close()
    waiting, refused = waiting_and_refused(gateway)
    assert overtaking > 0
    assert waiting == 0 and statuses.get(503, 0) == refused
    assert statuses.get(401, 0) == FLOOD - refused
    assert gateway.get(token=SLOW.token({"sub": "user"})).status == 200


def test_clients_that_go_away_leave_nothing_behind(gateway):
    before = waiting_and_refused(gateway)[1]
    for number in range(50):
        with gateway.connect() as connection:
            connection.send(request(forged(number)))
    assert gateway.get(token=SLOW.token({"sub": "patient"})).status == 200
    assert waiting_and_refused(gateway) == (0, before)
