"""The database of a store: backed up while it is in use, restored, and never taken for another."""

import base64
import stat

import pytest

from support.api import Api, with_access_keys
from support.command import check_refusal, claimgate, good
from support.configuration import configuration, domain, function


@pytest.fixture
def gateway(serve, recorder, tmp_path):
    declared = configuration([], [function(recorder.url)])
    return serve({**with_access_keys(declared, tmp_path), "store": {"sqlite": "claimgate.db"}}, recorder)


def put(gateway, name: str):
    assert Api(gateway)("PUT", f"/custom-domains/{name}", domain(name)).status_code in (200, 201)


def names(gateway) -> list[str]:
    return [document["name"] for document in Api(gateway)("GET", "/custom-domains").json()["documents"]]


def test_a_backup_is_restored(gateway, serve, recorder, tmp_path):
    put(gateway, "one.example.com")
    backup = tmp_path / "backup.db"
    assert good("store", "backup", "--config", gateway.file, backup) == f"{backup} made\n"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    put(gateway, "two.example.com")
    check_refusal(claimgate("store", "backup", "--config", gateway.file, backup), 2, str(backup))
    # The database is there, and may be in use.
    check_refusal(claimgate("store", "restore", "--config", gateway.file, backup), 2, "claimgate.db")

    folder = tmp_path / "other"
    folder.mkdir()
    key = gateway.file.parent / "claimgate.key"
    file = folder / "claimgate.yaml"
    file.write_text(gateway.file.read_text())
    check_refusal(claimgate("store", "restore", "--config", file, backup), 2, "claimgate.key")
    (folder / "claimgate.key").write_bytes(key.read_bytes())
    (folder / "claimgate.key").chmod(0o600)
    good("store", "restore", "--config", file, backup)

    declared = configuration([], [function(recorder.url)])
    store = {"sqlite": str(folder / "claimgate.db")}
    restored = serve({**with_access_keys(declared, tmp_path), "store": store}, recorder)
    assert names(restored) == ["one.example.com"] and restored.get(host="one.example.com").status == 200
    assert names(gateway) == ["one.example.com", "two.example.com"]


def test_another_key_is_noticed(gateway, tmp_path):
    put(gateway, "one.example.com")
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "claimgate.yaml").write_text(gateway.file.read_text())
    good("store", "backup", "--config", gateway.file, folder / "claimgate.db")
    (folder / "claimgate.key").write_text(base64.b64encode(b"B" * 32).decode())
    (folder / "claimgate.key").chmod(0o600)
    refused = claimgate("serve", "--config", folder / "claimgate.yaml")
    assert refused.code != 0 and "another key" in refused.err


def test_a_configuration_without_a_store_has_nothing_to_back_up(tmp_path, recorder):
    file = tmp_path / "claimgate.yaml"
    file.write_text('{"functions": []}')
    check_refusal(claimgate("store", "backup", "--config", file, tmp_path / "backup"), 2, "there is no store in it")
