from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from galvo import Metric
from galvo_monitor.loop import LAG, Lag
from galvo_monitor.loop.lag import MOST


class Loop:
    """A loop whose time is told; it has one timer."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: float | None = None

    def time(self) -> float:
        return self.now

    def call_at(self, due: float, call: Callable[..., None], *args: Any) -> Loop:
        self.due, self._call = due, lambda: call(*args)
        return self

    def cancel(self) -> None:
        self.due = None

    def turn(self, late: float = 0.0) -> None:
        assert self.due is not None
        self.now = self.due + late
        self._call()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    made = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: made)
    return made


@pytest.fixture
def seen() -> list[float]:
    return []


@pytest.fixture
def lag(loop: Loop, seen: list[float]) -> Lag:
    def record(metric: Metric, value: float) -> None:
        assert metric is LAG
        seen.append(round(value, 6))

    made = Lag(record)
    made.start()
    return made


@pytest.mark.usefixtures("lag")
def test_what_is_late_does_not_drift(loop: Loop, seen: list[float]) -> None:
    for late in (0.0, 0.1, 0.4, 0.001):
        loop.turn(late)
    assert seen == [0.0, 0.1, 0.4, 0.001]
    assert loop.due == 102.5


@pytest.mark.usefixtures("lag")
def test_a_loop_that_stood_still_was_late_for_all_that_was_due(loop: Loop, seen: list[float]) -> None:
    loop.turn(1.7)
    assert seen == [1.7, 1.2, 0.7, 0.2]
    assert loop.due == 102.5


@pytest.mark.usefixtures("lag")
def test_hours_are_not_made_up_for(loop: Loop, seen: list[float]) -> None:
    loop.turn(100_000)
    assert len(seen) <= MOST + 1
    assert loop.due is not None
    assert loop.now < loop.due <= loop.now + 0.5


def test_stops(lag: Lag, loop: Loop) -> None:
    lag.stop()
    assert loop.due is None
    lag.stop()


async def blocked(lag: Lag) -> None:
    lag.start()
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251  # what it is to notice
    await asyncio.sleep(0.01)
    lag.stop()


def test_a_real_loop_that_is_blocked() -> None:
    seen: list[float] = []
    turns: list[None] = []
    lag = Lag(lambda _, value: seen.append(value), also=lambda: turns.append(None), every=0.05)
    asyncio.run(blocked(lag))
    assert max(seen) >= 0.15
    assert turns
