"""One measurement of one row."""

import resource
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import check
import load
import tokens
from processes import busy_seconds, cpu_seconds, listening, peak_memory_mib
from rows import Row
from targets import NotTheSameJob

DISTURBED_SHARE = 0.10
REPETITIONS = 2
WARM_UPS = 15


@dataclass
class Run:
    """What one run of a row gave."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu: float
    """Seconds of CPU that the proxy took."""
    memory_mib: float
    """The most memory that the proxy had resident."""
    hit_rate: float | None
    """The share of tokens that claimgate found among those it had verified."""
    others: list[float]
    """Shares of the proxy's CPU and of the load's CPU that neither proxy, load nor upstream took."""
    repeated: int = 0
    """How many runs before this one were thrown away as disturbed."""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.requests / self.cpu

    @property
    def is_disturbed(self) -> bool:
        return max(self.others) > DISTURBED_SHARE


@dataclass
class CacheCounters:
    """What claimgate has done with the tokens that it remembers."""

    hits: int
    misses: int
    evictions: int

    def since(self, before: "CacheCounters") -> "CacheCounters":
        return CacheCounters(
            self.hits - before.hits, self.misses - before.misses, self.evictions - before.evictions
        )

    @property
    def hit_rate(self) -> float:
        lookups = self.hits + self.misses
        return self.hits / lookups if lookups else 0.0


@dataclass
class Live:
    """A row whose proxy is up, does its job and is warm."""

    row: Row
    pid: int
    port: int


@dataclass
class Bench:
    """What all runs share."""

    directory: Path
    seconds: int
    users: int
    is_smoke: bool
    proxy_cpu: int
    load_cpu: int
    upstream_pid: int
    issuers: dict[str, tokens.Issuer]
    strangers: dict[str, tokens.Issuer]

    def start(self, stack: ExitStack, row: Row) -> Live:
        """Starts a row's proxy, which stays up until the stack's end, checks that it does its job, and warms it up."""
        target = row.target
        log = None if target.is_logging else self.directory / "proxy.log"
        issuer, stranger = self.issuers[row.algorithm], self.strangers[row.algorithm]
        up = listening(self.proxy_cpu, target.command, log, target.environment)
        pid, port = stack.enter_context(up)
        if not target.is_http2_only:
            check.check(target, port, issuer, stranger)
        if row.part == "h2":
            check.check_http2(target, self.load_cpu, port, issuer, stranger)
        self.warm_up(row, port)
        return Live(row, pid, port)

    def run(self, live: Live, rate: int | None = None) -> Run:
        """Measures a row; again when other programs disturbed it, and then gives the least disturbed run."""
        runs = [self.run_once(live, rate)]
        while runs[-1].is_disturbed and len(runs) <= REPETITIONS and not self.is_smoke:
            runs.append(self.run_once(live, rate))
        best = min(runs, key=lambda run: max(run.others))
        best.repeated = len(runs) - 1
        return best

    def run_once(self, live: Live, rate: int | None) -> Run:
        row, pid = live.row, live.pid
        cached_before = cache_counters(row)
        before = self.times(pid)
        measured = self.load(row, live.port, self.seconds, rate)
        proxy, on_load, upstream, on_proxy_cpu, on_load_cpu = (
            now - then for now, then in zip(self.times(pid), before)
        )
        cache = cache_counters(row)
        memory = peak_memory_mib(pid)
        if measured.refused or measured.broken:
            raise NotTheSameJob(f"{row.name}: {measured}")
        hit_rate = None
        if cache and cached_before:
            cache = cache.since(cached_before)
            if not self.is_smoke:
                # A second of a slow machine is too short to fill a cache.
                check_cache(row, cache)
            hit_rate = cache.hit_rate
        others = [on_proxy_cpu - proxy, on_load_cpu - on_load - upstream]
        return Run(
            measured.requests,
            measured.seconds,
            measured.p50_ms,
            measured.p99_ms,
            proxy,
            memory,
            hit_rate,
            [max(0.0, seconds / measured.seconds) for seconds in others],
        )

    def warm_up(self, row: Row, port: int) -> None:
        """Sends requests for a second, and until a cache that will find the tokens has them all."""
        is_filling = row.remembers and row.workload in ("one", "users")
        if self.is_smoke and not is_filling:
            return
        for _ in range(WARM_UPS):
            before = cache_counters(row)
            self.load(row, port, 1, None)
            if not is_filling or cache_counters(row).since(before).hit_rate > 0.99:
                return

    def load(self, row: Row, port: int, seconds: int, rate: int | None) -> load.Load:
        file = self.tokens(row.algorithm)
        if row.part == "h1":
            return load.wrk(self.load_cpu, port, seconds, file, 1 if row.workload == "one" else self.users)
        with open(file) as lines:
            token = lines.readline().strip()
        is_http2, log = row.part == "h2", self.directory / "h2load.log"
        return load.h2load(self.load_cpu, port, seconds, token, log, is_http2, rate)

    def tokens(self, algorithm: str) -> Path:
        return self.directory / f"{algorithm}.tokens"

    def times(self, proxy_pid: int) -> tuple[float, ...]:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (
            cpu_seconds(proxy_pid),
            children.ru_utime + children.ru_stime,
            cpu_seconds(self.upstream_pid),
            busy_seconds(self.proxy_cpu),
            busy_seconds(self.load_cpu),
        )


def cache_counters(row: Row) -> CacheCounters | None:
    if not row.remembers:
        return None
    with urllib.request.urlopen(f"http://127.0.0.1:{row.target.metrics_port}/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    names = ("hits", "misses", "evictions")
    return CacheCounters(*(int(values[f"claimgate_token_cache_{name}_total"]) for name in names))


def check_cache(row: Row, cache: CacheCounters) -> None:
    """Fails when the cache did not do what the row says."""
    if row.workload == "new":
        # Nearly each verified token is taken in, for which another has to go.
        is_right = cache.hit_rate <= 0.05 and cache.evictions >= 0.9 * cache.misses
    elif row.workload == "uncached":
        is_right = cache.hits == 0
    else:
        is_right = cache.hit_rate >= 0.95
    if not is_right:
        raise NotTheSameJob(f"{row.name}: the verified tokens were not used as the row says: {cache}")
