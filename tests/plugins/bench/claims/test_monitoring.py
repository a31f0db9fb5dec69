"""What the monitor takes, by real queries with and without it: one that takes more is seen."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from galvo import hookimpl
from galvo_bench.claims import monitoring
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.method import rounds
from galvo_bench.results.model import Values
from galvo_bench.running.stand import Stand
from galvo_monitor import MonitorPlugin

pytestmark = pytest.mark.anyio
WASTED = 0.001
"""Seconds of CPU for each metric: at 1,000 queries a second all of a core, and more."""


class Wasteful(MonitorPlugin):
    @hookimpl
    def on_metric(self, metric: Any, value: float) -> None:
        until = process_time() + WASTED
        while process_time() < until:
            pass
        super().on_metric(metric, value)


async def test_a_monitor_that_takes_much_is_seen(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "REPEATS", 40)
    monkeypatch.setattr(rounds, "PATIENCE", 0.0)
    honest = await monitoring.measure(stand)
    told = {row.name: row.values["% of a core"] for row in honest.sections[1].rows if isinstance(row, Values)}
    assert honest.galvo == honest.middle == pytest.approx(told["recording"] + told["collections"])
    assert honest.low <= honest.middle <= honest.high
    assert told["collections"] > 0
    monkeypatch.setattr(monitoring, "MONITOR", Wasteful)
    lie = await monitoring.measure(stand)
    assert lie.low > 5e4 * WASTED, "half of it at least"
    assert honest.high < lie.low
    assert verdict(CLAIMS["monitored"], lie) == "missed"
