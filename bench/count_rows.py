"""Which rows scripts/count-instructions has. Needs nothing but Python."""

from dataclasses import dataclass

FEW, MANY = 10, 100_000
"""Domains of a configuration."""


@dataclass
class Row:
    """What is sent, and to how many domains."""

    kind: str
    algorithm: str
    domains: int = FEW

    @property
    def name(self) -> str:
        domains = f", {self.domains:,} domains" if self.domains != FEW else ""
        return f"{self.kind} {self.algorithm}{domains}"


ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"]
ALL = [
    *(Row(kind, algorithm) for algorithm in ALGORITHMS for kind in ("plain", "cached")),
    Row("query", "HS256"),
    Row("new", "HS256"),
    Row("refused", "HS256"),
    Row("plain", "HS256", domains=MANY),
    Row("cached", "HS256", domains=MANY),
]
GOALS = [
    # (a row's name, over which, at most)
    *((f"cached {algorithm}", f"plain {algorithm}", 1.10) for algorithm in ALGORITHMS),
    ("plain HS256, 100,000 domains", "plain HS256", 1.05),
    ("cached HS256, 100,000 domains", "cached HS256", 1.05),
]
