"""The counts as text: ratios first, then every row; and the reference that is kept."""

import re
import sys

from count_rows import GOALS
from explanation import computer_and_claimgate, first_line
from targets import HERE

REFERENCE = HERE / "INSTRUCTIONS.md"
ROW = re.compile(r"\| ([^|]+) \| ([\d,]+) \|")


def markdown(counted: dict[str, float]) -> str:
    sections = [
        ["<!-- Made by `scripts/count-instructions --write`. -->", "# Instructions a request"],
        ratios(counted),
        table(counted),
        [
            "`scripts/count-instructions --help` says what the rows are, and what a count does not see.",
            "`scripts/count-instructions --compare` prints the difference to this page.",
        ],
        machine(),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def ratios(counted: dict[str, float]) -> list[str]:
    rows = [
        f"| {name} | {over} | {counted[name] / counted[over]:.3f} | {most:.2f} |"
        for name, over, most in GOALS
        if name in counted and over in counted
    ]
    return rows and ["| row | over | ratio | goal: at most |", "| --- | --- | --: | --: |", *rows]


def table(counted: dict[str, float]) -> list[str]:
    rows = [f"| {name} | {instructions:,.0f} |" for name, instructions in counted.items()]
    return ["| row | instructions a request |", "| --- | --: |", *rows]


def machine() -> list[str]:
    lines = [*computer_and_claimgate(), first_line("rustc", "--version"), first_line("valgrind", "--version")]
    return ["## Machine and versions", *(f"- {line}" for line in lines)]


def comparison(counted: dict[str, float], reference: dict[str, float]) -> list[str]:
    rows = [
        f"| {name} | {reference[name]:,.0f} | {instructions:,.0f} | {difference(instructions, reference[name]):+.1f} % |"
        for name, instructions in counted.items()
        if name in reference
    ]
    return ["| row | reference | now | difference |", "| --- | --: | --: | --: |", *rows]


def worst(counted: dict[str, float], reference: dict[str, float]) -> float:
    """The greatest difference to the reference, in per cent."""
    both = counted.keys() & reference.keys()
    return max((difference(counted[name], reference[name]) for name in both), default=0.0)


def difference(now: float, then: float) -> float:
    return (now / then - 1) * 100


def read_reference() -> dict[str, float]:
    if not REFERENCE.exists():
        print("there is no reference to compare with; make one: scripts/count-instructions --write", file=sys.stderr)
        sys.exit(2)
    return {name: float(count.replace(",", "")) for name, count in ROW.findall(REFERENCE.read_text())}
