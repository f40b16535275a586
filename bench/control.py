"""How the control plane does with many domains, and on many gateways: printed as a page.

10,000 domains with a key set each in an SQLite store: how long the gateway takes to start, how much memory it
takes, and how long it is from the moment that an update is sent until it is in force. Then three gateways that
share one etcd: from the same moment until each of them serves the change.
"""

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/front_door"))

from support.api import Api, with_access_keys  # noqa: E402
from support.configuration import configuration, domain, jwt  # noqa: E402
from support.etcd import Etcd  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.tokens import jwks, key  # noqa: E402

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
AT_ONCE = 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--updates", type=int, default=50)
    options = parser.parse_args()
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print("# The control plane, measured\n\nWritten by `scripts/bench-control`.\n")
    print(f"Machine: {os.cpu_count()} × {cpu[1] if cpu else platform.machine()}, Linux {platform.release()}.\n")
    with tempfile.TemporaryDirectory(prefix="claimgate-bench-") as folder:
        one_gateway(Path(folder), options)
    with tempfile.TemporaryDirectory(prefix="claimgate-bench-") as folder:
        three_gateways(Path(folder), options)


def document(name: str, keys, claim: str = "x-user") -> dict:
    return domain(name, auth=jwt(keys, claim_pass_by=f"header:sub:{claim}"))


def started(folder: Path, store: dict) -> tuple[Gateway, float]:
    declared = configuration([], [{"functionName": "orders", "builtin": "echo"}])
    begin = time.monotonic()
    gateway = Gateway(folder, {**with_access_keys(declared, folder), "store": store})
    return gateway, time.monotonic() - begin


def memory(gateway: Gateway) -> float:
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def one_gateway(folder: Path, options):
    store = {"sqlite": "claimgate.db"}
    gateway, empty_start = started(folder, store)
    empty = memory(gateway)
    api = Api(gateway)
    # Keys are made beforehand, a different one for each domain would take minutes to make: their kid differs.
    keys = jwks(KEY)["keys"][0]
    begin = time.monotonic()
    for first in range(0, options.domains, AT_ONCE):
        names = [f"d{number}.example.com" for number in range(first, min(first + AT_ONCE, options.domains))]
        changes = [
            {"kind": "custom-domains", "name": name, "document": document(name, {"keys": [{**keys, "kid": name}]})}
            for name in names
        ]
        answer = api("POST", "/apply", {"changes": changes})
        assert answer.status_code == 200, answer.text[:500]
    filled = time.monotonic() - begin
    gateway.stop()
    gateway, start = started(folder, store)
    api = Api(gateway)
    full = memory(gateway)
    acknowledged, effect = [], []
    for number in range(options.updates):
        name = f"d{number * 97 % options.domains}.example.com"
        changed = document(name, jwks(KEY), f"x-{number}")
        begin = time.monotonic()
        answer = api("PUT", f"/custom-domains/{name}", changed)
        acknowledged.append(time.monotonic() - begin)
        assert answer.status_code == 200, answer.text
        seen = gateway.get(host=name, token=TOKEN)
        effect.append(time.monotonic() - begin)
        assert f'"x-{number}"' in json.dumps(seen.json()), seen.body
    gateway.stop()
    print(f"## {options.domains:,} stored domains with a JWKS each, SQLite\n")
    print("| | |\n| --- | --: |")
    print(f"| stored, {AT_ONCE} at once | {filled:.1f} s |")
    print(f"| start, without domains | {empty_start * 1000:.0f} ms |")
    print(f"| start, with all of them | {start * 1000:.0f} ms |")
    print(f"| memory, without domains | {empty:.1f} MiB |")
    print(f"| memory, with all of them | {full:.1f} MiB, {(full - empty) * 1024 / options.domains:.1f} KiB a domain |")
    print(f"| update of one until it is acknowledged, median | {statistics.median(acknowledged) * 1000:.1f} ms |")
    print(f"| until a request was answered by it, median | {statistics.median(effect) * 1000:.1f} ms |\n")


def three_gateways(folder: Path, options):
    (folder / "key").write_text("A" * 43 + "=")
    etcd = Etcd()
    gateways = []
    try:
        store = {"etcd": {"endpoints": [etcd.url]}, "keyFile": str(folder / "key")}
        for number in range(3):
            (folder / str(number)).mkdir()
            gateways.append(started(folder / str(number), store)[0])
        api = Api(gateways[0])
        name = "shared.example.com"
        own, others = [], []
        for number in range(options.updates):
            claim = f"x-{number}"
            times: dict[int, float] = {}
            begin = time.monotonic()
            watchers = [
                threading.Thread(target=wait, args=(gateway, name, claim, times, index))
                for index, gateway in enumerate(gateways)
            ]
            for watcher in watchers:
                watcher.start()
            answer = api("PUT", f"/custom-domains/{name}", document(name, jwks(KEY), claim))
            assert answer.status_code in (200, 201), answer.text
            for watcher in watchers:
                watcher.join()
            own.append(times[0] - begin)
            others.append(max(times.values()) - begin)
    finally:
        for gateway in gateways:
            gateway.stop()
        etcd.close()
    print("## Three gateways that share one etcd\n")
    print("| from sending an update | median | worst |\n| --- | --: | --: |")
    for what, times in [("until the gateway that took it serves it", own), ("until all three serve it", others)]:
        print(f"| {what} | {statistics.median(times) * 1000:.0f} ms | {max(times) * 1000:.0f} ms |")


def wait(gateway: Gateway, name: str, claim: str, times: dict, index: int):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        answer = gateway.get(host=name, token=TOKEN)
        if answer.status == 200 and f'"{claim}"' in json.dumps(answer.json()):
            times[index] = time.monotonic()
            return
        time.sleep(0.001)
    raise AssertionError("not in force after 20 seconds")


if __name__ == "__main__":
    main()
