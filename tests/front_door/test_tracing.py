"""W3C trace context, and the spans that a collector receives."""

import json
import re
import time

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from support.collector import Collector, attributes
from support.configuration import configuration, domain, function, jwt
from support.gateway import Process
from support.http1 import Connection, head
from support.metrics import read_metrics
from support.tokens import jwks, key

KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
API = "api.example.com"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])")


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def start(serve, recorder, collector):
    def start(**tracing):
        tracing = {"otlpEndpoint": collector.url, **tracing}
        auth = jwt(jwks(KEY), "header:Authorization:Bearer,query:token")
        return serve(configuration([domain(API, auth=auth)], [function(recorder.url)], tracing=tracing), recorder)

    return start


def context(seen) -> tuple[str, str, str]:
    """Trace, parent and flags as the function received them."""
    (value,) = seen.values("traceparent")
    return TRACEPARENT.fullmatch(value).groups()


def wait_for_spans(gateway, collector, count: int) -> list[Span]:
    gateway.poll(lambda: len(collector.spans) >= count)
    assert len(collector.spans) == count
    return collector.spans


# --- Without a collector ---


@pytest.fixture
def plain(serve, recorder):
    return serve(configuration([domain(API)], [function(recorder.url)]), recorder)


@pytest.mark.parametrize("parent", [SAMPLED, UNSAMPLED])
def test_the_context_passes_untouched(plain, parent):
    seen = plain.get(headers=[("traceparent", parent), ("tracestate", "a=1,b=2"), ("tracestate", "c=3")]).seen
    assert seen.values("traceparent") == [parent]
    assert seen.values("tracestate") == ["a=1,b=2", "c=3"]
    assert plain.log[-1].get("trace_id", "") == ""


@pytest.mark.parametrize(
    "parent",
    [[], [SAMPLED, SAMPLED], [SAMPLED.upper()], [f"00-{'0' * 32}-{PARENT}-01"], [f"ff-{TRACE}-{PARENT}-01"], ["x"]],
)
def test_a_context_that_is_none_is_replaced(plain, parent):
    fields = [("traceparent", value) for value in parent] + [("tracestate", "a=1")]
    seen = plain.get(headers=fields).seen
    trace, _, flags = context(seen)
    assert (flags, seen.values("tracestate")) == ("00", [])
    assert trace != TRACE


# --- With one ---


