"""As many rounds as were asked for and no more, with both clocks at once: for subjects of many small comparisons."""

from __future__ import annotations

import gc
from collections.abc import Callable

import msgspec

from galvo_bench.method.rounds import AGAIN, CLOCKS, Candidate, Clock, Result, results


async def turns(
    candidates: list[Candidate], rounds: int, tick: Callable[[], object] = lambda: None
) -> dict[Clock, list[Result]]:
    """Like `compare`: the first candidate is the baseline and comes back twice, the second time as its own A/A."""
    everyone = [*candidates, msgspec.structs.replace(candidates[0], name=AGAIN)]
    times: dict[Clock, dict[str, list[float]]] = {
        clock: {candidate.name: [] for candidate in everyone} for clock in CLOCKS
    }
    for number in range(-1, rounds):  # the first one warms up
        turn = number % len(everyone)
        order = everyone[turn:] + everyone[:turn]
        for candidate in order[:: -1 if number % 2 else 1]:
            found = await _timed(candidate)
            for clock, seconds in found.items():
                if number >= 0:
                    times[clock][candidate.name].append(seconds)
        tick()
    return {clock: results(own, rounds) for clock, own in times.items()}


async def _timed(candidate: Candidate) -> dict[Clock, float]:
    """Seconds of an operation."""
    if candidate.before is not None:
        await candidate.before()
    operation, repeats = candidate.operation, candidate.repeats
    gc.collect(0)
    gc.disable()
    try:
        began = {clock: now() for clock, now in CLOCKS.items()}
        for _ in range(repeats):
            await operation()
        return {clock: (now() - began[clock]) / (repeats * candidate.each) for clock, now in CLOCKS.items()}
    finally:
        gc.enable()
