"""Three gateways, three members of etcd, and everything between them goes wrong: what was acknowledged is served by all in
the end, and no gateway ever goes back."""

import random
import subprocess
import threading
import time
from dataclasses import dataclass, field

import httpx
import pytest

from support import machine
from support.api import Api, with_access_keys
from support.configuration import configuration, domain, jwt
from support.etcd_cluster import Cluster
from support.network import Network
from support.tokens import jwks, key

KEY = key("ES256")
WRITERS = 6


@dataclass
class Written:
    """The versions of one domain, which one thread alone writes."""

    name: str
    #: The last version that was acknowledged, and those after it of which nothing is known.
    acknowledged: int = 0
    unknown: list[int] = field(default_factory=list)
    count: int = 0

    def allowed(self) -> set[int]:
        return {self.acknowledged, *self.unknown}


def document(name: str, version: int) -> dict:
    """Its version is an audience: a token of that version passes, and no other."""
    return domain(name, auth=jwt(jwks(KEY), audiences=[f"v{version}"]))


class Chaos:
    def __init__(self, gateways, cluster: Cluster, links, seed: int):
        self.gateways, self.cluster, self.links = gateways, cluster, links
        self.random = random.Random(seed)
        self.written = [Written(f"d{number}.example.com") for number in range(WRITERS)]
        self.stopped = threading.Event()
        self.failures: list[str] = []
        self.faults: dict[str, int] = {}
        self.reads = 0

    # --- What goes on meanwhile ---

    def write(self, written: Written, seed: int):
        rng = random.Random(seed)
        version = 0
        while not self.stopped.is_set():
            version += 1
            # What is not known to have been made may have been made.
            written.unknown.append(version)
            try:
                answer = Api(rng.choice(self.gateways))("PUT", f"/custom-domains/{written.name}", document(written.name, version))
                if answer.is_success:
                    written.acknowledged, written.unknown = version, []
                    written.count += 1
                elif answer.status_code < 500:
                    self.failures.append(f"{written.name} version {version}: {answer.status_code} {answer.text[:300]}")
            except httpx.HTTPError:
                pass
            time.sleep(rng.random() * 0.2)

    def served(self, gateway, name: str, versions) -> int | None:
        """The version that a gateway serves, of some."""
        for version in versions:
            token = KEY.token({"sub": "ann", "aud": f"v{version}"})
            if gateway.get(host=name, token=token).status == 200:
                return version
        return None

    def watch(self, gateway):
        """What a gateway serves of a domain never gets older."""
        seen = dict.fromkeys((written.name for written in self.written), 0)
        while not self.stopped.is_set():
            for written in self.written:
                before = seen[written.name]
                newest = max(written.allowed())
                for older in range(max(1, before - 3), before):
                    if self.served(gateway, written.name, [older]) is not None:
                        self.failures.append(f"{written.name} is served in version {older} after {before}")
                found = self.served(gateway, written.name, range(newest, before - 1, -1)) if newest else None
                seen[written.name] = max(before, found or 0)
                self.reads += 1
            time.sleep(0.02)

    # --- What goes wrong ---

    def fault(self):
        kinds = [self.freeze, self.kill, self.wipe, self.delay, self.split_gateway, self.split_member, self.drop, self.compact]
        kind = self.random.choice(kinds)
        self.faults[kind.__name__] = self.faults.get(kind.__name__, 0) + 1
        kind()

    def pause(self, most: float):
        time.sleep(self.random.random() * most)

    def freeze(self):
        member = self.random.choice(self.cluster.members)
        member.freeze()
        self.pause(4)
        member.thaw()

    def kill(self):
        members = self.random.sample(self.cluster.members, self.random.choice((1, 1, 2)))
        for member in members:
            member.kill()
        self.pause(3)
        for member in members:
            self.cluster.restart(member)
        self.cluster.wait()

    def wipe(self):
        self.heal()
        self.cluster.wait()
        self.cluster.replace(self.random.choice(self.cluster.members))
        self.cluster.wait()

    def delay(self):
        for link in [*self.links, *(member.link for member in self.cluster.members)]:
            link.delay = self.random.choice((0.0, 0.05, 0.3))
        self.pause(4)

    def split_gateway(self):
        for link in self.random.sample(self.links, self.random.randrange(1, len(self.links))):
            link.is_split = True
        self.pause(5)

    def split_member(self):
        self.random.choice(self.cluster.members).link.is_split = True
        self.pause(4)

    def drop(self):
        for link in [*self.links, *(member.link for member in self.cluster.members)]:
            if self.random.random() < 0.5:
                link.drop()

    def compact(self):
        self.cluster.compact()

    def heal(self):
        for link in [*self.links, *(member.link for member in self.cluster.members)]:
            link.heal()

    # --- From start to end ---

    def run(self, seconds: float):
        threads = [threading.Thread(target=self.write, args=(written, number)) for number, written in enumerate(self.written)]
        threads += [threading.Thread(target=self.watch, args=(gateway,)) for gateway in self.gateways]
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.fault()
                self.heal()
                self.pause(2)
        finally:
            self.heal()
            self.stopped.set()
            for thread in threads:
                thread.join(120)
        self.cluster.wait()

    def check(self):
        """Each gateway comes to serve what was acknowledged, and all the same."""
        for written in self.written:
            end = time.monotonic() + 60
            while True:
                found = [self.served(gateway, written.name, sorted(written.allowed(), reverse=True)) for gateway in self.gateways]
                if None not in found and len(set(found)) == 1:
                    break
                assert time.monotonic() < end, f"{written}: {found} are served"
                time.sleep(0.2)
        for gateway in self.gateways:
            url = f"http://{gateway.admin[0]}:{gateway.admin[1]}"
            gateway.poll(lambda url=url: httpx.get(f"{url}/readyz").text == "ready\n")
            assert "\nclaimgate_store_is_current 1\n" in httpx.get(f"{url}/metrics").text
        assert self.failures == []


