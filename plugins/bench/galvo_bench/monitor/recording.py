"""What one recorded value costs, and how far percentiles are from the exact ones."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from math import ceil, inf
from typing import Any

from galvo import Context, Kernel, Metric, Plugin, hookimpl
from galvo_bench.method.rounds import Candidate
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.peers import Lineup, attempt, need
from galvo_bench.running.stand import Stand, must
from galvo_monitor.cells import Buckets, Registry

EACH = 5_000
"""Records of a call."""
MANY = 100_000
"""Values of which percentiles are taken."""
QS = {"p50 %": 0.5, "p95 %": 0.95, "p99 %": 0.99, "p99.9 %": 0.999}
LABELS = {"db.system.name": "postgresql", "db.operation.name": "SELECT"}
ATTRIBUTES = tuple(LABELS.items())
Record = Callable[[float], object]


class Sink(Plugin):
    """The monitor's hook without the monitor."""

    name = "sink"
    provides = ("sink",)

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self.registry = Registry()

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.registry.record(metric, value)


def durations(count: int) -> list[float]:
    """Seconds, as of a database's answers: median 2.5 ms, one in a hundred over 25 ms. Seeded."""
    chance = random.Random(7)  # noqa: S311
    return [chance.lognormvariate(-6, 1) for _ in range(count)]


async def measure(stand: Stand) -> list[Section]:
    async with Kernel.of({Sink: {}}) as kernel:
        return await _measured(stand, kernel)


async def _measured(stand: Stand, kernel: Kernel) -> list[Section]:
    told = durations(EACH)
    registry: Registry = kernel.find_capability("sink").registry
    waits, counts = Metric("wait", "histogram", "s", ATTRIBUTES), Metric("calls", attributes=ATTRIBUTES)

    def ours(name: str, record: Callable[[Metric, float], object], metric: Metric) -> Candidate:
        async def operation() -> None:
            for value in told:
                record(metric, value)

        return Candidate(name, operation, 2, EACH)

    def theirs(name: str, make: Callable[[], Record]) -> tuple[str, Callable[[], Awaitable[Candidate]]]:
        async def made() -> Candidate:
            record = make()

            async def operation() -> None:
                for value in told:
                    record(value)

            return Candidate(name, operation, 2, EACH)

        return name, made

    histograms = Lineup(
        ours("galvo histogram", registry.record, waits),
        ours("the same, by the kernel's hook", kernel.record, waits),
    )
    for name, make in HISTOGRAMS.items():
        await histograms.peer(*theirs(name, make))
    counters = Lineup(ours("galvo counter", registry.record, counts))
    for name, make in COUNTERS.items():
        await counters.peer(*theirs(name, make))
    rows = [await histograms.compare(stand, "cpu"), await counters.compare(stand, "cpu")]
    snapshot = registry.read(0.0)
    must(snapshot.histograms[0][1].count >= EACH, "nothing was recorded")
    must(snapshot.counters[0][1] > 0, "nothing was counted")
    labels = "Two labels, bound before; CPU time. galvo's includes adding up, which it does 512 values at a time."
    return [
        Section("recording", "Record a duration", labels, [*rows[0]]),
        Section("recording", "Count", labels, [*rows[1]]),
        Section("recording", f"Error of percentiles of {MANY:,} durations", ERRORS, [*await errors()]),
    ]


# -- the peers ----------------------------------------------------------------------------------------


def prometheus_histogram() -> Record:
    observe: Record = _prometheus("Histogram").observe
    return observe


def prometheus_counter() -> Record:
    inc: Record = _prometheus("Counter").inc
    return inc


def _prometheus(kind: str) -> Any:
    client = need("prometheus_client")
    names = [name.replace(".", "_") for name in LABELS]
    made = getattr(client, kind)("bench", "Of the benchmark.", names, registry=client.CollectorRegistry())
    return made.labels(*LABELS.values())


def otel_histogram() -> Record:
    record = _otel().create_histogram("bench", unit="s").record
    return lambda value: record(value, LABELS)


def otel_counter() -> Record:
    add = _otel().create_counter("bench").add
    return lambda value: add(value, LABELS)


def _otel() -> Any:
    metrics = need("opentelemetry.sdk.metrics")
    reader = need("opentelemetry.sdk.metrics.export").InMemoryMetricReader()
    return metrics.MeterProvider(metric_readers=[reader], shutdown_on_exit=False).get_meter("bench")


def sketch() -> Record:
    add: Record = need("ddsketch").DDSketch().add
    return add


HISTOGRAMS: dict[str, Callable[[], Record]] = {
    "prometheus_client Histogram": prometheus_histogram,
    "ddsketch": sketch,
    "OpenTelemetry histogram": otel_histogram,
}
COUNTERS: dict[str, Callable[[], Record]] = {
    "prometheus_client Counter": prometheus_counter,
    "OpenTelemetry counter": otel_counter,
}

# -- errors -------------------------------------------------------------------------------------------

ERRORS = (
    "Of the exact percentile. prometheus_client has its default buckets, between which histogram_quantile draws lines."
)


async def errors() -> list[Values | Missing]:
    told = durations(MANY)
    ordered = sorted(told)
    exact = {name: ordered[ceil(q * MANY) - 1] for name, q in QS.items()}

    async def of(make: Callable[[list[float]], Callable[[float], float]]) -> dict[str, float]:
        quantile = make(told)
        return {name: 100 * (quantile(q) / exact[name] - 1) for name, q in QS.items()}

    ours = await of(_galvo)
    must(all(abs(error) <= 100 / 32 for error in ours.values()), "percentiles are further off than they can be")
    rows: list[Values | Missing] = [Values("galvo, 16 buckets a power of two", ours)]
    for name, make in QUANTILES.items():
        found = await attempt(name, lambda make=make: of(make))  # type: ignore[misc]
        rows.append(found if isinstance(found, Missing) else Values(name, found))
    return rows


def _galvo(told: list[float]) -> Callable[[float], float]:
    buckets = Buckets.of(told)
    return lambda q: buckets.quantile(q) or 0.0


def _ddsketch(told: list[float]) -> Callable[[float], float]:
    found = need("ddsketch").DDSketch()
    for value in told:
        found.add(value)
    return lambda q: float(found.get_quantile_value(q))


def _histogram_quantile(told: list[float]) -> Callable[[float], float]:
    """As Prometheus does it."""
    bounds = [float(bound) for bound in need("prometheus_client").Histogram.DEFAULT_BUCKETS]
    upto = [sum(value <= bound for value in told) for bound in bounds]

    def quantile(q: float) -> float:
        rank, below, low = q * len(told), 0, 0.0
        for bound, count in zip(bounds, upto, strict=True):
            if count >= rank:
                return low if bound == inf else low + (bound - low) * (rank - below) / (count - below)
            below, low = count, bound
        return low

    return quantile


QUANTILES: dict[str, Callable[[list[float]], Callable[[float], float]]] = {
    "ddsketch, 1 %": _ddsketch,
    "prometheus_client, 15 buckets": _histogram_quantile,
}
