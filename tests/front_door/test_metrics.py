"""What the gateway counts, as a Prometheus server reads it."""

import socket
import threading

import pytest

from support.configuration import configuration, domain, function, jwt
from support.http1 import head
from support.metrics import read_metrics, wait_for_metric
from support.recorder import plain_answer
from support.tokens import jwks, key

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
AUTH = jwt(jwks(KEY))
API = "api.example.com"
REQUESTS = "claimgate_requests_total"
HISTOGRAMS = {
    "claimgate_request_duration_seconds": {"domain", "outcome"},
    "claimgate_verification_duration_seconds": {"domain"},
    "claimgate_function_duration_seconds": {"function"},
}
ROUTES = [{"path": "/orders/*", "functionName": "orders"}, {"path": "/gone", "functionName": "gone"}]


@pytest.fixture
def gateway(serve, recorder, closed_port):
    domains = [domain(API, ROUTES, AUTH), domain("open.example.com")]
    gone = function(f"http://127.0.0.1:{closed_port}", "gone")
    return serve(configuration(domains, [function(recorder.url), gone], workers=2), recorder)


@pytest.fixture
def closed_port():
    # Bound and not listening: nobody else gets it, and connections are refused.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def requests(gateway, domain: str, route: str, outcome: str, reason: str = "") -> float | None:
    return read_metrics(gateway).value(REQUESTS, domain=domain, route=route, outcome=outcome, reason=reason)


def test_requests_are_counted_by_domain_route_outcome_and_reason(gateway):
    for _ in range(3):
        assert gateway.get("/orders/1", token=TOKEN).status == 200
    assert gateway.get("/gone", token=TOKEN).status == 502
    for token in ("x", "x", None):
        assert gateway.get("/orders/1", token=token).status == 401
    assert gateway.get("/nowhere", token=TOKEN).status == 404
    assert gateway.get("/", host="open.example.com").status == 200
    counted = {
        (API, "/orders/*", "accepted", ""): 3,
        (API, "/gone", "failed", "connect"): 1,
        (API, "/orders/*", "refused", "not_compact"): 2,
        (API, "/orders/*", "refused", "missing_token"): 1,
        (API, "", "refused", "no_route"): 1,
        ("open.example.com", "/*", "accepted", ""): 1,
    }
    metrics = read_metrics(gateway)
    assert {tuple(labels.values()): metrics.value(REQUESTS, **labels) for labels in metrics.labels(REQUESTS)} == counted


def test_what_is_no_domain_of_the_configuration_is_no_label(gateway):
    for number in range(20):
        assert gateway.get(f"/{number}", host=f"evil-{number}.example.org").status == 404
    gateway.raw(b"BROKEN\r\n\r\n")
    metrics = read_metrics(gateway)
    assert metrics.value(REQUESTS, domain="", route="", outcome="refused", reason="unknown_domain") == 20
    assert metrics.value(REQUESTS, domain="", route="", outcome="refused", reason="malformed_request_line") == 1
    assert "evil" not in metrics.text


def test_names_beyond_the_bound_are_others(serve):
    domains = [domain(f"{number}.example.com") for number in range(510)]
    gateway = serve(configuration(domains, [{"functionName": "orders", "builtin": "echo"}]))
    assert read_metrics(gateway).value("claimgate_routes_not_counted") == 20
    for number in range(510):
        assert gateway.get("/", host=f"{number}.example.com").status == 200
    metrics = read_metrics(gateway)
    names = {labels["domain"] for labels in metrics.labels(REQUESTS)}
    assert "(others)" in names
    assert 400 < len(names) < 510
    assert sum(metrics.value(REQUESTS, **labels) for labels in metrics.labels(REQUESTS)) == 510
    others = {"domain": "(others)", "route": "(others)", "outcome": "accepted", "reason": ""}
    assert metrics.value(REQUESTS, **others) == 510 - len(names) + 1


def some_domains(names, **limits) -> dict:
    echo = [{"functionName": "orders", "builtin": "echo"}]
    return configuration([domain(f"{name}.example.com") for name in names], echo, limits=limits)


def counted(gateway) -> dict[str, float]:
    metrics = read_metrics(gateway)
    return {labels["domain"].split(".")[0]: metrics.value(REQUESTS, **labels) for labels in metrics.labels(REQUESTS)}


def replace(gateway, configuration: dict):
    name = "claimgate_configuration_generation"
    before = read_metrics(gateway).value(name)
    gateway.write(configuration)
    gateway.poll(lambda: read_metrics(gateway).value(name) > before)


