"""The result as text: ratios first, then every row, then what it means."""

import statistics
from argparse import Namespace

from explanation import explanation, machine
from measure import Run
from rows import Row

PROTOCOLS = {"h1": "HTTP/1.1", "h2": "HTTP/2"}
NAMES = {"nginx": "nginx", "HAProxy": "HAProxy", "Node": "Node with jose", "claimgate": "claimgate"}


def progress(row: Row, run: Run) -> str:
    hits = "" if run.hit_rate is None else f" hits {run.hit_rate:.1%}"
    repeated = f" repeated {run.repeated}" if run.repeated else ""
    return (
        f"{row.name:42} {run.per_second:8,.0f} req/s {run.per_cpu_second:8,.0f} req/cpu-s "
        f"p99 {run.p99_ms:7.2f} ms {run.memory_mib:5.0f} MiB others {run.others[0]:.0%} {run.others[1]:.0%}"
        f"{hits}{repeated}{' DISTURBED' if run.is_disturbed else ''}"
    )


def markdown(rows: list[Row], runs: list[list[Run]], rates: dict[str, int], options: Namespace) -> str:
    sections = [["<!-- Made by `scripts/bench --write`. -->", "# claimgate and others at the same job"]]
    for part in (part for part in ("h1", "h2") if part in options.parts):
        results = [(row, its) for row, its in zip(rows, runs) if row.part == part]
        sections.append([f"## {PROTOCOLS[part]}", "", *ratios(results), "", *throughput(results)])
    if "latency" in options.parts:
        results = [(row, its) for row, its in zip(rows, runs) if row.part == "latency"]
        sections.append(["## Latency", "", *latency(results, rates)])
    sections += [explanation(options), machine(options)]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def ratios(results: list) -> list[str]:
    """claimgate over the others, paired within each round."""
    quiet = {
        (row.target.proxy, row.algorithm if row.is_beside else row.job, row.workload if row.remembers else None): its
        for row, its in results
        if not row.target.is_logging
    }
    lines = [
        "Requests per CPU second, claimgate over others: above 1, claimgate needs less CPU. Median of the",
        "rounds' ratios, and between what the middle half of them are.",
        "",
        "| job | tokens | / HAProxy | / Node with jose | / claimgate without authentication | / nginx |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    for (proxy, job, workload), ours in quiet.items():
        if proxy != "claimgate" or (workload is None and job != "plain"):
            continue
        others = [("HAProxy", job, None), ("Node", job, None)]
        if job == "plain":
            others += [None, ("nginx", "plain", None)]
        else:
            others += [("claimgate", job, None), None]
        cells = [ratio(ours, quiet.get(other)) for other in others]
        lines.append(f"| {job} | {workload or 'none looked at'} | {' | '.join(cells)} |")
    return lines


def ratio(ours: list[Run], theirs: list[Run] | None) -> str:
    if theirs is None:
        return "-"
    found = [our.per_cpu_second / their.per_cpu_second for our, their in zip(ours, theirs)]
    return f"{statistics.median(found):.2f} ({'-'.join(f'{bound:.2f}' for bound in middle(found))})"


def middle(values: list[float]) -> tuple[float, float]:
    """What half of the values are between."""
    if len(values) < 3:
        return min(values), max(values)
    first, _, last = statistics.quantiles(values, n=4, method="inclusive")
    return first, last


def throughput(results: list) -> list[str]:
    lines = [
        "| job | proxy | tokens | req/s | req/cpu-s | middle half | µs cpu/req | p50 ms | p99 ms | peak MiB | hits | others |",
        "| --- | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for row, runs in results:
        per_cpu = [run.per_cpu_second for run in runs]
        cells = [
            f"plain, beside {row.algorithm}" if row.is_beside else row.job,
            proxy(row),
            row.workload,
            f"{median(runs, 'per_second'):,.0f}",
            f"{statistics.median(per_cpu):,.0f}",
            "-".join(f"{bound:,.0f}" for bound in middle(per_cpu)),
            f"{1e6 / statistics.median(per_cpu):.1f}",
            *common_cells(runs),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if not any(row.job == "EdDSA" and row.target.proxy == "HAProxy" for row, _ in results):
        if any(row.job == "EdDSA" for row, _ in results):
            lines += ["", "HAProxy 2.6 cannot verify EdDSA: it has no such rows."]
    return lines


def latency(results: list, rates: dict[str, int]) -> list[str]:
    lines = [
        "At half the rate at which claimgate answers when it verifies every token of that algorithm. Where",
        "`answered` is less than the rate, the proxy cannot do it and its latencies are those of overload.",
        "",
        "| tokens of | rate req/s | proxy | job | answered req/s | p50 ms | p99 ms | peak MiB | hits | others |",
        "| --- | --: | --- | --- | --: | --: | --: | --: | --: | --: |",
    ]
    for row, runs in results:
        job = "no authentication" if row.job == "plain" else "verifies"
        if row.remembers:
            job += ", cache off" if row.workload == "uncached" else ", cache on"
        cells = [row.algorithm, f"{rates[row.algorithm]:,}", proxy(row), job]
        cells += [f"{median(runs, 'per_second'):,.0f}", *common_cells(runs)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def common_cells(runs: list[Run]) -> list[str]:
    hit_rates = [run.hit_rate for run in runs if run.hit_rate is not None]
    others = [statistics.median(run.others[index] for run in runs) for index in (0, 1)]
    mark = " *" if any(run.is_disturbed for run in runs) else ""
    return [
        f"{median(runs, 'p50_ms'):.2f}",
        f"{median(runs, 'p99_ms'):.2f}",
        f"{max(run.memory_mib for run in runs):.0f}",
        f"{statistics.median(hit_rates):.1%}" if hit_rates else "-",
        f"{others[0]:.0%}, {others[1]:.0%}{mark}",
    ]


def median(runs: list[Run], value: str) -> float:
    return statistics.median(getattr(run, value) for run in runs)


def proxy(row: Row) -> str:
    return NAMES[row.target.proxy] + (", access log on" if row.target.is_logging else "")
