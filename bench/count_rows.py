"""Which rows scripts/count-instructions has. Needs nothing but Python."""

from dataclasses import dataclass

FEW, MANY = 10, 100_000
"""Domains of a configuration."""


@dataclass
class Row:
    """What is sent, and to how many domains."""

    kind: str
    algorithm: str | None = None
    domains: int = FEW

    @property
    def name(self) -> str:
        algorithm = f" {self.algorithm}" if self.algorithm else ""
        domains = f", {self.domains:,} domains" if self.domains != FEW else ""
        return f"{self.kind}{algorithm}{domains}"


ALL = [
    Row("plain"),
    *(Row("cached", algorithm) for algorithm in ("HS256", "RS256", "ES256", "EdDSA")),
    Row("new", "HS256"),
    Row("refused", "HS256"),
    Row("plain", domains=MANY),
    Row("cached", "HS256", domains=MANY),
]
GOALS = [
    # (a row's name, over which, at most)
    *((f"cached {algorithm}", "plain", 1.10) for algorithm in ("HS256", "RS256", "ES256", "EdDSA")),
    ("plain, 100,000 domains", "plain", 1.05),
    ("cached HS256, 100,000 domains", "cached HS256", 1.05),
]