def test_rows_of_what_is_no_longer_configured_are_free_again(serve):
    """Two domains are as much as is counted apart; in each generation there are two others."""
    gateway = serve(some_domains(["a", "b", "c"], countedRoutes=4))
    for name in "aabbbc":
        assert gateway.get("/", host=f"{name}.example.com").status == 200
    assert counted(gateway) == {"a": 2, "b": 3, "(others)": 1}
    for generation in range(6):
        names = [f"x{generation}", f"y{generation}"]
        # One after the other, as rows are free when the configuration before is no longer in use.
        replace(gateway, some_domains([], countedRoutes=4))
        gateway.poll(lambda: counted(gateway) == {"(others)": 1})
        replace(gateway, some_domains(names, countedRoutes=4))
        for name in names:
            assert gateway.get("/", host=f"{name}.example.com").status == 200
        assert counted(gateway) == {names[0]: 1, names[1]: 1, "(others)": 1}
    assert read_metrics(gateway).value("claimgate_routes_not_counted") == 0
    # What stays goes on, and what comes again begins anew.
    replace(gateway, some_domains(["x5", "a"], countedRoutes=100))
    for name in ("x5", "a"):
        assert gateway.get("/", host=f"{name}.example.com").status == 200
    gateway.poll(lambda: counted(gateway) == {"x5": 2, "a": 1, "(others)": 1})


def test_durations_are_in_histograms(gateway):
    for _ in range(5):
        gateway.get("/orders/1", token=TOKEN)
    gateway.get("/orders/1")
    gateway.get("/gone", token=TOKEN)
    gateway.get("/", host="open.example.com")
    metrics = read_metrics(gateway)
    for name, labels in HISTOGRAMS.items():
        assert metrics.families[name].type == "histogram"
        assert {frozenset(found) for found in metrics.labels(f"{name}_count")} == {frozenset(labels)}
        for found in metrics.labels(f"{name}_count"):
            buckets = [s for s in metrics.samples if s.name == f"{name}_bucket" and found.items() <= s.labels.items()]
            values = [sample.value for sample in buckets]
            assert values == sorted(values)
            assert buckets[-1].labels["le"] == "+Inf"
            assert values[-1] == metrics.value(f"{name}_count", **found)
            assert 0 < metrics.value(f"{name}_sum", **found) < 60 * values[-1]
    whole, verification, called = HISTOGRAMS
    assert metrics.value(f"{whole}_count", domain=API, outcome="accepted") == 5
    assert metrics.value(f"{whole}_count", domain=API, outcome="refused") == 1
    assert metrics.value(f"{whole}_count", domain=API, outcome="failed") == 1
    assert metrics.value(f"{verification}_count", domain=API) == 7
    assert metrics.value(f"{verification}_count", domain="open.example.com") is None
    assert metrics.value(f"{called}_count", function="orders") == 6
    assert metrics.value(f"{called}_count", function="gone") == 1


def test_a_slow_function_is_in_a_high_bucket(serve, start_function):
    reached, answer = threading.Event(), threading.Event()

    def slow(*request):
        reached.set()
        assert answer.wait(20)
        plain_answer(*request)

    gateway = serve(configuration([domain()], [function(start_function(slow).url)]))
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", API)]))
        assert reached.wait(20)
        threading.Timer(0.2, answer.set).start()
        assert connection.receive().status == 200
    metrics = read_metrics(gateway)
    name = "claimgate_function_duration_seconds"
    assert metrics.value(f"{name}_bucket", function="orders", le="0.1") == 0
    assert metrics.value(f"{name}_sum", function="orders") > 0.1


def test_what_is_open_is_told_and_what_ended_is_not(serve, start_function):
    answer = threading.Event()

    def wait(*request):
        assert answer.wait(20)
        plain_answer(*request)

    gateway = serve(configuration([domain()], [function(start_function(wait).url)], workers=2))
    connections = [gateway.connect() for _ in range(3)]
    wait_for_metric(gateway, 3, "claimgate_connections")
    for connection in connections[1:]:
        connection.send(head("GET", "/", [("Host", API)]))
    wait_for_metric(gateway, 2, "claimgate_requests_in_flight")
    # A client that goes away takes its request along.
    connections.pop().close()
    wait_for_metric(gateway, 1, "claimgate_requests_in_flight")
    answer.set()
    assert connections[1].receive().status == 200
    wait_for_metric(gateway, 0, "claimgate_requests_in_flight")
    for connection in connections:
        connection.close()
    wait_for_metric(gateway, 0, "claimgate_connections")
    assert read_metrics(gateway).value("claimgate_connections_opened_total") == 3


def test_counters_go_on_when_the_configuration_changes(gateway, recorder):
    gateway.get("/orders/1", token=TOKEN)
    first = read_metrics(gateway)
    gateway.write(configuration([domain(API, [ROUTES[0]], AUTH)], [function(recorder.url)]))
    gateway.wait_for_log(lambda line: line.get("message") == "configuration reloaded")
    gateway.get("/orders/1", token=TOKEN)
    second = read_metrics(gateway)
    assert second.value(REQUESTS, domain=API, route="/orders/*", outcome="accepted", reason="") == 2
    generation, loaded = "claimgate_configuration_generation", "claimgate_configuration_loaded_timestamp_seconds"
    assert second.value(generation) > first.value(generation)
    assert second.value(loaded) >= first.value(loaded) > 1e9
    gateway.write("{")
    wait_for_metric(gateway, 0, "claimgate_configuration_is_current")
    third = read_metrics(gateway)
    assert third.value("claimgate_configuration_loads_total", result="refused") == 1
    assert third.value(generation) == second.value(generation)
