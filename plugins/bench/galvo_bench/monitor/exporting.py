"""What it costs to export what was recorded: a scrape by Prometheus, a collection by OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from time import thread_time, time
from typing import Any

from galvo import Metric
from galvo_bench.method.rounds import Candidate
from galvo_bench.monitor.recording import durations
from galvo_bench.results.model import Section, Values
from galvo_bench.running.peers import Lineup, need
from galvo_bench.running.stand import Stand, must
from galvo_monitor.cells import Registry, Snapshot
from galvo_monitor.export.exposition import exposition
from galvo_monitor.series import Series

NAMES = 10
LABELS = 10
"""Series of each name."""
TOLD = 200
"""Durations of each histogram."""
GALVO = "galvo /metrics"
BY_CLIENT = "galvo by prometheus_client"
CLIENT = "prometheus_client"
Scrape = Callable[[], Iterator[bytes]]
"""Gives the text in pieces."""


def series(kind: str) -> list[tuple[str, dict[str, str]]]:
    """Names and labels, as of statements in several tables."""
    return [
        (f"bench_{kind}_{name}", {"operation": "SELECT", "table": f"table_{number}"})
        for name in range(NAMES)
        for number in range(LABELS)
    ]


async def measure(stand: Stand) -> list[Section]:
    """A scrape and a collection of the same series: galvo's, prometheus_client's, OpenTelemetry's."""
    registry = filled()
    scrapes: dict[str, Scrape] = {GALVO: lambda: exposition(registry.read(time()))}
    scraped = Lineup(_candidate(GALVO, lambda: b"".join(scrapes[GALVO]())))

    async def by_client() -> Candidate:
        scrapes[BY_CLIENT] = by_registry(registry)
        return _candidate(BY_CLIENT, lambda: b"".join(scrapes[BY_CLIENT]()))

    async def client() -> Candidate:
        scrapes[CLIENT] = prometheus()
        return _candidate(CLIENT, lambda: b"".join(scrapes[CLIENT]()))

    await scraped.peer(BY_CLIENT, by_client)
    await scraped.peer(CLIENT, client)
    collected = Lineup(_candidate("galvo, a snapshot", lambda: values(registry)))
    await collected.peer("galvo by OpenTelemetry", lambda: _made("galvo by OpenTelemetry", lambda: bridged(registry)))
    await collected.peer("OpenTelemetry", lambda: _made("OpenTelemetry", otel))
    rows = [await lineup.compare(stand, "cpu") for lineup in (scraped, collected)]
    of = f"of {NAMES * LABELS} histograms and {NAMES * LABELS} counters, CPU time"
    return [
        Section("export", f"A scrape {of}", SCRAPE, [*rows[0]]),
        Section("export", "The text of a scrape", PIECES, [_size(name, scrape) for name, scrape in scrapes.items()]),
        Section("export", f"A collection {of}", COLLECTION, [*rows[1]]),
    ]


SCRAPE = "The text that Prometheus gets, 15 buckets each. By prometheus_client: galvo's numbers through its registry."
PIECES = "piece: the longest time for which nothing else can run in this process, CPU."
COLLECTION = (
    "Numbers in memory, sent nowhere. galvo has quantiles, which OpenTelemetry's 15 buckets have not: its bridge gives "
    "six numbers for each histogram."
)


async def _made(name: str, make: Callable[[], Callable[[], object]]) -> Candidate:
    return _candidate(name, make())


def _candidate(name: str, export: Callable[[], object]) -> Candidate:
    async def operation() -> None:
        export()

    return Candidate(name, operation, 8)


def _size(name: str, scrape: Scrape) -> Values:
    longest = min(_longest(scrape) for _ in range(3))
    text = b"".join(scrape()).decode()
    lines = [line for line in text.splitlines() if line[:1] != "#"]
    told = sum(float(line.split()[-1]) for line in lines if "_count{" in line and line.startswith("bench_seconds"))
    must(told == NAMES * LABELS * TOLD, f"{name} exports {told:,.0f} durations")
    return Values(name, {"lines": len(lines), "KiB": len(text) / 1024, "piece, ms": 1e3 * longest})


def _longest(scrape: Scrape) -> float:
    longest, began = 0.0, thread_time()
    for _ in scrape():
        now = thread_time()
        longest, began = max(longest, now - began), now
    return longest


def filled() -> Registry:
    registry = Registry()
    for name, labels in series("seconds"):
        metric = Metric(name, "histogram", "s", tuple(labels.items()))
        for value in durations(TOLD):
            registry.record(metric, value)
    for name, labels in series("calls"):
        registry.record(Metric(name, attributes=tuple(labels.items())), TOLD)
    return registry


def by_registry(registry: Registry) -> Scrape:
    generate = need("prometheus_client").generate_latest
    theirs = need("prometheus_client").CollectorRegistry()
    theirs.register(import_module("galvo_monitor.export.collector").Collector(lambda: registry.read(time())))
    return lambda: iter([generate(theirs)])


def prometheus() -> Scrape:
    client = need("prometheus_client")
    theirs = client.CollectorRegistry()
    made: dict[str, Any] = {}
    for kind, make in (("seconds", client.Histogram), ("calls", client.Counter)):
        for name, labels in series(kind):
            if name not in made:
                made[name] = make(name, "Of the benchmark.", [*labels], registry=theirs)
            one = made[name].labels(**labels)
            for value in durations(TOLD):
                one.observe(value) if kind == "seconds" else one.inc()
    return lambda: iter([client.generate_latest(theirs)])


def values(registry: Registry) -> tuple[Snapshot, dict[Series, float]]:
    """Of a collection: all that is kept, and what charts and alerts want of it."""
    snapshot = registry.read(time())
    return snapshot, snapshot.since(None)


def bridged(registry: Registry) -> Callable[[], object]:
    meter, collect = _meter()
    bridge = import_module("galvo_monitor.export.otel").Bridge(meter)

    def export() -> object:
        bridge.update(*values(registry))
        return collect()

    return export


def otel() -> Callable[[], object]:
    meter, collect = _meter()
    made: dict[str, Any] = {}
    for kind, make in (("seconds", meter.create_histogram), ("calls", meter.create_counter)):
        for name, labels in series(kind):
            if name not in made:
                made[name] = make(name)
            one = made[name]
            for value in durations(TOLD):
                one.record(value, labels) if kind == "seconds" else one.add(1, labels)
    return collect


def _meter() -> tuple[Any, Callable[[], object]]:
    reader = need("opentelemetry.sdk.metrics.export").InMemoryMetricReader()
    provider = need("opentelemetry.sdk.metrics").MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    return provider.get_meter("bench"), reader.get_metrics_data
