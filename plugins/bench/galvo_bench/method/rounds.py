"""How things are compared: interleaved rounds in one process, ratios within a round, the noise beside.

The machine's speed drifts by more than the differences looked for, so nothing is compared across rounds: every
round runs all candidates once, in rotating order, and a ratio is the median of the rounds' ratios. The baseline
runs twice per round; the spread of that pair is the noise (A/A).
"""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from typing import Literal

import msgspec

from galvo_bench.method.interval import interval

Operation = Callable[[], Awaitable[object]]
Clock = Literal["wall", "cpu"]
CLOCKS: dict[Clock, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


AGAIN = "the first again (A/A)"


class Candidate(msgspec.Struct, frozen=True):
    name: str
    operation: Operation
    repeats: int
    """Calls of `operation` per round."""
    each: int = 1
    """Operations that one call makes; times are per operation."""
    before: Operation | None = None
    """Runs before every round, outside of the measurement."""
    clock: Callable[[], float] | None = None
    """Seconds of what works for it elsewhere; None: as all others are measured."""


class Result(msgspec.Struct, frozen=True, tag=True):
    name: str
    seconds: float
    """Per operation, median over the rounds."""
    ratio: float
    """To the baseline, median of the rounds' ratios."""
    low: float
    high: float
    """The ratio's interval, 95 % sure."""


async def compare(
    candidates: list[Candidate], rounds: int, clock: Clock, tick: Callable[[], object] = lambda: None
) -> list[Result]:
    """Measure all; the first candidate is the baseline and comes back twice, the second time as its own A/A."""
    baseline = candidates[0]
    again = msgspec.structs.replace(baseline, name=AGAIN)
    everyone = [*candidates, again]
    times: dict[str, list[float]] = {candidate.name: [] for candidate in everyone}
    for candidate in everyone:
        await _run(candidate, clock, max(1, candidate.repeats // 4))
    for number in range(rounds):
        turn = number % len(everyone)
        for candidate in everyone[turn:] + everyone[:turn]:
            times[candidate.name].append(await _run(candidate, clock, candidate.repeats))
        tick()
    return [_result(candidate.name, times, times[baseline.name]) for candidate in everyone]


async def _run(candidate: Candidate, clock: Clock, repeats: int) -> float:
    operation, now = candidate.operation, candidate.clock or CLOCKS[clock]
    if candidate.before is not None:
        await candidate.before()
    gc.collect()
    gc.disable()
    try:
        began = now()
        for _ in range(repeats):
            await operation()
        return (now() - began) / (repeats * candidate.each)
    finally:
        gc.enable()


def _result(name: str, times: Mapping[str, list[float]], baseline: list[float]) -> Result:
    ratios = [mine / base for mine, base in zip(times[name], baseline, strict=True)]
    return Result(name, median(times[name]), median(ratios), *interval(ratios))
