"""`claimgate store`: backup and restore of a gateway's database."""

import base64
import json
import os
import shutil
import sqlite3
import stat

import pytest
import yaml

from support.command import check_refusal, claimgate, good
from support.configuration import configuration, domain, function
from support.gateway import Gateway

SECRET = "the-secret-of-an-editor-0123456789"


@pytest.fixture(scope="module")
def declared(recorder, tmp_path_factory) -> dict:
    secret = tmp_path_factory.mktemp("secret") / "editor"
    secret.write_text(SECRET)
    declared = configuration([], [function(recorder.url)])
    declared["admin"]["accessKeys"] = [{"accessKeyId": "editor", "accessKeySecretFile": str(secret), "role": "editor"}]
    return {**declared, "store": {"sqlite": "claimgate.db"}}


def apply(gateway, folder, name: str):
    file = folder / "domain.yaml"
    file.write_text(yaml.safe_dump(domain(name)))
    endpoint = f"http://{gateway.admin[0]}:{gateway.admin[1]}"
    env = {"CLAIMGATE_ENDPOINT": endpoint, "CLAIMGATE_ACCESS_KEY_ID": "editor", "CLAIMGATE_ACCESS_KEY_SECRET": SECRET}
    good("domain", "apply", "-f", file, env={**env, "HOME": str(folder)})


def test_a_gateway_serves_what_was_backed_up_while_another_one_ran(serve, recorder, declared, tmp_path):
    gateway = serve(declared, recorder)
    apply(gateway, tmp_path, "before.example.com")
    backup = tmp_path / "backup.db"
    done = claimgate("store", "backup", "--config", gateway.file, backup)
    assert (done.code, done.out) == (0, b"")
    key = gateway.file.parent / "claimgate.key"
    assert done.err == f"claimgate: {backup} is encrypted with {key}; keep that too, and not in the same place\n"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    apply(gateway, tmp_path, "after.example.com")
    check_refusal(claimgate("store", "backup", "--config", gateway.file, backup), 2, "nothing is overwritten")
    check_refusal(claimgate("store", "restore", "--config", gateway.file, backup), 2, "claimgate.db is there already")

    folder = tmp_path / "restored"
    folder.mkdir()
    config = folder / "claimgate.yaml"
    config.write_text(json.dumps(declared))
    restore = ("store", "restore", "--config", config, backup)
    check_refusal(claimgate(*restore), 2, "the key of the store is missing")
    (folder / "claimgate.key").write_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    (folder / "claimgate.key").chmod(0o600)
    check_refusal(claimgate(*restore), 1, "another key")
    shutil.copy(key, folder)
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(backup.read_bytes()[:-4096])
    check_refusal(claimgate(*restore[:-1], damaged), 2, "damaged")
    assert not (folder / "claimgate.db").exists()
    assert good(*restore) == ""

    restored = serve({**declared, "store": {"sqlite": str(folder / "claimgate.db")}}, recorder)
    assert restored.get(host="before.example.com").status == 200
    assert restored.get(host="after.example.com").status == 404


def database(folder):
    """Which files of a database are there."""
    return {file.name for file in folder.iterdir() if file.name.startswith("claimgate.")} - {"claimgate.yaml"}


