"""The gateway is killed in the middle of writes: what was acknowledged is there afterwards, and nothing is half."""

import json
import random
import threading
import time

import httpx
import pytest

from support.api import Api, with_access_keys
from support.configuration import configuration, domain, function, jwt
from support.gateway import Gateway
from support.tokens import jwks, key

KEY = key("ES256")


def document(name: str, version: int) -> dict:
    """Long enough that a write takes several pages of the database."""
    audiences = [f"audience-{version}-{number:04}" for number in range(200)]
    return domain(name, auth=jwt(jwks(KEY), audiences=audiences))


def crash(folder, file_of, rounds: int):
    random_numbers = random.Random(7)
    state: dict[str, dict] = {}
    version = 0
    for round in range(rounds):
        gateway = Gateway(folder, file_of)
        api = Api(gateway)
        served = {}
        for shown in api("GET", "/custom-domains", query="limit=1000&prefix=d").json()["documents"]:
            served[shown["name"]] = shown["document"]
        if round:
            assert_nothing_is_lost(state, served, under_way)
        state = served
        under_way: dict[str, dict | None] = {}
        stopped, is_well_under_way = threading.Event(), threading.Event()
        first = version

        def write():
            nonlocal version
            while not stopped.is_set():
                version += 1
                if version == first + 3:
                    is_well_under_way.set()
                name = f"d{random_numbers.randrange(20)}.example.com"
                deletes = name in state and random_numbers.random() < 0.3
                wanted = None if deletes else document(name, version)
                under_way.clear()
                under_way[name] = wanted
                try:
                    answer = api("DELETE" if deletes else "PUT", f"/custom-domains/{name}", wanted)
                except httpx.HTTPError:
                    return
                assert answer.status_code in (200, 201, 204), answer.text
                if deletes:
                    del state[name]
                else:
                    state[name] = wanted
                under_way.clear()

        writer = threading.Thread(target=write)
        writer.start()
        if round % 2:
            # However slow the machine is; in the other rounds a start may be hit.
            assert is_well_under_way.wait(60)
        time.sleep(random_numbers.uniform(0, 0.06))
        gateway.process.kill()
        stopped.set()
        writer.join()
        gateway.process.wait()
    assert version > rounds


def assert_nothing_is_lost(state, served, under_way):
    for name in set(state) | set(served):
        there, acknowledged = served.get(name), state.get(name)
        if there != acknowledged:
            assert name in under_way and there == under_way[name], (name, json.dumps(there)[:200])


@pytest.fixture
def folder_and_file(recorder, tmp_path):
    declared = configuration([], [function(recorder.url)])
    return tmp_path, {**with_access_keys(declared, tmp_path), "store": {"sqlite": "claimgate.db"}}


def test_what_was_acknowledged_survives_30_kills(folder_and_file):
    crash(*folder_and_file, rounds=30)


@pytest.mark.long
def test_what_was_acknowledged_survives_300_kills(folder_and_file):
    crash(*folder_and_file, rounds=300)
