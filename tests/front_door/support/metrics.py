"""The metrics of a gateway, read strictly."""

from dataclasses import dataclass

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from support.gateway import Gateway


@dataclass
class Metrics:
    #: What `/metrics` answers.
    text: str

    def __post_init__(self):
        self.families = {family.name: family for family in text_string_to_metric_families(self.text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the one sample with a name and exactly these labels."""
        found = [sample.value for sample in self.samples if sample.name == name and sample.labels == labels]
        assert len(found) < 2, found
        return found[0] if found else None

    def labels(self, name: str) -> list[dict[str, str]]:
        return [sample.labels for sample in self.samples if sample.name == name]


def read_metrics(gateway: Gateway) -> Metrics:
    return Metrics(metrics_text(gateway, "application/openmetrics-text; version=1.0.0"))


def metrics_text(gateway: Gateway, accept: str) -> str:
    url = f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics"
    response = httpx.get(url, headers={"Accept": accept}, trust_env=False, timeout=20)
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == accept.split(";")[0]
    return response.text


def wait_for_metric(gateway: Gateway, value: float | None, name: str, **labels: str):
    """Waits until a sample has a value."""
    gateway.poll(lambda: read_metrics(gateway).value(name, **labels) == value)
