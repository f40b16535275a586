"""Real frameworks behind the gateway: whatever a client sends, a mapped parameter is the claim or absent.

    tests/frameworks/install.sh short|long
    .venv/bin/python -m pytest tests/frameworks [--long] [--framework NAME] [--cases N] [--kind WORD] [--seed WORD]

`functions` has one small function for each framework, which answers with what each of its accessors reads; `harness` starts
them, generates requests and judges the answers. `functions/*.json` lists them.
"""

import json
from pathlib import Path

import pytest

from harness import gateway as gateways
from harness import registry
from harness.client import Client
from harness.processes import Function, free_ports
from support.gateway import BINARY
from support.recorder import Recorder

ALL = registry.frameworks()


def pytest_addoption(parser):
    group = parser.getgroup("frameworks")
    group.addoption("--long", action="store_true", help="all frameworks, and thousands of cases for each")
    group.addoption("--framework", action="append", default=[], help="only this framework; may be repeated")
    group.addoption("--cases", type=int, help="how many generated cases each framework gets")
    group.addoption("--kind", default="", help="only kinds of cases with this in their name")
    group.addoption("--seed", default="", help="other cases than the usual ones")
    group.addoption("--accessors-out", type=Path, help="writes what each accessor reads to this file, as JSON")
    group.addoption("--failures-out", type=Path, help="writes each failure with its request to this file, as lines of JSON")
    group.addoption("--no-other-bodies", action="store_true", help="for a gateway that does not know `otherBodies`")


def chosen(config) -> list[registry.Framework]:
    """The frameworks of this run."""
    names = config.getoption("--framework")
    unknown = set(names) - {framework.name for framework in ALL}
    if unknown:
        raise pytest.UsageError(f"unknown frameworks: {', '.join(sorted(unknown))}")
    if names:
        return [framework for framework in ALL if framework.name in names]
    return [framework for framework in ALL if framework.short or config.getoption("--long")]


def pytest_generate_tests(metafunc):
    if "framework" in metafunc.fixturenames:
        # With the scope of the session, pytest runs all tests of one framework before those of the next.
        metafunc.parametrize("framework", chosen(metafunc.config), ids=str, scope="session", indirect=True)


@pytest.fixture(scope="session", autouse=True)
def binary():
    if not BINARY.exists():
        pytest.exit(f"{BINARY} does not exist: run `cargo build` first, or set CLAIMGATE", 2)


@pytest.fixture(scope="session")
def ports(request) -> dict[str, int]:
    names = [framework.name for framework in chosen(request.config)]
    return dict(zip(names, free_ports(len(names)), strict=True))


@pytest.fixture(scope="session")
def recorder():
    started = Recorder()
    yield started
    started.close()


@pytest.fixture(scope="session")
def gateway(request, ports, recorder, tmp_path_factory):
    """One gateway in front of all functions, and of the recorder."""
    folder = tmp_path_factory.mktemp("gateway")
    ports = {**ports, gateways.RECORDER: recorder.address[1]}
    started = gateways.start(folder, ports, forwards=not request.config.getoption("--no-other-bodies"))
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="session")
def framework(request) -> registry.Framework:
    return request.param


@pytest.fixture(scope="session")
def function(framework, ports):
    """The framework's process."""
    started = Function(framework, ports[framework.name])
    yield started
    started.stop()


@pytest.fixture(scope="session")
def client():
    return Client()


@pytest.fixture(scope="session")
def accessors(request):
    """What is known of each framework's accessors; written to a file at the end."""
    found: dict[str, dict] = {}
    yield found
    if file := request.config.getoption("--accessors-out"):
        file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


SUMMARIES: list[str] = []


def pytest_terminal_summary(terminalreporter):
    if SUMMARIES:
        terminalreporter.section("frameworks")
        for line in SUMMARIES:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def summaries() -> list[str]:
    return SUMMARIES
