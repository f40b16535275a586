"""Nobody gets another's claims, however the requests of many users mix."""

import asyncio
import random

import httpx
import pytest

from support.configuration import configuration, domain, jwt
from support.tokens import jwks, key

USERS = 20
ALGORITHMS = ["RS256", "ES256", "EdDSA", "HS256", "PS256"]
KEYS = [key(alg, alg) for alg in ALGORITHMS]


@pytest.fixture(scope="module")
def gateway(serve):
    auth = jwt(jwks(*KEYS), claim_pass_by="header:sub:x-sub,query:sub:uid,cookie:sub:cuid,form:sub:fuid")
    return serve(configuration([domain(auth=auth)], [{"functionName": "orders", "builtin": "echo"}]))


def users() -> list[tuple[str, str]]:
    names = [f"user-{number}" for number in range(USERS)]
    return [(name, KEYS[number % len(KEYS)].token({"sub": name})) for number, name in enumerate(names)]


async def ask(client: httpx.AsyncClient, user: str, token: str, good: bool, mark: str):
    """One request of a user, with another user's name in every place that a claim goes to."""
    headers = {"Host": "api.example.com", "X-Sub": "user-evil", "Cookie": "cuid=user-evil", "X-Mark": mark}
    target = f"/?uid=user-evil&mark={mark}"
    if not good:
        headers["Authorization"] = f"Bearer {token[:-8]}AAAAAAAA"
        response = await client.get(target, headers=headers)
        assert response.status_code == 401
        assert "user-" not in response.text
        return
    headers["Authorization"] = f"Bearer {token}"
    response = await client.post(target, headers=headers, data={"fuid": "user-evil", "mark": mark})
    assert response.status_code == 200, response.text
    echo = response.json()
    assert [value for name, value in echo["headers"] if name == "x-sub"] == [user]
    assert [value for name, value in echo["headers"] if name == "x-mark"] == [mark]
    assert sorted(echo["query"]) == sorted([["mark", mark], ["uid", user]])
    assert echo["cookies"] == [["cuid", user]]
    assert sorted(echo["form"]) == sorted([["fuid", user], ["mark", mark]])
    assert "user-evil" not in response.text


@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("requests", [2_000, pytest.param(60_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_interleaved_users(gateway, http2, requests):
    chance = random.Random(7)
    tasks = [(*pair, chance.random() < 0.8) for pair in users() for _ in range(requests // USERS)]
    chance.shuffle(tasks)

    async def everybody():
        limits = httpx.Limits(max_connections=2 if http2 else 40)
        options = {"http1": not http2, "http2": http2, "base_url": gateway.url(), "limits": limits, "trust_env": False}
        async with httpx.AsyncClient(timeout=60, **options) as client:
            slots = asyncio.Semaphore(40)

            async def one(number, task):
                async with slots:
                    await ask(client, *task, mark=f"m{number}")

            await asyncio.gather(*(one(number, task) for number, task in enumerate(tasks)))

    asyncio.run(everybody())
