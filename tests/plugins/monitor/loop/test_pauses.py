from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from galvo import Metric
from galvo_monitor.cells import Registry
from galvo_monitor.loop import PAUSE, Pauses
from galvo_monitor.loop.pauses import MOST


@pytest.fixture
def seen() -> list[tuple[Metric, float]]:
    return []


@pytest.fixture
def pauses(seen: list[tuple[Metric, float]]) -> Iterator[Pauses]:
    made = Pauses(lambda metric, value: seen.append((metric, value)))
    made.start()
    yield made
    made.stop()


def test_a_collection_is_seen(pauses: Pauses, seen: list[tuple[Metric, float]]) -> None:
    gc.collect()
    assert seen == [], "nothing is recorded inside of the collector"
    pauses.tell()
    assert {metric for metric, _ in seen} == {PAUSE}
    assert all(0 < seconds < 60 for _, seconds in seen)


def test_stops(pauses: Pauses, seen: list[tuple[Metric, float]]) -> None:
    pauses.start()
    pauses.stop()
    assert pauses._called not in gc.callbacks, "however often it was started"
    seen.clear()
    gc.collect()
    pauses.tell()
    assert seen == []


def test_what_nobody_asks_for_is_bounded(pauses: Pauses) -> None:
    for _ in range(MOST + 10):
        pauses._called("start", {})
        pauses._called("stop", {})
    assert len(pauses._seen) == MOST


def test_collections_while_a_registry_records() -> None:
    registry = Registry()
    pauses = Pauses(registry.record)
    before = gc.get_threshold()
    gc.set_threshold(2)
    pauses.start()
    try:
        kept = [[registry.record(PAUSE, 0.001)] for _ in range(3000)]
    finally:
        gc.set_threshold(*before)
        pauses.stop()
    [(metric, buckets)] = registry.read(0).histograms
    assert metric == PAUSE
    assert buckets.count > len(kept)
