from __future__ import annotations

import msgspec
import pytest

from galvo import Metric
from galvo_monitor.cells import Buckets, Registry, Snapshot, merged
from galvo_monitor.series import Values

WAIT = Metric("wait", "histogram", "s")
HITS = Metric("hits", unit="{read}", attributes=(("level", "l1"),))
SIZE = Metric("size", "gauge", "By")


def shown(values: Values) -> dict[str, float]:
    return {str(series): value for series, value in values.items()}


def test_the_numbers_of_an_interval() -> None:
    older = Snapshot(100.0, [(HITS, 10.0)], [(SIZE, 7.0)], [(WAIT, Buckets.of([64.0] * 100))])
    newer = Snapshot(110.0, [(HITS, 40.0)], [(SIZE, 9.0)], [(WAIT, Buckets.of([64.0] * 100 + [1.0, 1.0, 1.0, 4.0]))])
    assert shown(newer.since(older)) == {
        'hits{level="l1"} rate': 3.0,
        "size value": 9.0,
        "wait rate": 0.4,
        "wait busy": 0.7,
        "wait mean": 1.75,
        "wait p50": 1.03125,
        "wait p95": 4.125,
        "wait p99": 4.125,
        "wait max": 4.125,  # within 1/32: the largest of all was before
    }


def test_nothing_came() -> None:
    older = Snapshot(100.0, [(HITS, 10.0)], [], [(WAIT, Buckets.of([1.0]))])
    newer = msgspec.structs.replace(older, at=130.0)
    assert shown(newer.since(older)) == {'hits{level="l1"} rate': 0.0, "wait rate": 0.0, "wait busy": 0.0}


def test_the_first_one_has_no_rates() -> None:
    first = Snapshot(100.0, [(HITS, 10.0)], [(SIZE, 7.0)], [(WAIT, Buckets.of([1.0, 3.0]))])
    assert shown(first.since(None)) == {
        "size value": 7.0, "wait mean": 2.0, "wait p50": 1.03125, "wait p95": 3.0, "wait p99": 3.0, "wait max": 3.0,
    }  # fmt: skip


def test_a_series_that_is_new_began_at_nothing() -> None:
    older, newer = Snapshot(100.0), Snapshot(110.0, [(HITS, 20.0)], [], [(WAIT, Buckets.of([1.0] * 5))])
    found = shown(newer.since(older))
    assert (found['hits{level="l1"} rate'], found["wait rate"]) == (2.0, 0.5)


def test_a_restart_is_no_negative_rate() -> None:
    older = Snapshot(100.0, [(HITS, 1000.0)], [], [(WAIT, Buckets.of([1.0] * 100))])
    newer = Snapshot(110.0, [(HITS, 20.0)], [], [(WAIT, Buckets.of([1.0] * 5))])
    found = shown(newer.since(older))
    assert (found['hits{level="l1"} rate'], found["wait rate"], found["wait max"]) == (2.0, 0.5, 1.0)


@pytest.mark.parametrize("jump", [-7200.0, -10.0, 3600.0])
def test_a_clock_that_jumps_does_not_change_rates(jump: float) -> None:
    older = Snapshot(1e6, [(HITS, 10.0)], steady=50.0)
    assert shown(Snapshot(1e6 + 10 + jump, [(HITS, 40.0)], steady=60.0).since(older)) == {'hits{level="l1"} rate': 3.0}


@pytest.mark.parametrize("at", [90.0, 100.0])
def test_without_time_there_are_no_rates(at: float) -> None:
    assert Snapshot(at, [(HITS, 40.0)], [(SIZE, 1.0)]).since(Snapshot(100.0, [(HITS, 10.0)])).keys() == set(
        Snapshot(at, [], [(SIZE, 1.0)]).since(None)
    )


def test_travels_as_msgpack() -> None:
    registry = Registry()
    for metric in (WAIT, HITS, SIZE):
        registry.record(metric, 3)
    snapshot = registry.read(100.0)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=Snapshot)
    assert again == snapshot
    assert again.steady > 0
    assert again.since(None) == snapshot.since(None)


def gauge(name: str, unit: str, *values: float) -> float:
    metric = Metric(name, "gauge", unit)
    [(_, found)] = merged([Snapshot(1.0, gauges=[(metric, value)]) for value in values]).gauges
    return found


def test_gauges_of_several_processes() -> None:
    assert gauge("process.memory.usage", "By", 3, 5) == 8
    assert gauge("db.client.connection.count", "{connection}", 3, 5) == 8
    assert gauge("galvo.cache.hit_ratio", "1", 0.5, 1.0) == 0.75
    assert gauge("galvo.some.age", "s", 3, 5) == 5
    assert gauge("galvo.disk.time_to_full", "s", 600, 31_536_000) == 600
    assert gauge("system.cpu.utilization", "1", 0.3, 0.4) == 0.4
    assert gauge("galvo.database.sessions", "{session}", 3, 5) == 5
    assert gauge("galvo.tasks.depth", "{task}", 3, 5) == 5
    assert gauge("galvo.tasks.concurrency", "{task}", 3, 5) == 8
    assert gauge("galvo.memory.limit", "By", 3, 5) == 5


def test_counters_and_histograms_add_up() -> None:
    one = Snapshot(10.0, [(HITS, 1.0)], [], [(WAIT, Buckets.of([1.0, 2.0]))], 5.0)
    two = Snapshot(20.0, [(HITS, 2.0), (Metric("more"), 1.0)], [], [(WAIT, Buckets.of([9.0]))], 7.0)
    both = merged([one, two])
    assert (both.at, both.steady) == (10.0, 5.0)
    assert both.counters == [(HITS, 3.0), (Metric("more"), 1.0)]
    assert both.histograms == [(WAIT, Buckets.of([1.0, 2.0, 9.0]))]
    assert merged([one]) == one


def test_of_no_process_there_is_nothing_to_merge() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merged([])
