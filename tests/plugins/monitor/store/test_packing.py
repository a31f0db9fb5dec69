"""Records as bytes and back, whatever their size; and bytes that are none."""

from __future__ import annotations

import zlib

import msgspec
import pytest

from galvo import Metric
from galvo_monitor.cells import Registry, Snapshot
from galvo_monitor.store.packing import PIECE, departed_of, pack, record_of
from galvo_monitor.store.records import REMEMBERED, Departed, Record, counted, less
from galvo_monitor.store.seal import Rejected


def snapshot(series: int) -> Snapshot:
    registry = Registry()
    for number in range(series):
        label = (("number", str(number)),)
        registry.record(Metric("queries", attributes=label), number + 1)
        registry.record(Metric("size", "gauge", "By", label), number)
        for _ in range(3):
            registry.record(Metric("lag", "histogram", "s", label), number / 7)
    return registry.read(1_800_000_000.0)


@pytest.mark.parametrize("series", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_there_and_back(series: int) -> None:
    record = Record(7, snapshot(series), snapshot(series // 2))
    assert record_of(pack(record)) == record
    assert record_of(pack(Record(7, record.now, None))) == Record(7, record.now, None)
    departed = Departed(3, {"a": 1}, counted(record.now))
    assert departed_of(pack(departed)) == departed
    assert departed_of(pack(Departed())) == Departed()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        pack(Departed()),
        pack(Departed())[:-1],
        zlib.compress(b"\x93"),
        zlib.compress(msgspec.msgpack.encode([1, {}, [[], []]])),
        zlib.compress(msgspec.msgpack.encode([1, {}, [["x"], []]])),
        zlib.compress(bytes(17 << 20)),
    ],
)
def test_what_is_no_record(data: bytes) -> None:
    with pytest.raises(Rejected):
        record_of(data)


def test_departed_are_remembered_up_to_a_number() -> None:
    departed = Departed()
    part = snapshot(1)
    for number in range(REMEMBERED + 10):
        departed = departed.with_(str(number), Record(number, part, None))
    assert [*departed.folded] == [str(number) for number in range(10, REMEMBERED + 10)]
    assert departed.version == REMEMBERED + 10
    assert departed.total is not None
    assert [value for _, value in departed.total.counters] == [REMEMBERED + 10]
    assert departed.total.gauges == []


def test_less_takes_away_what_was_counted_before() -> None:
    registry = Registry()
    queries, lag, size = Metric("queries"), Metric("lag", "histogram", "s"), Metric("size", "gauge")
    for metric in (queries, lag, size):
        registry.record(metric, 2)
    older = registry.read(1.0)
    assert less(older, None) == older
    registry.record(queries, 5)
    registry.record(lag, 0.5)
    newer = registry.read(2.0)
    assert [value for _, value in less(older, newer).counters] == [0]
    assert [buckets.count for _, buckets in less(older, newer).histograms] == [0]
    rest = less(newer, older)
    assert rest.counters == [(queries, 5)]
    assert rest.gauges == [(size, 2)]
    assert [(metric, buckets.count, buckets.sum) for metric, buckets in rest.histograms] == [(lag, 1, 0.5)]
