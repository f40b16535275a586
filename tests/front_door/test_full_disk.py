"""A disk that fills up under a running gateway, and an etcd that takes no more."""

import subprocess

import httpx
import pytest

from support.api import Api, with_access_keys
from support.configuration import configuration, domain, function
from support.etcd import Etcd

MEBIBYTE = 2**20


@pytest.fixture
def disk(tmp_path):
    """A file system of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True, text=True)
    if mount.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mount.stderr}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def admin(gateway, path: str) -> httpx.Response:
    return httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}{path}")


def is_writable(gateway) -> bool:
    return "\nclaimgate_store_is_writable 1\n" in admin(gateway, "/metrics").text


@pytest.mark.parametrize("fills", ["before a change", "with changes"])
def test_a_full_disk_is_told_and_changes_come_back_when_there_is_room(serve, recorder, disk, tmp_path, fills):
    declared = configuration([domain("api.example.com")], [function(recorder.url)])
    declared["store"] = {"sqlite": str(disk / "claimgate.db")}
    gateway = serve(with_access_keys(declared, tmp_path), recorder)
    api = Api(gateway)
    assert api("PUT", "/custom-domains/first.example.com", domain("first.example.com")).status_code == 201
    assert is_writable(gateway) and admin(gateway, "/readyz").text == "ready\n"

    fill = disk / "fill"
    routes = None
    stored = ["first.example.com"]
    if fills == "before a change":
        with open(fill, "wb") as file, pytest.raises(OSError):
            while True:
                file.write(b"x" * 65536)
                file.flush()
    else:
        fill.write_bytes(b"x" * 13 * MEBIBYTE)
        # Some 25 KB each.
        routes = [{"path": f"/{'x' * 200}/{number}/*", "functionName": "orders"} for number in range(99)]
        routes.append({"path": "/*", "functionName": "orders"})
        for number in range(400):
            name = f"d{number}.example.com"
            answer = api("PUT", f"/custom-domains/{name}", domain(name, routes))
            if answer.status_code != 201:
                break
            stored.append(name)
        assert answer.status_code == 503, answer.text
    gateway.poll(lambda: not is_writable(gateway))
    told = admin(gateway, "/readyz")
    assert told.status_code == 200 and "no change can be stored: the disk of the database" in told.text

    # Requests are served, and what was stored is read; a change is refused, and not half of it stored.
    for name in stored:
        assert gateway.get("/", host=name).status == 200
        assert api("GET", f"/custom-domains/{name}").status_code == 200
    refused = api("PUT", "/custom-domains/new.example.com", domain("new.example.com", routes))
    if refused.status_code != 201:  # Something small may still have room.
        assert (refused.status_code, "is full" in refused.text) == (503, True), refused.text
        assert api("GET", "/custom-domains/new.example.com").status_code == 404
        assert gateway.get("/", host="new.example.com").status == 404

    fill.unlink()
    gateway.poll(lambda: is_writable(gateway) and admin(gateway, "/readyz").text == "ready\n")
    assert api("PUT", "/custom-domains/last.example.com", domain("last.example.com")).status_code == 201
    assert gateway.stop() == 0
    again = serve(with_access_keys(declared, tmp_path), recorder)
    for name in [*stored, "last.example.com"]:
        assert again.get("/", host=name).status == 200


@pytest.fixture
def etcd():
    etcd = Etcd("--quota-backend-bytes", str(4 * MEBIBYTE))
    yield etcd
    etcd.close()


def test_an_etcd_that_has_reached_its_quota_is_told_too(serve, recorder, etcd, tmp_path):
    def etcdctl(*arguments: str, **more):
        environment = {"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"}
        return subprocess.run(["etcdctl", "--endpoints", etcd.url, *arguments], env=environment, capture_output=True, text=True, **more)

    (tmp_path / "key").write_text("A" * 43 + "=")
    declared = configuration([domain("api.example.com")], [function(recorder.url)])
    declared["store"] = {"etcd": {"endpoints": [etcd.url], "prefix": "/claimgate"}, "keyFile": str(tmp_path / "key")}
    gateway = serve(with_access_keys(declared, tmp_path), recorder)
    api = Api(gateway)
    assert api("PUT", "/custom-domains/first.example.com", domain("first.example.com")).status_code == 201
    for _ in range(20):
        if "space exceeded" in etcdctl("put", "other", input="x" * MEBIBYTE).stderr:
            break
    refused = api("PUT", "/custom-domains/second.example.com", domain("second.example.com"))
    assert (refused.status_code, "etcd is full" in refused.text) == (503, True), refused.text
    assert not is_writable(gateway) and "no change can be stored: etcd is full" in admin(gateway, "/readyz").text
    assert gateway.get("/", host="first.example.com").status == 200

    revision = etcdctl("get", "other", "--write-out", "json").stdout.split('"revision":')[1].split(",")[0]
    for command in (["compact", revision, "--physical"], ["defrag"], ["alarm", "disarm"]):
        etcdctl(*command, check=True)
    gateway.poll(lambda: is_writable(gateway) and admin(gateway, "/readyz").text == "ready\n")
    assert api("PUT", "/custom-domains/second.example.com", domain("second.example.com")).status_code == 201
