"""`claimgate store`: backup and restore of a gateway's database."""

import json
import shutil
import stat

import pytest
import yaml

from support.command import check_refusal, claimgate, good
from support.configuration import configuration, domain, function

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
