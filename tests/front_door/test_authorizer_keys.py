"""Keys of an authorizer: published before they sign, and until their last token has expired."""

import json
import os
import pwd
import random
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support.authorizer import Authorizer
from support.command import check_refusal, claimgate
from support.gateway import BINARY
from support.tokens import b64u_decode


def kid_of(token: str) -> str:
    return json.loads(b64u_decode(token.split(".")[0]))["kid"]


def key_files(login: Authorizer) -> dict[str, dict]:
    return {file.name: json.loads(file.read_text()) for file in login.keys.glob("*.jwk.json")}


@pytest.fixture
def pair(authorizer, tmp_path):
    """Two authorizers that share a folder of keys and start at the same time."""

    def start(**keys) -> list[Authorizer]:
        shared = {"folder": str(tmp_path / "keys"), "algorithm": "EdDSA", **keys}
        started = [None, None]

        def one(number):
            started[number] = authorizer(keys=shared)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert all(started)
        return started

    return start


def test_the_first_start_makes_one_key_for_all(pair):
    first, second = pair()
    assert first.jwks() == second.jwks() and len(first.key_ids()) == 1
    [(name, key)] = key_files(first).items()
    assert name == f"{first.key_ids()[0]}.jwk.json"
    assert key["nbf"] == key["iat"] and abs(key["nbf"] - time.time()) < 60
    assert (first.keys / name).stat().st_mode & 0o777 == 0o600
    assert first.keys.stat().st_mode & 0o777 == 0o700
    for signing, verifying in [(first, second), (second, first)]:
        assert verifying.claims(signing.token())["sub"] == "snow"


def test_a_rotation_reaches_running_authorizers_and_no_token_is_lost(pair):
    both = pair(publishAheadSeconds=3)
    [old] = both[0].key_ids()
    tokens = [login.token() for login in both]
    told = both[0].rotate()
    assert told.code == 0 and "published and signs in 3 s" in told.text
    new = told.text.split()[0]
    for login in both:
        login.wait_until(lambda login=login: set(login.key_ids()) == {old, new})
    # Everybody who holds these keys can verify whatever is signed from now on.
    held = [login.jwks() for login in both]
    for login in both:
        login.wait_until(lambda login=login: kid_of(login.token()) == new)
        tokens.append(login.token())
        assert {key["kid"] for key in login.jwks()["keys"]} == {old, new}
    assert all({key["kid"] for key in jwks["keys"]} == {old, new} for jwks in held)
    assert {kid_of(token) for token in tokens} == {old, new}
    for token in tokens:
        assert [login.claims(token)["sub"] for login in both] == ["snow", "snow"]


def test_a_key_is_published_ahead_and_a_second_rotation_waits(authorizer):
    login = authorizer(keys={"folder": "keys", "algorithm": "EdDSA", "publishAheadSeconds": 300})
    [old] = login.key_ids()
    new = login.rotate().text.split()[0]
    login.wait_until(lambda: len(login.key_ids()) == 2)
    assert kid_of(login.token()) == old
    assert login.get("/.well-known/jwks.json").headers["cache-control"] == "public, max-age=150"
    check_refusal(login.rotate(), 1, new, "published already and signs in", "--now")
    assert len(key_files(login)) == 2

    at_once = login.rotate("--now")
    assert at_once.code == 0 and "signs from now on" in at_once.text
    login.wait_until(lambda: kid_of(login.token()) == at_once.text.split()[0])
    assert len(login.key_ids()) == 3


def test_a_disclosed_key_is_gone_when_its_file_is(authorizer):
    login = authorizer()
    [old] = login.key_ids()
    disclosed = login.token()
    login.secrets |= login.private_members()
    new = login.rotate("--now").text.split()[0]
    (login.keys / f"{old}.jwk.json").unlink()
    login.wait_until(lambda: login.key_ids() == [new])
    assert kid_of(login.token()) == new
    with pytest.raises(Exception, match="Unable to find a signing key"):
        login.claims(disclosed)


def age(file: Path, seconds: int):
    """Makes a key as if it had begun to sign so long before."""
    key = json.loads(file.read_text())
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps({**key, "nbf": key["nbf"] - seconds}))
    new.replace(file)


def test_a_key_whose_last_token_has_expired_is_over(authorizer):
    login = authorizer(tokenLifetimeSeconds=600)
    [first] = login.key_ids()
    age(login.keys / f"{first}.jwk.json", 10_000)
    second = login.rotate("--now").text.split()[0]
    login.wait_until(lambda: set(login.key_ids()) == {first, second})

    # The second key has signed for longer than tokens of the first were good.
    for seconds, is_published in [(600 + 300, True), (100, False)]:
        start = len(login.log)
        age(login.keys / f"{second}.jwk.json", seconds)
        login.wait_for_log(lambda line: line["message"] == "keys loaded", start)
        assert (first in login.key_ids()) == is_published
    assert (login.keys / f"{first}.jwk.json").exists()
    told = login.rotate()
    assert f"{first}.jwk.json is removed" in told.text
    assert not (login.keys / f"{first}.jwk.json").exists()


