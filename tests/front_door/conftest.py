import pytest

from support import screenshots
from support.authorizer import Authorizer
from support.gateway import BINARY, Gateway
from support.recorder import Recorder


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests that take minutes too")


def pytest_configure(config):
    # Once for a run: before any of the processes that tests are spread over.
    if not hasattr(config, "workerinput"):
        screenshots.remove_old()


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


# --- The console ---


@pytest.fixture(scope="module")
def browser():
    """Chromium; Playwright is loaded where a browser is needed."""
    from support.console import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def session(browser, gateway):
    """The cookies of the first editor, who came in with the link that the module's gateway logged."""
    from support.console import Watched, sign_in

    context = browser.new_context()
    page = Watched(context.new_page())
    sign_in(page.page, gateway)
    page.check()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def visit(browser, gateway, session, request):
    """Opens a page of the console; nothing that a page must not do may happen until the test's end."""
    from support.console import Watched

    watched = []

    def start(path: str, signed_in: bool = True, **more) -> Watched:
        base = f"http://{gateway.admin[0]}:{gateway.admin[1]}"
        context = browser.new_context(base_url=base, storage_state=session if signed_in else None, **more)
        context.set_default_timeout(60_000)
        request.addfinalizer(context.close)
        watched.append(Watched(context.new_page()))
        watched[-1].page.goto(f"/console/{path}")
        return watched[-1]

    yield start
    for page in watched:
        page.check()