def run_chaos(serve, tmp_path, command, folder, seconds: float, seed: int):
    network = Network()
    cluster = Cluster(network, command, folder)
    try:
        (tmp_path / "key").write_text("A" * 43 + "=")
        gateways, links = [], []
        for number in range(3):
            own = [network.link(member.client) for member in cluster.members]
            links += own
            # Each begins with another member.
            endpoints = [f"http://127.0.0.1:{link.port}" for link in own[number:] + own[:number]]
            declared = configuration([], [{"functionName": "orders", "builtin": "echo"}], accessLog="none")
            store = {"etcd": {"endpoints": endpoints, "prefix": "/claimgate"}, "keyFile": str(tmp_path / "key")}
            gateways.append(serve({**with_access_keys(declared, tmp_path), "store": store}))
        chaos = Chaos(gateways, cluster, links, seed)
        chaos.run(seconds)
        chaos.check()
        writes = sum(written.count for written in chaos.written)
        print(f"{seconds} s with seed {seed}: {writes} acknowledged writes, {chaos.reads} looks, faults {chaos.faults}")
        assert writes > seconds / 2
    finally:
        cluster.close()
        network.close()


def test_a_minute_of_chaos(serve, tmp_path):
    run_chaos(serve, tmp_path, ["etcd"], None, 60, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", ["3.4", "3.5"])
def test_ten_minutes_of_chaos(serve, tmp_path, version):
    seed = random.randrange(1 << 30)
    if version == "3.4":
        return run_chaos(serve, tmp_path, ["etcd"], None, 600, seed)
    root = machine.root("trixie")
    if not (root / "usr/bin/etcd").exists():
        subprocess.run(["chroot", root, "apt-get", "install", "-y", "-qq", "etcd-server"], check=True, capture_output=True)
    # The same path inside of the root and outside.
    folder = root / "var/tmp"
    run_chaos(serve, tmp_path, ["chroot", str(root), "etcd"], str(folder), 600, seed)
