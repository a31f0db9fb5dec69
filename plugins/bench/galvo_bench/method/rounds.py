"""How things are compared: interleaved rounds in one process, ratios of short turns, the noise beside.

The machine's speed drifts by more than the differences looked for, and it stops at times, so a round is cut in
short passes. Each runs all candidates once, in turn from the front and from the back of a rotating order; a ratio is
the median of the passes' ratios. The baseline runs twice per pass; the spread of that pair is the noise (A/A).
Rounds go on, within bounds, while an interval is too wide to tell a difference that matters: its width says nothing
about its place, so this makes neither outcome likelier (Chow and Robbins, Ann. Math. Statist. 36, 1965).
"""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from math import log
from statistics import median
from typing import Literal

import msgspec

from galvo_bench.method.interval import interval

Operation = Callable[[], Awaitable[object]]
Clock = Literal["wall", "cpu"]
CLOCKS: dict[Clock, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}

AGAIN = "the first again (A/A)"
PASSES = 8
"""Of a round, when its candidates make as many calls and prepare nothing."""
LEAST = 6
"""Rounds. Of fewer, no median has an interval that is 95 % sure."""
NARROW = 0.06
"""To either side: a wider interval may miss a change of 20 %, a narrower one costs rounds."""
LONGEST = 4
"""Times the rounds that were asked for."""
PATIENCE = 10.0
"""Seconds after which no further round begins unasked."""


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
    """To the baseline, median of all passes' ratios."""
    low: float
    high: float
    """The ratio's interval, 95 % sure."""
    rounds: int = 0
    """That were made."""


Times = Mapping[str, list[float]]
"""Seconds per operation, pass by pass, of each by name; the baseline is the first."""


async def compare(
    candidates: list[Candidate], rounds: int, clock: Clock, tick: Callable[[], object] = lambda: None
) -> list[Result]:
    """Measure all; the first candidate is the baseline and comes back twice, the second time as its own A/A.

    Of LEAST rounds and more, others follow while they are quick and the noise is large.
    """
    everyone = [*candidates, msgspec.structs.replace(candidates[0], name=AGAIN)]
    passes = _passes(candidates)
    times: dict[str, list[float]] = {candidate.name: [] for candidate in everyone}
    for candidate in everyone:
        await _run(candidate, clock, max(1, candidate.repeats // 4))
    began, made = time.perf_counter(), 0
    while made < rounds or (_goes_on(made, rounds, time.perf_counter() - began) and not _narrow(times, made)):
        gc.collect()
        for number in range(made * passes, (made + 1) * passes):
            for candidate in _order(everyone, number):
                times[candidate.name].append(await _run(candidate, clock, candidate.repeats // passes))
        made += 1
        tick()
    return results(times, made)


def results(times: Times, rounds: int) -> list[Result]:
    """What is known of all, for those who take the time themselves."""
    baseline = next(iter(times.values()))
    ratios = {name: [mine / base for mine, base in zip(own, baseline, strict=True)] for name, own in times.items()}
    return [
        Result(name, median(times[name]), median(found), *interval(found), rounds) for name, found in ratios.items()
    ]


def _passes(candidates: list[Candidate]) -> int:
    """Of a round; what prepares something has prepared it for a whole round."""
    if any(candidate.before for candidate in candidates):
        return 1
    return min(PASSES, *(candidate.repeats for candidate in candidates))


def _order(everyone: list[Candidate], number: int) -> list[Candidate]:
    """Every place and both directions, one after the other: whom somebody follows must not matter."""
    turn = number // 2 % len(everyone)
    turned = everyone[turn:] + everyone[:turn]
    return turned[::-1] if number % 2 else turned


def _goes_on(made: int, rounds: int, seconds: float) -> bool:
    return rounds >= LEAST and made < LONGEST * rounds and seconds < PATIENCE


def _narrow(times: Times, rounds: int) -> bool:
    return all(log(row.high / row.low) <= 2 * NARROW for row in results(times, rounds))


async def _run(candidate: Candidate, clock: Clock, repeats: int) -> float:
    operation, now = candidate.operation, candidate.clock or CLOCKS[clock]
    if candidate.before is not None:
        await candidate.before()
    gc.collect(0)
    gc.disable()
    try:
        began = now()
        for _ in range(repeats):
            await operation()
        return (now() - began) / (repeats * candidate.each)
    finally:
        gc.enable()
