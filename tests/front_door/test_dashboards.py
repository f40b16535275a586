"""The dashboard and the alerts, held against the metrics of a gateway that has seen everything."""

import json
import os
import re
import subprocess

import pytest

from support.certificates import Authority
from support.configuration import configuration, domain, function
from support.gateway import REPOSITORY
from support.key_server import KeyServer
from support.metrics import metrics_text, read_metrics
from support.recorder import Recorder
from support.tokens import jwks, key

DEPLOY = REPOSITORY / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
ALERTS = (DEPLOY / "alerts.yml").read_text()
#: Metrics that Prometheus itself makes of a scrape.
OF_PROMETHEUS = {"up"}
MEMORY = "/dev/shm"


def promtool(*arguments: str, stdin: str = "") -> str:
    # It makes a database and waits for the disk; in memory that takes no time.
    environment = {**os.environ, "TMPDIR": MEMORY} if os.path.isdir(MEMORY) else None
    done = subprocess.run(
        ["promtool", *arguments], input=stdin, capture_output=True, text=True, timeout=60, cwd=DEPLOY, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def metrics(serve, recorder, tmp_path_factory):
    """A gateway whose every metric has a sample."""
    server = KeyServer()
    ours = key("ES256")
    server.publish(jwks(ours))
    auth = {"jwksUri": server.url(), "tokenLookup": "header:Authorization:Bearer", "claimPassBy": "header:sub:x-sub"}
    certificate, private_key = Authority(tmp_path_factory.mktemp("authority")).pair("secure.example.com")
    certificate = {"certName": "test", "certificate": certificate, "privateKey": private_key}
    secure = domain("secure.example.com") | {"protocol": "HTTPS", "certConfig": certificate}
    short = start_short_answers()
    routes = [{"path": "/short", "functionName": "short"}, {"path": "/*", "functionName": "orders"}]
    functions = [function(recorder.url), function(short.url, "short")]
    written = configuration([domain(routes=routes, auth=auth), secure], functions, https="127.0.0.1:0")
    written["store"] = {"sqlite": str(tmp_path_factory.mktemp("store") / "claimgate.db")}
    gateway = serve(written, recorder)
    gateway.get(token=ours.token({"sub": "ann"}))
    gateway.get(token=ours.token({"sub": "a\nb"}))
    gateway.get(token=key("ES256", "another").token({}))
    assert not gateway.get("/short", token=ours.token({"sub": "ann"})).complete
    gateway.write("{")
    gateway.poll(lambda: read_metrics(gateway).value("claimgate_configuration_loads_total", result="refused"))
    yield read_metrics(gateway), metrics_text(gateway, "text/plain")
    server.close()
    short.close()


def start_short_answers() -> Recorder:
    def answer(request, stream, number):
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")
        return True

    return Recorder(answer)


def test_prometheus_itself_has_nothing_against_the_metrics(metrics):
    _, older = metrics
    assert promtool("check", "metrics", stdin=older) == ""


def test_both_formats_have_the_same_samples(metrics):
    new, older = metrics
    samples = [line for line in new.text.splitlines() if not line.startswith("#")]
    assert samples == [line for line in older.splitlines() if not line.startswith("#")]
    assert "# EOF" not in older and "# TYPE claimgate_requests_total counter" in older


def test_the_rules_are_sound():
    assert "SUCCESS" in promtool("check", "rules", "alerts.yml")


def test_the_rules_fire_when_they_should():
    assert "SUCCESS" in promtool("test", "rules", "alerts-test.yml")
    tested = set(re.findall(r"alertname: (\w+)", (DEPLOY / "alerts-test.yml").read_text()))
    assert tested == set(re.findall(r"alert: (\w+)", ALERTS))


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    targets = [target["expr"] for panel in panels() for target in panel["targets"]]
    annotations = [annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]]
    return targets + annotations


def test_the_queries_of_the_dashboard_are_sound(tmp_path):
    """Prometheus parses them once they are rules, and what Grafana fills in is there."""
    filled = [query.replace("$__rate_interval", "5m") for query in queries()]
    filled = [re.sub(r"\$(job|instance|domain)", ".*", query) for query in filled]
    assert len(filled) > 15 and not [query for query in filled if "$" in query]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(filled)]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert "SUCCESS" in promtool("check", "rules", str(file))


def test_every_metric_that_is_asked_for_exists_with_its_labels(metrics):
    new, _ = metrics
    known: dict[str, set[str]] = {}
    for sample in new.samples:
        known.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    variables = [variable.get("definition", "") for variable in DASHBOARD["templating"]["list"]]
    asked = queries() + variables + re.findall(r"expr: (?:\|\n((?: {10,}.*\n)+)|(.*))", ALERTS)
    text = "\n".join("".join(query) for query in asked)
    names = set(re.findall(r"\b(claimgate_\w+|up)\b(?=[\[{, )=]|$)", text, re.MULTILINE))
    assert len(names) > 15
    assert names - known.keys() - OF_PROMETHEUS == set()
    for name, labels in re.findall(r"\b(claimgate_\w+)\{([^}]*)\}", text):
        assert set(re.findall(r"(\w+)=", re.sub(r'"[^"]*"', "", labels))) <= known[name], name


def test_the_page_names_every_metric(metrics):
    new, _ = metrics
    page = (REPOSITORY / "docs/observability.md").read_text()
    for family in new.families.values():
        name = family.name + ("_total" if family.type == "counter" else "")
        # Of several in one row the page gives what differs.
        endings = {name} | {name[at:] for at in (match.start() for match in re.finditer("_", name)) if at > 10}
        assert [one for one in endings if f"`{one}`" in page], name


def test_the_page_names_every_alert():
    page = (REPOSITORY / "docs/observability.md").read_text()
    for alert in re.findall(r"alert: (\w+)", ALERTS):
        assert f"`{alert}`" in page, alert
