"""Tokens that were verified before are not verified again, as long as nothing about them has changed."""

import re
import time

import httpx
import pytest

from support.configuration import configuration, domain, jwt
from support.tokens import jwks, key

HELLO = {"functionName": "orders", "builtin": "echo"}
ONE, OTHER = key("ES256", "one"), key("ES256", "other")


def auth(*keys, **more) -> dict:
    return jwt(jwks(*keys), claim_pass_by="header:sub:x-sub,query:n:n,form:sub:who", **more)


@pytest.fixture
def start(serve):
    return lambda *domains, **gateway: serve(configuration(list(domains), [HELLO], workers=1, **gateway))


def cache(gateway) -> dict[str, float]:
    text = httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics", trust_env=False).text
    return {name: float(value) for name, value in re.findall(r"^claimgate_token_cache_(\w+) (\S+)$", text, re.M)}


def test_the_second_request_finds_the_token_and_its_claims(start):
    gateway = start(domain(auth=auth(ONE)))
    tokens = [ONE.token({"sub": f"user-{number}", "n": number}) for number in range(3)]
    form = [("Content-Type", "application/x-www-form-urlencoded"), ("X-Sub", "evil")]
    for _ in range(4):
        for number, token in enumerate(tokens):
            seen = gateway.post("/?n=evil", token=token, headers=form, body=b"who=evil&a=b").json()
            assert ["x-sub", f"user-{number}"] in seen["headers"] and ["x-sub", "evil"] not in seen["headers"]
            assert seen["query"] == [["n", str(number)]]
            assert seen["form"] == [["who", f"user-{number}"], ["a", "b"]]
    found = cache(gateway)
    assert (found["hits_total"], found["misses_total"], found["evictions_total"]) == (9, 3, 0)
    assert 3 * 256 <= found["bytes"] <= 3 * 1024


def test_a_changed_token_is_another_token(start):
    gateway = start(domain(auth=auth(ONE)))
    token = ONE.token({"sub": "user"})
    assert gateway.get(token=token).status == 200
    for place in (3, len(token) // 2, len(token) - 20):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert gateway.get(token=changed).status == 401
    assert gateway.get(token=token).status == 200
    assert cache(gateway)["hits_total"] == 1


def test_a_token_of_one_domain_is_none_of_another(start):
    first, second = domain("a.example.com", auth=auth(ONE)), domain("b.example.com", auth=auth(OTHER))
    third = domain("c.example.com", auth=auth(ONE, audiences=["c"]))
    gateway = start(first, second, third)
    token = ONE.token({"sub": "user"})
    for _ in range(2):
        statuses = [gateway.get(token=token, host=f"{name}.example.com").status for name in "abc"]
        assert statuses == [200, 401, 401]
    assert cache(gateway)["hits_total"] == 1


def test_a_changed_configuration_forgets_every_token_at_once(start):
    gateway = start(domain(auth=auth(ONE, OTHER)))
    token = ONE.token({"sub": "user"})
    assert [gateway.get(token=token).status for _ in range(2)] == [200, 200]
    before = len(gateway.log)
    gateway.write(configuration([domain(auth=auth(OTHER))], [HELLO], workers=1))
    gateway.wait_for_log(lambda line: line.get("message") == "configuration reloaded", before)
    refused = gateway.get(token=token)
    assert refused.status == 401
    assert gateway.access_line(refused)["reason"] == "unknown_key_id"


@pytest.mark.parametrize(("claims", "reason"), [({"exp": 1}, "expired"), ({"nbf": 4_000_000_000}, "not_yet_valid")])
def test_a_refused_token_is_not_kept(start, claims, reason):
    gateway = start(domain(auth=auth(ONE)))
    token = ONE.token(claims)
    for _ in range(2):
        refused = gateway.get(token=token)
        assert gateway.access_line(refused)["reason"] == reason
    assert cache(gateway)["bytes"] == 0


def test_a_token_that_expires_while_it_is_kept_is_refused(start):
    gateway = start(domain(auth=auth(ONE)))
    expiry = int(time.time()) + 2
    token = ONE.token({"sub": "user", "exp": expiry})
    statuses = []
    while not statuses or statuses[-1] == 200:
        statuses.append(gateway.get(token=token).status)
        assert time.time() < expiry + 10
    assert statuses[-1] == 401 and time.time() >= expiry
    assert cache(gateway)["hits_total"] > 0


def test_the_memory_is_bounded(start):
    gateway = start(domain(auth=auth(ONE)), verifiedTokenCacheBytes=20_000)
    tokens = [ONE.token({"sub": f"user-{number}"}) for number in range(100)]
    for token in tokens:
        assert gateway.get(token=token).status == 200
    found = cache(gateway)
    assert found["bytes"] <= 20_000 and found["evictions_total"] > 0
    assert all(gateway.get(token=token).status == 200 for token in tokens)


def test_it_can_be_turned_off(start):
    gateway = start(domain(auth=auth(ONE)), verifiedTokenCacheBytes=0)
    token = ONE.token({"sub": "user"})
    assert [gateway.get(token=token).status for _ in range(3)] == [200] * 3
    assert cache(gateway) == {"hits_total": 0, "misses_total": 0, "evictions_total": 0, "bytes": 0}
