"""Step load: the rate is raised until an application stops to keep up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from galvo_bench.app.lanes import LANES, PLAIN, App, Load, Turn
from galvo_bench.running.stand import Stand, must

FIRST = 60.0
"""Requests a second of the first step."""
STEP = 1.5
HIGHEST = 5_000.0
SECONDS = 1.5
"""Of a step, after one that is dropped."""


@dataclass(frozen=True, slots=True)
class Step:
    rate: float
    """Offered, requests a second."""
    answered: float
    """Requests a second, of those that were due."""
    p99: float
    """ms, of what was answered."""


@dataclass(slots=True)
class Climb:
    """Of one lane."""

    steps: list[Step] = field(default_factory=list)
    held: float = 0.0
    """The highest rate that it held; 0: not even the first."""


async def climbs(stand: Stand, load: Load, apps: Mapping[str, App]) -> dict[str, Climb]:
    """By lane. The first step that one does not hold is its last."""
    found = {lane.name: Climb() for lane in LANES}
    left, rate = list(LANES), FIRST
    while left and rate < HIGHEST:
        for lane in list(left):
            turn, climb = await _step(load, apps[lane.name], rate), found[lane.name]
            climb.steps.append(Step(rate, turn.done / turn.seconds, turn.latencies.quantile(0.99)))
            if turn.holds:
                climb.held = rate
            else:
                left.remove(lane)
            stand.tick()
        rate *= STEP
    must(found[PLAIN.name].held > 0, f"this machine is too busy: {FIRST} requests a second are too many for it")
    return found


async def _step(load: Load, one: App, rate: float) -> Turn:
    """One that does not hold is tried once more: others use this machine."""
    turn = await load.open(one, rate, SECONDS, SECONDS / 2, seed=int(rate))
    return turn if turn.holds else await load.open(one, rate, SECONDS, SECONDS / 2, seed=int(rate) + 1)