def test_the_spans_of_a_request(start, collector):
    gateway = start()
    before = time.time_ns()
    response = gateway.get(f"/orders/7?token={TOKEN}", headers=[("traceparent", SAMPLED), ("tracestate", "a=1")])
    trace, call, flags = context(response.seen)
    assert (trace, flags) == (TRACE, "01")
    assert response.seen.values("tracestate") == ["a=1"]
    whole, verification, called = wait_for_spans(gateway, collector, 3)
    for span in (whole, verification, called):
        assert span.trace_id.hex() == TRACE
        assert span.trace_state == "a=1"
        assert before <= span.start_time_unix_nano <= span.end_time_unix_nano <= time.time_ns()
        assert whole.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= whole.end_time_unix_nano
    assert (whole.name, whole.kind) == ("GET /*", Span.SPAN_KIND_SERVER)
    assert (verification.name, verification.kind) == ("verify token", Span.SPAN_KIND_INTERNAL)
    assert (called.name, called.kind) == ("call function", Span.SPAN_KIND_CLIENT)
    assert whole.parent_span_id.hex() == PARENT
    assert verification.parent_span_id == called.parent_span_id == whole.span_id
    assert called.span_id.hex() == call
    assert len({whole.span_id, verification.span_id, called.span_id}) == 3
    assert whole.flags == 0x301 and called.flags == 0x101
    assert whole.status.code == Status.STATUS_CODE_UNSET
    line = gateway.access_line(response)
    assert line["trace_id"] == TRACE
    assert attributes(whole.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/*",
        "url.path": "/orders/7",
        "url.scheme": "http",
        "server.address": API,
        "client.address": "127.0.0.1",
        "claimgate.function": "orders",
        "claimgate.outcome": "accepted",
        "claimgate.request_id": response.header("x-fc-request-id"),
    }


def test_what_a_message_is(start, collector):
    gateway = start()
    gateway.get(token=TOKEN)
    wait_for_spans(gateway, collector, 3)
    (path, headers, _), (export,) = collector.messages[0], collector.exports
    assert (path, headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
    assert headers["host"] == collector.url.removeprefix("http://")
    resource = attributes(export.resource_spans[0].resource.attributes)
    assert resource["service.name"] == "claimgate" and resource["service.version"]
    assert export.resource_spans[0].scope_spans[0].scope.name == "claimgate"
    gateway.poll(lambda: read_metrics(gateway).value("claimgate_spans_exported_total") == 1)


def test_refusals_and_failures(start, collector, recorder):
    gateway = start()
    gateway.request("BREW", "/x?secret=word", headers=[("traceparent", SAMPLED)])
    refused, _ = wait_for_spans(gateway, collector, 2)
    assert refused.name == "_OTHER /*"
    found = attributes(refused.attributes)
    assert (found["http.request.method"], found["error.type"]) == ("_OTHER", "missing_token")
    assert refused.status.code == Status.STATUS_CODE_UNSET
    for _, _, body in collector.messages:
        assert b"secret" not in body and b"BREW" not in body
    collector.messages.clear()
    tracing = {"otlpEndpoint": collector.url}
    gateway.write(configuration([domain(API)], [function("unix:/nowhere")], tracing=tracing))
    gateway.wait_for_log(lambda line: line["message"] == "configuration reloaded")
    assert gateway.get().status == 502
    failed, called = wait_for_spans(gateway, collector, 2)
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert (failed.parent_span_id, called.parent_span_id) == (b"", failed.span_id)
    assert attributes(failed.attributes)["http.response.status_code"] == 502


@pytest.mark.parametrize("ratio", [0, 1])
def test_the_clients_decision_is_honoured(start, collector, ratio):
    gateway = start(sampleRatio=ratio)
    no = gateway.get(token=TOKEN, headers=[("traceparent", UNSAMPLED)]).seen
    assert no.values("traceparent") == [UNSAMPLED]
    yes = gateway.get(token=TOKEN, headers=[("traceparent", SAMPLED)]).seen
    assert context(yes)[0::2] == (TRACE, "01")
    spans = wait_for_spans(gateway, collector, 3)
    assert {span.trace_id.hex() for span in spans} == {TRACE}


def test_chance_decides_where_no_client_has(start, collector):
    gateway = start(sampleRatio=0)
    assert context(gateway.get(token=TOKEN).seen)[2] == "00"
    gateway = start(sampleRatio=0.5)
    flags = [context(gateway.get(token=TOKEN, headers=[("tracestate", "a=1")]).seen)[2] for _ in range(60)]
    assert set(flags) == {"00", "01"}
    wait_for_spans(gateway, collector, 3 * flags.count("01"))


def test_nothing_is_lost_at_the_end(start, collector):
    gateway = start()
    for _ in range(10):
        gateway.get(token=TOKEN)
    assert gateway.stop() == 0
    assert len(collector.spans) == 30


def test_a_collector_that_is_away_holds_up_no_request(start, collector):
    gateway = start()
    collector.status = 503
    assert gateway.get(token=TOKEN).status == 200
    gateway.poll(lambda: read_metrics(gateway).value("claimgate_spans_dropped_total") == 1)
    assert [line for line in gateway.log if line["message"] == "cannot export spans, they are dropped"]
    collector.status = 200
    collector.messages.clear()
    gateway.get(token=TOKEN)
    wait_for_spans(gateway, collector, 3)
    # One that does not answer, either.
    collector.answers.clear()
    for _ in range(5):
        assert gateway.get(token=TOKEN).status == 200
    assert gateway.stop() == 0


def test_credentials_come_from_the_environment(recorder, collector, tmp_path):
    tracing = {"otlpEndpoint": f"{collector.url}/otlp/"}
    written = configuration([domain(API)], [function(recorder.url)], tracing=tracing)
    (tmp_path / "c.yaml").write_text(json.dumps(written))
    environment = {
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20c2VjcmV0, x-scope = a",
        "OTEL_SERVICE_NAME": "edge",
        "CLAIMGATE_LOG": "trace",
    }
    process = Process("serve", "--config", "c.yaml", cwd=tmp_path, env=environment)
    line = process.wait_for_log(lambda line: line.get("listener") == "http")
    host, _, port = line["address"].rpartition(":")
    with Connection((host, int(port))) as connection:
        connection.send(head("GET", "/", [("Host", API)]))
        assert connection.receive().status == 200
    assert process.stop() == 0
    (path, headers, _), (export,) = collector.messages[0], collector.exports
    assert path == "/otlp/v1/traces"
    assert (headers["authorization"], headers["x-scope"]) == ("Basic c2VjcmV0", "a")
    assert attributes(export.resource_spans[0].resource.attributes)["service.name"] == "edge"
    assert "c2VjcmV0" not in "".join(process.lines)
