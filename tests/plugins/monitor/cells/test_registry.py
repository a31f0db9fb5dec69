from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from random import Random
from threading import Barrier, Thread
from typing import Any

import msgspec
import pytest

from galvo import Metric
from galvo_monitor.cells import REFUSED, Buckets, Registry, Snapshot
from galvo_monitor.cells.registry import ATTRIBUTES, FULL, KEPT, LENGTH, NAMES, OBJECTS

WAIT = Metric("wait", "histogram", "s")
HITS = Metric("hits", unit="{read}", attributes=(("level", "l1"),))
SIZE = Metric("size", "gauge", "By")


def counters(snapshot: Snapshot) -> dict[tuple[str, Any], float]:
    return {(metric.name, metric.attributes): value for metric, value in snapshot.counters}


def refused(snapshot: Snapshot, *name: str) -> float:
    return counters(snapshot).get((REFUSED, tuple(("metric", each) for each in name)), 0)


def test_each_kind() -> None:
    registry = Registry()
    for value in (1, 2.5, 0.25):
        for metric in (WAIT, HITS, SIZE):
            registry.record(metric, value)
    snapshot = registry.read(1000.0)
    assert snapshot.at == 1000.0
    assert snapshot.counters == [(HITS, 3.75)]
    assert snapshot.gauges == [(SIZE, 0.25)]
    assert snapshot.histograms == [(WAIT, Buckets.of([1, 2.5, 0.25]))]
    assert registry.read(1001.0).histograms[0][1] is snapshot.histograms[0][1], "nothing was added"


@pytest.mark.parametrize("count", [1, FULL - 1, FULL, FULL + 1, 3 * FULL + 7])
def test_none_is_lost_however_many(count: int) -> None:
    registry = Registry()
    for number in range(count):
        registry.record(WAIT, number)
        registry.record(HITS, 2)
    assert max(map(len, registry._values.values())) < FULL, "they are added up as they come"
    snapshot = registry.read(0)
    assert snapshot.histograms == [(WAIT, Buckets.of(range(count)))]
    assert snapshot.counters == [(HITS, 2 * count)]


@pytest.mark.parametrize("sigma", [0.1, 1.0, 9.0])
def test_histograms_of_near_and_of_far_values(sigma: float) -> None:
    registry, chance = Registry(), Random(3)
    told = [chance.lognormvariate(-9, sigma) for _ in range(5 * FULL + 3)]
    for value in told:
        registry.record(WAIT, value)
    [(_, buckets)] = registry.read(0).histograms
    assert (buckets.counts, buckets.max) == (Buckets.of(told).counts, max(told))
    assert buckets.sum == pytest.approx(sum(told))


def test_equal_metrics_share_a_cell_however_often_they_are_made() -> None:
    registry = Registry()
    for _ in range(1000):
        registry.record(Metric("hits", unit="{read}", attributes=(("level", "l1"),)), 1)
    registry.record(Metric("two", attributes=(("b", "2"), ("a", "1"))), 1)
    registry.record(Metric("two", attributes=(("a", "1"), ("b", "2"))), 1)
    assert counters(registry.read(0)) == {
        ("hits", (("level", "l1"),)): 1000,
        ("two", (("a", "1"), ("b", "2"))): 2,
    }
    assert len(registry._metrics) <= OBJECTS + 2, "a metric made for each record is not kept"


def test_a_metric_that_is_gone_does_not_lend_its_identity() -> None:
    registry = Registry(most=3)
    for number in range(5000):
        registry.record(Metric("a", attributes=(("n", str(number % 4)),)), 1)
        registry.record(Metric("b"), 1)
    found = counters(registry.read(0))
    assert found["b", ()] == 5000
    assert [found["a", (("n", str(number)),)] for number in range(3)] == [1250] * 3
    assert found["a", (("other", "true"),)] == 1250


@pytest.mark.parametrize("kind", ["counter", "gauge", "histogram"])
def test_too_many_series_are_one(kind: Any) -> None:
    registry = Registry(most=200)
    for number in range(100_000):
        registry.record(Metric("hostile", kind, attributes=(("path", f"/{number}"),)), 1)
    snapshot = registry.read(0)
    series = [metric for metric, _ in (*snapshot.counters, *snapshot.gauges, *snapshot.histograms)]
    assert len([metric for metric in series if metric.name == "hostile"]) == 201
    assert Metric("hostile", kind, attributes=(("other", "true"),)) in series
    assert refused(snapshot, "hostile") == 100_000 - 200
    if kind == "counter":
        assert counters(snapshot)["hostile", (("other", "true"),)] == 100_000 - 200
    assert len(registry._metrics) <= 210
    assert len(registry._values) == len(registry._metrics)


