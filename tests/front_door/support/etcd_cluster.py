"""Three members of etcd on loopback, which talk to each other through links that can be disturbed."""

import itertools
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from support.etcd import free_ports, is_healthy
from support.network import Network


class Member:
    """A process with a folder; it may be killed, frozen, and begin anew with nothing."""

    def __init__(self, number: int, network: Network, command: list[str], folder: Path):
        self.number, self.command, self.folder = number, command, folder
        self.client, self.peer = free_ports(2)
        self.link = network.link(self.peer)
        self.generation, self.process = 0, None

    @property
    def name(self) -> str:
        return f"member{self.number}-{self.generation}"

    @property
    def peer_url(self) -> str:
        return f"http://127.0.0.1:{self.link.port}"

    @property
    def client_url(self) -> str:
        return f"http://127.0.0.1:{self.client}"

    def start(self, cluster: str, state: str):
        with open(self.folder / f"log{self.number}", "ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.command, "--name", self.name, "--data-dir", str(self.folder / self.name),
                    "--listen-client-urls", self.client_url, "--advertise-client-urls", self.client_url,
                    "--listen-peer-urls", f"http://127.0.0.1:{self.peer}", "--initial-advertise-peer-urls", self.peer_url,
                    "--initial-cluster", cluster, "--initial-cluster-state", state, "--log-level", "error",
                ],
                stdout=log, stderr=log,
            )  # fmt: skip

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Cluster:
    """Three members; `command` runs etcd, in a root where `folder` is the same."""

    def __init__(self, network: Network, command: list[str], folder: str | None = None):
        self.folder = tempfile.TemporaryDirectory(prefix="claimgate-etcd-", dir=folder)
        self.members = [Member(number, network, command, Path(self.folder.name)) for number in range(3)]
        for member in self.members:
            member.start(self.initial(), "new")
        self.wait()

    def initial(self) -> str:
        return ",".join(f"{member.name}={member.peer_url}" for member in self.members)

    def wait(self, timeout: float = 60):
        """Until every member answers."""
        end = time.monotonic() + timeout
        while not all(is_healthy(member.client_url) for member in self.members):
            logs = "".join((member.folder / f"log{member.number}").read_text()[-1000:] for member in self.members)
            assert time.monotonic() < end, f"the cluster is not healthy: {logs}"
            time.sleep(0.1)

    def restart(self, member: Member):
        member.start(self.initial(), "existing")

    def replace(self, member: Member):
        """What it held is gone, and it joins anew, as operators do it."""
        member.kill()
        shutil.rmtree(member.folder / member.name, ignore_errors=True)
        others = [other for other in self.members if other is not member]
        members = self.call("member/list", {}, others).json()["members"]
        gone = next(known for known in members if member.peer_url in known["peerURLs"])
        self.call("member/remove", {"ID": gone["ID"]}, others)
        self.call("member/add", {"peerURLs": [member.peer_url]}, others)
        member.generation += 1
        member.start(self.initial(), "existing")

    @staticmethod
    def call(what: str, body: dict, members: list[Member]) -> httpx.Response:
        """Asks for members or changes them, which etcd refuses for some seconds after another change."""
        end = time.monotonic() + 90
        for member in itertools.cycle(members):
            said = ""
            try:
                answer = httpx.post(f"{member.client_url}/v3/cluster/{what}", json=body, timeout=10)
                said = answer.text
                # An earlier attempt may have come to something, though it was not answered.
                if answer.is_success or "not found" in said or "already exist" in said or "Peer URLs already" in said:
                    return answer
            except httpx.HTTPError as error:
                said = str(error)
            assert time.monotonic() < end, said
            time.sleep(0.5)
        raise AssertionError("there is no member")

    def compact(self):
        for member in self.members:
            try:
                status = httpx.post(f"{member.client_url}/v3/maintenance/status", json={}, timeout=2).json()
                body = {"revision": status["header"]["revision"], "physical": False}
                httpx.post(f"{member.client_url}/v3/kv/compaction", json=body, timeout=2)
                return
            except (httpx.HTTPError, ValueError, KeyError):
                continue

    def close(self):
        for member in self.members:
            if member.process and member.process.poll() is None:
                member.thaw()
                member.kill()
        self.folder.cleanup()
