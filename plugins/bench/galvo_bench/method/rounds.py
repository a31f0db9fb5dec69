"""How things are compared: in turns so short that most are over before the machine interrupts them.

Its speed drifts by more than the differences looked for, and it halts a process for longer than an operation takes.
So a round is cut in passes. Each runs all candidates once, for about a millisecond, from the front and from the back
of a rotating order; a ratio is the median of the passes' ratios. The baseline runs twice per pass; the spread of that
pair is the noise (A/A). Rounds go on, within bounds, while an interval is too wide to tell a difference that matters:
its width says nothing about its place (Chow and Robbins, Ann. Math. Statist. 36, 1965).
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
TURN = 1e-3
"""Seconds. Of 40 queries on a busy machine, turns of 1 or 2 told a difference with a quarter of the error of 10."""
LEAST = 6
"""Rounds. Of fewer, no median has an interval that is 95 % sure."""
NARROW = 0.08
"""To either side: a wider interval misses a change of 20 % too often, a narrower one costs rounds."""
LONGEST = 4
"""Times the rounds that were asked for."""
PATIENCE = 5.0
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
    times: dict[str, list[float]] = {candidate.name: [] for candidate in everyone}
    passes = _passes(candidates, [await _warm_up(candidate) for candidate in candidates])
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
    """What is known of all, for those who take the time themselves. A clock that did not move makes a ratio of 0."""
    baseline = next(iter(times.values()))
    ratios = {
        name: [mine / base if base else 0.0 for mine, base in zip(own, baseline, strict=True)]
        for name, own in times.items()
    }
    return [
        Result(name, median(times[name]), median(found), *interval(found), rounds) for name, found in ratios.items()
    ]


async def _warm_up(candidate: Candidate) -> float:
    """Seconds of a round of it, about."""
    repeats = max(1, candidate.repeats // 4)
    return await _run(candidate, "wall", repeats) * candidate.repeats * candidate.each


def _passes(candidates: list[Candidate], seconds: list[float]) -> int:
    """Of a round. What prepares something has prepared it for a whole one, and clocks of elsewhere may be coarse."""
    if any(candidate.before or candidate.clock for candidate in candidates):
        return 1
    return max(1, min(round(max(seconds) / TURN), *(candidate.repeats for candidate in candidates)))


def _order(everyone: list[Candidate], number: int) -> list[Candidate]:
    """Every place and both directions, one after the other: whom somebody follows must not matter."""
    turn = number // 2 % len(everyone)
    turned = everyone[turn:] + everyone[:turn]
    return turned[::-1] if number % 2 else turned


def _goes_on(made: int, rounds: int, seconds: float) -> bool:
    return rounds >= LEAST and made < LONGEST * rounds and seconds < PATIENCE


def _narrow(times: Times, rounds: int) -> bool:
    return all(row.low > 0 and log(row.high / row.low) <= 2 * NARROW for row in results(times, rounds))


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