@pytest.mark.parametrize("attributes", [(("b", "1"), ("a", "2")), (("a", "x" * (LENGTH + 1)),), (("code", 200),)])
def test_a_series_that_exists_is_found_when_its_name_is_full(attributes: Any) -> None:
    registry = Registry(most=1)
    for _ in range(3 * OBJECTS):
        registry.record(Metric("full", attributes=attributes), 1)
    assert [value for _, value in registry.read(0).counters] == [3 * OBJECTS]


def test_too_many_names_go_nowhere() -> None:
    registry = Registry(most=3)
    for number in range(NAMES * 3):
        registry.record(Metric(f"name {number}"), 1)
    snapshot = registry.read(0)
    assert len(snapshot.counters) == NAMES
    assert refused(snapshot) == NAMES * 2 + 1
    registry.record(Metric("name 0"), 1)
    assert counters(registry.read(0))["name 0", ()] == 2


def test_refusals_of_many_names_are_bounded_too() -> None:
    registry = Registry(most=2)
    for name in range(50):
        for number in range(5):
            registry.record(Metric(f"name {name}", attributes=(("n", str(number)),)), 1)
    found = counters(registry.read(0))
    told = {attributes: value for (name, attributes), value in found.items() if name == REFUSED}
    assert len(told) == 3
    assert sum(told.values()) == 150


@pytest.mark.parametrize("other", [Metric("wait", "counter", "s"), Metric("wait", "histogram", "By")])
def test_a_name_has_one_kind_and_unit(other: Metric) -> None:
    registry = Registry()
    registry.record(WAIT, 1)
    registry.record(other, 5)
    snapshot = registry.read(0)
    assert snapshot.histograms == [(WAIT, Buckets.of([1]))]
    assert counters(snapshot) == {(REFUSED, (("metric", "wait"),)): 1}


def test_attributes_are_short_texts() -> None:
    registry = Registry()
    hostile: Any = [("sql", "x" * 10_000), ("n", 7)]
    for _ in range(2):
        registry.record(Metric("a", attributes=tuple(hostile)), 1)
        registry.record(Metric("a", attributes=hostile), 1)
    assert counters(registry.read(0)) == {("a", (("n", "7"), ("sql", "x" * LENGTH))): 4}


LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    "attributes", [(("a", LONG),), (("a", 7),), tuple((f"k{number:05}", "v") for number in range(10_000))]
)
def test_what_was_shortened_is_not_kept_as_it_came(attributes: Any) -> None:
    registry = Registry()
    for _ in range(2):
        registry.record(Metric("a", attributes=attributes), 1)
        registry.record(Metric("a" * (LENGTH + 1), attributes=attributes), 1)
    assert registry._metrics == []
    for (name, kept), value in counters(registry.read(0)).items():
        assert value == 2
        assert (len(name), len(kept)) <= (LENGTH, ATTRIBUTES)
        assert max(len(text) for pair in kept for text in pair) <= LENGTH


def test_a_metric_in_another_order_is_found_by_its_identity() -> None:
    registry, metric = Registry(), Metric("a", attributes=(("b", "1"), ("a", "2")))
    for _ in range(3):
        registry.record(metric, 1)
    assert registry._metrics == [metric]
    assert counters(registry.read(0)) == {("a", (("a", "2"), ("b", "1"))): 3}


def test_text_that_utf8_cannot_hold_is_replaced() -> None:
    """A file name that the file system does not spell in UTF-8, for example."""
    registry = Registry()
    odd = os.fsdecode(b"\xff.bin") + "\0"
    for _ in range(2):
        registry.record(Metric(odd, unit=odd, attributes=((odd, odd),)), 1)
    snapshot = registry.read(0)
    assert counters(snapshot) == {("?.bin�", (("?.bin�", "?.bin�"),)): 2}
    msgspec.json.encode(snapshot.counters)


