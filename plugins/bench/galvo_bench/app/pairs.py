"""Lanes' turns as ratios within a round, as all comparisons here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from galvo_bench.app.lanes import AGAIN, FULL, PLAIN, Turn
from galvo_bench.method import rounds
from galvo_bench.method.rounds import Result, results

Figure = Callable[[Turn], float]
Turns = Mapping[str, list[Turn]]
"""By lane, a turn for each round."""
NAMES = {PLAIN: PLAIN.title, FULL: FULL.title, AGAIN: rounds.AGAIN}


def elapsed(turn: Turn) -> float:
    """Seconds a request, all clients together."""
    return turn.seconds / max(1, turn.done)


def cpu(turn: Turn) -> float:
    """Seconds a request, of the application's processes."""
    return turn.app_cpu / max(1, turn.done)


def compared(turns: Turns, seconds: Figure) -> list[Result]:
    """Ratios to plain, which comes again as the last."""
    times = {name: [seconds(turn) for turn in turns[lane.name]] for lane, name in NAMES.items()}
    return results(times, len(turns[PLAIN.name]))