def test_what_is_no_key_is_told_and_the_others_work(authorizer):
    login = authorizer()
    [kid] = login.key_ids()
    (login.keys / "broken.jwk.json").write_text('{"kty":"OKP","d":"c2VjcmV0LW9mLWEtYnJva2VuLWtleQ"}')
    (login.keys / "notes.txt").write_text("notes")
    (login.keys / f"{kid}.jwk.json").chmod(0o644)
    login.secrets.add("c2VjcmV0LW9mLWEtYnJva2VuLWtleQ")
    login.wait_for_log(lambda line: "broken.jwk.json" in line["message"] and line["level"] == "ERROR")
    login.wait_for_log(lambda line: "notes.txt is no key" in line["message"])
    login.wait_for_log(lambda line: "it should be 600" in line["message"] and kid in line["message"])
    assert login.key_ids() == [kid] and login.token()

    # Without any key the last good ones stay.
    (login.keys / f"{kid}.jwk.json").rename(login.keys / "elsewhere")
    login.wait_for_log(lambda line: "keys refused, the last good ones stay" in line["message"])
    assert login.claims(login.token())["sub"] == "snow"
    assert login.metrics()['claimgate_authorizer_last_reload_good{what="keys"}'] == 0
    (login.keys / "elsewhere").rename(login.keys / f"{kid}.jwk.json")
    login.wait_until(lambda: login.metrics()['claimgate_authorizer_last_reload_good{what="keys"}'] == 1)


def test_two_rotations_at_once_make_one_key(authorizer):
    login = authorizer()
    results = []
    threads = [threading.Thread(target=lambda: results.append(login.rotate())) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(result.code for result in results) == [0, 1, 1, 1, 1, 1]
    assert len(key_files(login)) == 2


def test_a_rotation_that_is_killed_leaves_the_old_or_the_new_state(authorizer):
    # RSA, whose keys take a while to make.
    login = authorizer(keys={"folder": "keys", "algorithm": "RS256"})
    command = [str(BINARY), "authorizer", "rotate", "--now", "--config", str(login.file)]
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    whole = time.monotonic() - started
    chance = random.Random(7)
    known, killed = set(key_files(login)), 0
    for _ in range(30):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * chance.random())
        process.kill()
        killed += process.wait() == -9
        files = key_files(login)
        assert known <= set(files) and len(files) <= len(known) + 1
        known = set(files)
        for name, key in files.items():
            assert name == f"{key['kid']}.jwk.json" and {"nbf", "iat", "d", "qi"} <= set(key)
            assert (login.keys / name).stat().st_mode & 0o777 == 0o600
    assert killed > 0
    login.wait_until(lambda: {f"{kid}.jwk.json" for kid in login.key_ids()} == known)
    assert login.rotate("--now").code == 0
    assert {file.name for file in login.keys.iterdir()} == {".lock", *key_files(login)}


def test_a_change_of_algorithm_waits_for_the_next_rotation(authorizer, tmp_path):
    first = authorizer(keys={"folder": str(tmp_path / "keys"), "algorithm": "EdDSA"})
    second = authorizer(keys={"folder": str(tmp_path / "keys"), "algorithm": "ES256"})
    second.wait_for_log(lambda line: "the key that signs is for EdDSA, keys.algorithm is ES256" in line["message"])
    assert second.claims(second.token())["sub"] == "snow"
    assert second.rotate("--now").code == 0
    for login in (first, second):
        login.wait_until(lambda login=login: {key["alg"] for key in login.jwks()["keys"]} == {"EdDSA", "ES256"})
        assert login.claims(login.token())["sub"] == "snow"
    algorithms = first.get("/.well-known/openid-configuration").json()["id_token_signing_alg_values_supported"]
    assert algorithms == ["ES256", "EdDSA"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_what_root_rotates_belongs_to_the_owner_of_the_folder(authorizer):
    login = authorizer()
    nobody = pwd.getpwnam("nobody")
    for path in [login.keys, *login.keys.iterdir()]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    assert login.rotate().code == 0
    assert len(key_files(login)) == 2
    for path in login.keys.iterdir():
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (nobody.pw_uid, 0o600), path


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "keys").write_text("a file")
    (tmp_path / "users.yaml").write_text("users: []")
    config = tmp_path / "authorizer.yaml"
    config.write_text("issuer: http://localhost\nkeys: {folder: keys}\nusers: {file: users.yaml}\nlisten: 127.0.0.1:0\n")
    check_refusal(claimgate("authorizer", "rotate", "--config", config), 2, "cannot use the folder", "keys")
    result = claimgate("authorizer", "--config", config)
    assert result.code == 1 and "cannot use the folder" in result.err.splitlines()[-1]
