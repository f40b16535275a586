import pytest

from support.authorizer import Authorizer
from support.gateway import BINARY, Gateway
from support.recorder import Recorder


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests that take minutes too")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        skip = pytest.mark.skip(reason="runs with --long")
        for item in items:
            if "long" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def binary():
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run `cargo build` first, or set CLAIMGATE", 2)


@pytest.fixture(scope="module")
def recorder():
    """The function behind the module's gateway."""
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """Starts gateways; each must end well."""
    gateways = []

    def start(configuration, recorder=None, kind=Gateway, **process) -> Gateway:
        gateways.append(kind(tmp_path_factory.mktemp("gateway"), configuration, recorder, **process))
        return gateways[-1]

    yield start
    codes = [gateway.stop() for gateway in gateways]
    assert codes == [0] * len(codes)


@pytest.fixture
def start_function(request):
    """Makes functions whose behaviour a test chooses."""

    def start(answer, **more) -> Recorder:
        recorder = Recorder(answer, **more)
        request.addfinalizer(recorder.close)
        return recorder

    return start


@pytest.fixture
def authorizer(tmp_path_factory, request):
    """Starts authorizers; each must end well and keep its secrets."""

    def start(**configuration) -> Authorizer:
        started = Authorizer(configuration.pop("folder", None) or tmp_path_factory.mktemp("authorizer"), **configuration)
        request.addfinalizer(lambda: check_code(started.stop()))
        return started

    def check_code(code: int):
        assert code == 0

    return start