BAD = (float("nan"), float("inf"), float("-inf"), None, "7", 10**400)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_no_number_does_not_count(bad: Any, place: int) -> None:
    registry = Registry()
    told = [1.0, 2.0]
    told.insert(place, bad)
    for value in told:
        for metric in (WAIT, HITS, SIZE):
            registry.record(metric, value)
    snapshot = registry.read(0)
    assert snapshot.counters == [(HITS, 3.0)]
    assert snapshot.gauges == [(SIZE, 2.0)]
    assert snapshot.histograms == [(WAIT, Buckets.of([1, 2]))]


def test_negative_values() -> None:
    registry = Registry()
    for value in (-1e-9, 2.0, -3):
        registry.record(WAIT, value)
        registry.record(HITS, value)
        registry.record(SIZE, value)
    snapshot = registry.read(0)
    assert snapshot.counters == [(HITS, 2.0)]
    assert snapshot.gauges == [(SIZE, -3.0)]
    [(_, buckets)] = snapshot.histograms
    assert (buckets.count, buckets.quantile(0.5), buckets.max, buckets.sum) == (3, 0.0, 2.0, 0.0)
    registry.record(WAIT, -1)
    assert registry.read(0).histograms[0][1].counts == {**buckets.counts, 0: 3}


def test_a_gauge_that_nobody_tells_any_more_has_no_value() -> None:
    now = 1000.0
    registry = Registry(clock=lambda: now)
    registry.record(SIZE, 5)
    assert registry.read(0).gauges == [(SIZE, 5.0)]
    now += KEPT
    assert registry.read(1e9).gauges == [(SIZE, 5.0)], "the wall clock was set"
    now += 1
    assert registry.read(0).gauges == []
    registry.record(SIZE, 6)
    assert registry.read(0).gauges == [(SIZE, 6.0)]


@pytest.mark.parametrize("before", [(), (5.0,)])
@pytest.mark.parametrize("read", [False, True])
def test_a_gauge_can_be_forgotten_until_it_is_told_again(before: tuple[float, ...], read: bool) -> None:
    registry = Registry()
    for value in before:
        registry.record(SIZE, value)
    if read:
        registry.read(0)
    registry.forget(SIZE)
    assert registry.read(0).gauges == registry.read(0).gauges == []
    registry.forget(SIZE)
    registry.record(SIZE, 6.0)
    assert registry.read(0).gauges == registry.read(0).gauges == [(SIZE, 6.0)]


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switching")
def test_threads_lose_nothing() -> None:
    """While others read, too, and new series appear."""
    registry, threads, each = Registry(most=20), 4, 20_000
    together = Barrier(threads + 1)

    def tell(thread: int) -> None:
        together.wait()
        for number in range(each):
            registry.record(WAIT, 0.5)
            registry.record(HITS, 1)
            registry.record(Metric("made", attributes=(("n", str(number % 30)),)), 1)

    running = [Thread(target=tell, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    together.wait()
    last = registry.read(0)
    while any(thread.is_alive() for thread in running):
        snapshot = registry.read(0)
        assert all(new >= old for (_, old), (_, new) in zip(last.counters, snapshot.counters, strict=False))
        last = snapshot
    found = counters(registry.read(0))
    assert found["hits", HITS.attributes] == threads * each
    assert sum(value for (name, _), value in found.items() if name == "made") == threads * each
    assert found["made", (("other", "true"),)] == refused(registry.read(0), "made")
    [(_, buckets)] = registry.read(0).histograms
    assert (buckets.count, buckets.sum) == (threads * each, threads * each / 2)


def test_a_finalizer_may_record_at_any_time() -> None:
    """The garbage collector runs inside of whatever makes an object, and what it ends may record."""
    registry = Registry()
    ended = 0

    class Ending:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            nonlocal ended
            ended += 1
            registry.record(Metric("ended", attributes=(("n", str(ended % 7)),)), 1)
            registry.record(WAIT, 1)

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for number in range(2000):
            Ending()
            registry.record(WAIT, 1)
            registry.record(Metric("made", attributes=(("n", str(number)),)), 1)
            if number % 100 == 0:
                registry.read(0)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    snapshot = registry.read(0)
    found = counters(snapshot)
    assert sum(value for (name, _), value in found.items() if name == "ended") == ended == 2000
    assert snapshot.histograms[0][1].count == 4000
