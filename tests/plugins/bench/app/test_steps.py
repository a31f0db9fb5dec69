"""The step load ends where an application does not keep up, and the pictures show what was measured."""

from __future__ import annotations

from typing import Any

import pytest

from galvo import GalvoError
from galvo_bench.app import plots, steps
from galvo_bench.app.lanes import AGAIN, FULL, LANES, PLAIN, Turn, added
from galvo_bench.app.pairs import compared, cpu, elapsed
from galvo_bench.app.steps import climbs
from galvo_bench.method import rounds
from galvo_bench.running.stand import Stand
from galvo_engraving.histogram import Histogram

pytestmark = pytest.mark.anyio
MOST = {PLAIN.name: 100.0, AGAIN.name: 100.0, FULL.name: 260.0}
"""What each lane can answer in a second."""


@pytest.fixture(autouse=True)
def first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "FIRST", 30.0)


class Limited:
    """A load on applications that shed what is more than they can answer."""

    def __init__(self, most: dict[str, float], stumbles: int = 0) -> None:
        self.most = most
        self.stumbles = stumbles
        """How often a turn fails by somebody else's fault."""

    async def open(self, lane: str, rate: float, seconds: float, warm: float, seed: int) -> Turn:
        done = min(rate, self.most[lane])
        if self.stumbles and rate <= self.most[lane]:
            self.stumbles -= 1
            done /= 2
        turn = Turn(
            due=int(rate * seconds), done=int(done * seconds), seconds=seconds, shed=int((rate - done) * seconds)
        )
        turn.latencies.record(5_000_000)
        return turn


async def climbed(load: Any) -> dict[str, steps.Climb]:
    apps: Any = {lane.name: lane.name for lane in LANES}
    return await climbs(Stand("", 1), load, apps)


@pytest.mark.parametrize("stumbles", [0, 1])
async def test_the_last_step_is_the_first_that_is_not_held(stumbles: int) -> None:
    """Each has a second try."""
    found = await climbed(Limited(MOST, stumbles))
    rates = [steps.FIRST * steps.STEP**number for number in range(7)]
    assert [step.rate for step in found[PLAIN.name].steps] == rates[:4]
    assert found[PLAIN.name].held == found[AGAIN.name].held == rates[2]
    assert found[FULL.name].held == rates[5]
    assert found[PLAIN.name].steps[-1].answered == 100, "what was answered of what was too much"


async def test_a_machine_that_holds_nothing_is_told() -> None:
    with pytest.raises(GalvoError, match="too busy"):
        await climbed(Limited(dict.fromkeys(MOST, 1.0)))


async def test_a_lane_of_ours_that_holds_nothing_is_a_result() -> None:
    found = await climbed(Limited(MOST | {FULL.name: 2.0}))
    assert found[FULL.name].held == 0
    assert [step.answered for step in found[FULL.name].steps] == [2.0]


async def test_pictures_of_the_step_load() -> None:
    throughput, late = plots.offered(await climbed(Limited(MOST)))
    assert list(throughput.lines) == ["everything off", "off again (A/A)", "everything on"]
    assert throughput.lines["everything off"][-1] == (steps.FIRST * steps.STEP**3, 100)
    assert [y for line in late.lines.values() for _, y in line] == pytest.approx([5] * 15, rel=0.02)


def test_a_tail_reaches_as_far_as_there_are_values() -> None:
    latencies = Histogram()
    for milliseconds in range(1, 1_001):
        latencies.record(milliseconds * 1_000_000)
    points = dict(plots.tail(latencies))
    assert max(points) == pytest.approx(1_000), "99.9 % is the last that 1,000 values tell"
    by_nines = {round(x): y for x, y in points.items()}
    assert [by_nines[x] for x in (10, 100, 1_000)] == pytest.approx([900, 990, 999], rel=0.02)
    assert plots.tail(Histogram()) == []


def test_a_line_over_time_has_no_more_points_than_a_page_can_draw() -> None:
    looks = {lane.name: [(float(second), 100.0) for second in range(1_000)] for lane in LANES}
    [line, *_] = plots.memory(looks).lines.values()
    assert len(line) <= plots.MOST
    assert line[0][0] == 0


def test_lanes_are_compared_within_their_round() -> None:
    """Plain takes 2 s for 100 requests in the first round, 20 s in the second: the ratio does not notice."""
    turns = {
        lane.name: [Turn(done=100, seconds=seconds * times, app_cpu=seconds * times / 2) for times in (1, 10)]
        for lane, seconds in ((PLAIN, 2.0), (AGAIN, 2.2), (FULL, 0.5))
    }
    for figure in (elapsed, cpu):
        rows = compared(turns, figure)
        assert [row.name for row in rows] == ["everything off", "everything on", rounds.AGAIN]
        assert [row.ratio for row in rows] == pytest.approx([1, 0.25, 1.1])


def test_turns_are_added_without_changing_them() -> None:
    turns = [Turn(due=2, done=1, seconds=1.0), Turn(due=3, done=3, seconds=1.0)]
    assert [added(turns).due for _ in range(2)] == [5, 5]
    assert [turn.due for turn in turns] == [2, 3]
