"""The shop's claims: turns that are slower than said are seen, and real ones are told as they were."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from galvo_bench.app import ready, shop
from galvo_bench.app.lanes import FULL, LANES, PLAIN, Turn
from galvo_bench.claims import overall, responding, serving
from galvo_bench.claims.claim import Found
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.load.loops import PATIENCE
from galvo_bench.method.rounds import Result
from galvo_bench.results.model import Values
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Planted:
    """Turns as they would be of applications that answer so many a second, each after `late` seconds."""

    def __init__(self, most: dict[str, float], late: float = 0.01) -> None:
        self.most = most
        self.late = late
        self.rates: list[float] = []

    async def closed(self, lane: str, clients: int, seed: int, **_: object) -> Turn:
        return Turn(due=100, done=100, seconds=100 / self.most[lane], app_cpu=50 / self.most[lane])

    async def open(self, lane: str, rate: float, seconds: float, warm: float, seed: int) -> Turn:
        self.rates.append(rate)
        due, done = int(rate * seconds), int(min(rate, self.most[lane]) * seconds)
        turn = Turn(due=due, done=done, shed=due - done, seconds=seconds)
        for _ in range(done):
            turn.latencies.record(int(self.late * 1e9))
        return turn


async def found(measure: Callable[..., Any], load: Planted) -> Found:
    apps = {lane.name: lane.name for lane in LANES}
    told: Found = await measure(Stand("", 2), load, apps)
    return told


async def test_throughput_is_that_of_the_turns() -> None:
    honest = await found(overall.asked, Planted({"plain": 100, "again": 100, "full": 250}))
    assert (honest.plain, honest.galvo, honest.middle) == (pytest.approx(100), pytest.approx(250), pytest.approx(2.5))
    assert verdict(CLAIMS["overall"], honest) == "beyond"
    for most, said in ((150, "met"), (135, "missed"), (90, "missed")):
        lie = await found(overall.asked, Planted({"plain": 100, "again": 100, "full": most}))
        assert (lie.galvo, verdict(CLAIMS["overall"], lie)) == (pytest.approx(most), said)
    noisy = await found(overall.asked, Planted({"plain": 100, "again": 80, "full": 150}))
    assert verdict(CLAIMS["overall"], noisy) == "not shown", "plain again is a fifth slower"


async def test_response_times_are_those_of_the_turns() -> None:
    load = Planted({"plain": 100, "full": 250}, late=0.2)
    honest = await found(responding.offered, load)
    assert load.rates == pytest.approx([140] * 3), "more than plain answers"
    assert honest.galvo == honest.high == pytest.approx(0.2, rel=0.02)
    assert honest.plain == PATIENCE, "two in seven are sent away"
    assert verdict(CLAIMS["responding"], honest) == "met"
    slow = await found(responding.offered, Planted({"plain": 100, "full": 250}, late=1.2))
    assert slow.galvo == pytest.approx(1.2, rel=0.02)
    assert verdict(CLAIMS["responding"], slow) == "missed"


async def test_quick_answers_for_a_few_are_no_response_times() -> None:
    """Who sends people away is not quick."""
    lie = await found(responding.offered, Planted({"plain": 100, "full": 130}, late=0.001))
    assert lie.galvo == PATIENCE
    assert verdict(CLAIMS["responding"], lie) == "missed"


def test_the_99th_percentile_is_of_all_that_were_due() -> None:
    turn = Turn(due=1_000, done=995)
    for number in range(995):
        turn.latencies.record(1_000_000 if number < 985 else 700_000_000)
    assert responding.p99(turn) == pytest.approx(0.7, rel=0.02), "990 of 1,000, not of 995"
    turn.due = 1_006
    assert responding.p99(turn) == PATIENCE


async def test_real_applications(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """They start once for both."""
    monkeypatch.setattr(shop, "SCALE", 0.02)
    monkeypatch.setattr(shop, "NAME", f"bench_serving_{os.getpid()}")
    monkeypatch.setattr(ready, "BEFORE", {"plain": 20, "full": 200})
    monkeypatch.setattr(ready, "OWN", {"plain": 0, "full": 0})
    monkeypatch.setattr(overall, "SECONDS", 0.3)
    monkeypatch.setattr(responding, "SECONDS", 0.6)
    monkeypatch.setattr(responding, "WARM", 0.1)
    late = await serving.responding(stand)
    monkeypatch.setattr(serving, "ready", None)
    speed = await serving.overall(stand)
    requests, cpu = speed.sections
    plain, full, _ = requests.rows
    assert isinstance(plain, Result)
    assert isinstance(full, Result)
    assert (speed.plain, speed.galvo) == pytest.approx((1 / plain.seconds, 1 / full.seconds))
    assert (speed.middle, speed.low, speed.high) == pytest.approx((full.ratio, full.low, full.high))
    assert all(isinstance(row, Result) and row.seconds > 0 for row in cpu.rows)
    [at_rate] = late.sections
    assert [row.name for row in at_rate.rows if isinstance(row, Values)] == [PLAIN.title, FULL.title]
    assert 0 < late.low <= late.galvo <= late.high <= PATIENCE
