"""No client can set a mapped parameter, whatever framework reads it."""

import concurrent.futures
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from harness import known, verdict
from harness.case import Case
from harness.cases import Generator
from harness.client import Broken, Client, Response
from harness.gateway import HOSTS, host_name, token
from harness.registry import POSITIONS
from harness.verdict import EXEMPT, WITH_TOKEN, WITHOUT_CLAIM, Control, Run

SHORT, LONG = 250, 3000
#: The share of cases that a function of all positions must read as the attacker wishes, or the cases are of no use.
LEAST_SHARE = 0.08

TOKENS = {WITH_TOKEN: token({"sub": "ann"}), WITHOUT_CLAIM: token({"other": "x"}), EXEMPT: None}


@dataclass
class Failure:
    case: Case
    run: Run
    problem: str
    request: bytes

    def __str__(self):
        shown = repr(self.request.split(b"\r\n", 1)[0])[2:120]
        return f"{self.case.kind}: {self.case.note}\n    {self.run.host}, {self.run.identity}: {self.problem}\n    {shown}"


@dataclass
class Tally:
    """What came of a framework's cases."""

    cases: int = 0
    requests: int = 0
    read: int = 0
    refused: int = 0
    passed: int = 0
    control_broken: int = 0
    read_by_position: Counter = field(default_factory=Counter)
    read_by_kind: Counter = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0

    def __str__(self):
        positions = ", ".join(f"{name} {count}" for name, count in sorted(self.read_by_position.items()))
        return (
            f"{self.cases} cases, {self.requests} requests, EVIL read directly in {self.read} ({positions}), "
            f"{self.refused} refused, {self.passed} passed, {len({id(f.case) for f in self.failures})} cases failed, {self.seconds:.0f} s"
        )


class Prover:
    """Sends cases to a function, directly and through the gateway."""

    def __init__(self, framework, function, gateway, client: Client, more_runs: int):
        self.framework, self.function, self.gateway = framework, function, gateway
        self.client, self.more_runs = client, more_runs
        self.tally = Tally()
        self._lock = threading.Lock()

    def prove(self, cases: list[Case]) -> Tally:
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.framework.threads) as pool:
            for _ in pool.map(self._one, range(len(cases)), cases):
                pass
        self.tally.seconds = time.monotonic() - start
        return self.tally

    def _one(self, number: int, case: Case):
        control = self._control(case)
        # The first way always, and some of the others in turn.
        first, *others = verdict.runs_of(case)
        runs = [first, *(others[(number * self.more_runs + i) % len(others)] for i in range(self.more_runs))]
        outcomes = [(run, *self._through(case, run, control)) for run in runs]
        with self._lock:
            tally = self.tally
            tally.cases += 1
            tally.requests += 1 + len(runs)
            tally.read += bool(control.readings)
            tally.control_broken += control.status == 0
            for position in control.positions:
                tally.read_by_position[position] += 1
            if control.readings:
                tally.read_by_kind[case.kind] += 1
            for run, response, found in outcomes:
                tally.refused += response is not None and 400 <= response.status < 500
                tally.passed += response is not None and response.status == 200
                tally.failures += [Failure(case, run, one, self._request(case, run)) for one in found]

    def _request(self, case: Case, run: Run) -> bytes:
        return case.request(host_name(run.host, self.framework.name), TOKENS[run.identity], run.identity == EXEMPT)

    def _control(self, case: Case) -> Control:
        # On a connection of its own: what a server makes of a request that it dislikes must not reach the next case.
        try:
            data = case.request(host_name("all", self.framework.name))
            return Control(self.client.send(self.function.address, data, fresh=True))
        except (Broken, OSError):
            self.function.revive()
            return Control(None)

    def _through(self, case: Case, run: Run, control: Control) -> tuple[Response | None, list[str]]:
        request = self._request(case, run)
        try:
            response = self.client.send(self.gateway.address, request)
            for _ in range(5):
                if response.status != 502 or control.status >= 400:
                    break
                # The function may have closed an idle connection just then, or have ended of another case.
                self.function.revive()
                time.sleep(0.2)
                response = self.client.send(self.gateway.address, request)
        except (Broken, OSError) as error:
            # Some functions have no response to odd requests, directly neither.
            return None, [f"no response: {error}"] if control.status else []
        found = verdict.problems(case, run, response, control, HOSTS[run.host], self.framework)
        return response, found


def report(framework, tally: Tally, config, summaries: list[str], title: str):
    """Adds a line to the summary; fails with the failures, if any."""
    summaries.append(f"{framework.name} {title}: {tally}")
    if file := config.getoption("--failures-out"):
        with open(file, "a") as out:
            for one in tally.failures:
                line = {
                    "framework": framework.name,
                    "kind": one.case.kind,
                    "note": one.case.note,
                    "run": [one.run.host, one.run.identity],
                    "problem": one.problem,
                    "request": one.request.decode("latin-1"),
                }
                print(json.dumps(line), file=out)
    if not tally.failures:
        return
    kinds = Counter(one.case.kind for one in tally.failures)
    first: dict[str, list[Failure]] = {}
    for one in tally.failures:
        first.setdefault(one.case.kind, []).append(one)
    shown = [str(one) for failures in first.values() for one in failures[:3]][:40]
    counts = ", ".join(f"{name} {count}" for name, count in kinds.most_common())
    text = "\n".join(shown)
    pytest.fail(f"{framework.name}: {len(tally.failures)} failures ({counts})\n{text}", pytrace=False)


@pytest.fixture(scope="session")
def prover(framework, function, gateway, client, request):
    def make() -> Prover:
        return Prover(framework, function, gateway, client, 3 if request.config.getoption("--long") else 1)

    return make


def test_well_formed_spoofs_are_removed_and_not_refused(framework, prover, request, summaries):
    tally = prover().prove(known.WELL_FORMED)
    report(framework, tally, request.config, summaries, "well-formed")
    missing = set(framework.positions) - set(tally.read_by_position)
    assert not missing, f"sent directly, nothing is read in {missing}"


def test_known_spoofs(framework, prover, request, summaries):
    report(framework, prover().prove(known.CASES), request.config, summaries, "known")


def test_generated_spoofs(framework, prover, request, summaries):
    config = request.config
    count = config.getoption("--cases") or round(framework.share * (LONG if config.getoption("--long") else SHORT))
    cases = list(Generator(framework.name + config.getoption("--seed")).cases(count, config.getoption("--kind")))
    prove = prover()
    tally = prove.prove(cases)
    report(framework, tally, config, summaries, "generated")
    assert prove.function.restarts < 5, f"the function ended {prove.function.restarts} times"
    least = LEAST_SHARE * len(framework.positions) / len(POSITIONS) * tally.cases
    assert config.getoption("--kind") or tally.read >= least, f"EVIL was read directly in only {tally.read} of {tally.cases} cases"
    assert tally.control_broken < 0.2 * tally.cases, f"{tally.control_broken} controls got no response"