@pytest.mark.parametrize("key", ["made beside it", "configured", "in the environment"])
@pytest.mark.parametrize("state", ["missing", "empty", "emptied"])
def test_a_store_that_is_gone_is_no_new_one(serve, recorder, declared, tmp_path, key, state):
    env = {}
    text = base64.b64encode(bytes(32)).decode()
    if key == "configured":
        (tmp_path / "its-key").write_text(text)
        (tmp_path / "its-key").chmod(0o600)
        declared = {**declared, "store": {**declared["store"], "keyFile": str(tmp_path / "its-key")}}
    elif key == "in the environment":
        env = {"CLAIMGATE_STORE_KEY": text}
    gateway = serve(declared, recorder, env=env)
    folder = gateway.file.parent
    apply(gateway, tmp_path, "before.example.com")
    gateway.stop()
    kept = (folder / "claimgate.db").read_bytes()
    (folder / "claimgate.db").unlink()
    if state == "empty":
        (folder / "claimgate.db").touch()
    elif state == "emptied":
        other = sqlite3.connect(folder / "claimgate.db")
        other.execute("VACUUM")
        other.close()
    before = database(folder)
    for command in [("serve",), ("check", "--store")]:
        refused = claimgate(*command, "--config", gateway.file, env={**os.environ, **env})
        words = "empty" if state != "missing" else "missing"
        assert refused.code == 1 and words in refused.err, refused
        assert "claimgate store restore" in refused.err and "claimgate store init" in refused.err, refused
        assert "sign-in" not in refused.err
    assert database(folder) == before

    (folder / "claimgate.db").write_bytes(kept)
    again = Gateway(folder, declared, recorder, env=env)
    assert again.get(host="before.example.com").status == 200
    assert again.stop() == 0
    refused = claimgate("store", "init", "--config", gateway.file, env={**os.environ, **env})
    check_refusal(refused, 2, "is there and holds something")
    (folder / "claimgate.db").unlink()
    made = claimgate("store", "init", "--config", gateway.file, env={**os.environ, **env})
    assert made.code == 0, made
    again = Gateway(folder, declared, recorder, env=env)
    assert again.get(host="before.example.com").status == 404
    assert again.stop() == 0


def test_a_key_that_was_put_there_for_a_new_store_is_taken(serve, recorder, declared, tmp_path):
    (tmp_path / "its-key").write_text(base64.b64encode(bytes(32)).decode())
    (tmp_path / "its-key").chmod(0o600)
    declared = {**declared, "store": {**declared["store"], "keyFile": str(tmp_path / "its-key")}}
    gateway = serve(declared, recorder)
    assert database(gateway.file.parent) >= {"claimgate.db", "claimgate.db.made"}


def test_a_first_start_that_was_cut_off_is_gone_on_with(serve, recorder, declared, tmp_path):
    text = base64.b64encode(bytes(range(32))).decode()
    (tmp_path / "claimgate.key.new").write_text(text)
    (tmp_path / "claimgate.key.new").chmod(0o600)
    gateway = Gateway(tmp_path, declared, recorder)
    assert gateway.stop() == 0
    assert (tmp_path / "claimgate.key").read_text() == text
    assert database(tmp_path) == {"claimgate.db", "claimgate.db.made", "claimgate.key"}


def test_all_of_a_store_is_in_its_one_file_after_an_orderly_stop(serve, recorder, declared, tmp_path):
    gateway = serve(declared, recorder)
    names = [f"d{number}.example.com" for number in range(5)]
    for name in names:
        apply(gateway, tmp_path, name)
    gateway.stop()
    folder = gateway.file.parent
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in ("claimgate.db", "claimgate.key"):
        shutil.copy(folder / file, copy)
    copied = Gateway(copy, declared, recorder)
    assert [copied.get(host=name).status for name in names] == [200] * 5
    assert copied.stop() == 0


def test_what_has_no_database_is_told(recorder, declared, tmp_path):
    config = tmp_path / "claimgate.yaml"
    for store, words in [
        (None, "has no store"),
        ({"etcd": {"endpoints": ["http://127.0.0.1:1"]}}, "etcdctl snapshot"),
        ({"sqlite": "missing.db"}, "missing.db"),
    ]:
        config.write_text(json.dumps({**declared, "store": store} if store else {k: v for k, v in declared.items() if k != "store"}))
        check_refusal(claimgate("store", "backup", "--config", config, tmp_path / "backup.db"), 2, words)
    assert not (tmp_path / "backup.db").exists()
    assert not (tmp_path / "missing.db").exists()
