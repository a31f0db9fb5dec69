"""Traffic that does not change has no incident, however little it is; one that begins is told at its second look.

Hours by the clock of the test and a seeded source, through the real registry and store.
"""

from __future__ import annotations

import random

import msgspec
import pytest

from galvo import Metric
from galvo_monitor.cells import Registry, Snapshot
from galvo_monitor.insights.failing import Failing
from galvo_monitor.insights.latency import Latency
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.watched import HTTP, STATUS, _failed
from galvo_monitor.store import Store
from tests.plugins.monitor.insights.stand import EVERY, NOW

HOUR = 120
"""Looks."""
METRICS = {status: Metric(HTTP, "histogram", "s", ((STATUS, status),)) for status in ("200", "500")}


class Traffic:
    """Requests of 20 ms, a part of them slow (a hundred times), a part failing."""

    def __init__(self, seed: int, calls: int, slow: float, failing: float) -> None:
        """`calls` for each look, and up to a quarter more."""
        self._chance, self._calls = random.Random(seed), calls
        self.slow, self.failing, self.factor = slow, failing, 1.0
        self._latency = Latency(EVERY, HTTP, "request", lambda attributes: _failed(attributes) is None)
        self._failing = Failing(EVERY, HTTP, "requests", _failed)
        self._store, self._registry = Store(interval=EVERY), Registry()
        self._now, self._before = NOW, self._read(NOW)

    def look(self) -> list[str]:
        chance = self._chance
        for _ in range(chance.randint(self._calls, self._calls * 5 // 4)):
            status = "500" if chance.random() < self.failing else "200"
            seconds = self.factor * chance.lognormvariate(-3.9, 0.3) * (100 if chance.random() < self.slow else 1)
            self._registry.record(METRICS[status], seconds)
        self._now += EVERY
        older, self._before = self._before, self._read(self._now)
        self._store.append(self._now, self._before.since(older))
        reading = Reading(self._store, self._now, EVERY)
        return [clue.text for one in (self._latency, self._failing) if (clue := one.look(reading)) is not None]

    def _read(self, now: float) -> Snapshot:
        return msgspec.structs.replace(self._registry.read(now), steady=now)


RATES = [(20, 0.02, 0.003), (20, 0.01, 0.001), (60, 0.02, 0.003), (240, 0.02, 0.01)]


@pytest.mark.parametrize("calls, slow, failing", RATES)
def test_what_does_not_change_has_no_sentence(calls: int, slow: float, failing: float) -> None:
    hours = 1600 // calls
    for seed in range(2):
        traffic = Traffic(seed, calls, slow, failing)
        assert [said for _ in range(hours * HOUR // 4) if (said := traffic.look())] == []


@pytest.mark.parametrize("calls, slow, failing", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_five_times_as_slow(calls: int, slow: float, failing: float, seed: int) -> None:
    traffic = Traffic(seed, calls, slow, failing)
    for _ in range(50):
        assert traffic.look() == []
    traffic.factor = 5.0
    assert traffic.look() == []
    (said,) = traffic.look()
    assert said.startswith("request p95 up " if calls >= 200 else "request median up ")


@pytest.mark.parametrize("calls, slow, failing", RATES[2:])
@pytest.mark.parametrize("seed", range(3))
def test_every_fifth_request_fails(calls: int, slow: float, failing: float, seed: int) -> None:
    traffic = Traffic(seed, calls, slow, failing)
    for _ in range(50):
        assert traffic.look() == []
    traffic.failing = 0.2
    assert traffic.look() == []
    (said,) = traffic.look()
    assert " of the requests fail since " in said
    assert said.endswith(", all with status 500")


def test_a_handful_that_fails_is_told_once_it_is_no_chance() -> None:
    traffic = Traffic(1, 20, 0.0, 0.003)
    for _ in range(50):
        assert traffic.look() == []
    traffic.failing = 0.2
    assert [said for _ in range(20) if (said := traffic.look())]
