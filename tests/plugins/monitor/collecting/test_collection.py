"""What a collection does in the application's loop, and what apart from it."""

from __future__ import annotations

import threading

import pytest

from galvo import Kernel, Metric
from galvo_monitor import MonitorPlugin
from galvo_monitor.cells import Buckets, Registry, Snapshot
from galvo_monitor.collecting.reading import only, values_of
from galvo_monitor.panels import Kept
from galvo_monitor.series import TOTAL, Series

pytestmark = pytest.mark.anyio

WAIT = Metric("db.client.connection.wait_time", "histogram", "s")
OTHER = Metric("app.wait", "histogram", "s")


class Overseen(Registry):
    """Knows in which threads it was read."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []

    def read(self, at: float) -> Snapshot:
        self.threads.append(threading.get_ident())
        return super().read(at)


async def test_the_loop_has_other_things_to_do_than_to_read_ten_thousand_series() -> None:
    async with Kernel.of({MonitorPlugin: {"interval": 3600, "answer": False, "state": ""}}) as running:
        collection = running.find_capability("monitor")._collection
        collection._registry = registry = Overseen()
        await collection.collect()
        await collection.glance()
        assert len(registry.threads) >= 2
        assert threading.get_ident() not in registry.threads


async def test_series_that_nobody_looks_at_are_not_counted_out() -> None:
    before = Snapshot(0.0, histograms=[(WAIT, Buckets.of([1.0]))])
    now = Snapshot(10.0, histograms=[(WAIT, Buckets.of([1.0, 3.0])), (OTHER, Buckets.of([5.0]))])
    assert [metric for metric, _ in only(now, Kept().names).histograms] == [WAIT]
    values = values_of(Kept([(WAIT.name, "max"), (OTHER.name, "rate")]), now, before)
    assert values[Series(WAIT.name, "max")] == values[Series(WAIT.name, "max", TOTAL)] == 3.0
    assert values[Series(OTHER.name, "rate")] == 0.1
    assert Series(OTHER.name, "max") not in values
