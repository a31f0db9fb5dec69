"""A promise of the mission, how it is measured, and what a measurement found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Literal

import msgspec

from galvo_bench.method.rounds import AGAIN, Result
from galvo_bench.results.model import Missing, Section
from galvo_bench.running.stand import Stand


class Found(msgspec.Struct, frozen=True):
    """What a claim's measurement gives: figures of this run, nothing else."""

    galvo: float
    middle: float
    low: float
    high: float
    """Of what is judged: galvo's to plain's when the claim is relative, else galvo's own."""
    explains: str
    """What was measured, in a sentence or two, with what plain is."""
    plain: float | None = None
    noise: tuple[float, float] | None = None
    """The interval of plain again to plain."""
    rounds: int = 0
    """That were made."""
    able: bool = True
    """Whether this machine could show it: else a level that is not reached is no fault of galvo's."""
    most: Literal["beyond", "not shown", "missed"] = "beyond"
    """What can be said of it at best, for a reason that `explains` gives."""
    sections: list[Section] = []
    """What was measured beside, so that nobody is fooled."""


class Claim(msgspec.Struct, frozen=True):
    name: str
    """On the command line."""
    title: str
    target: str
    """`module:function` below galvo_bench.claims."""
    promised: float
    """By the mission; of a range, the nearer end. A ratio to plain when `relative`, else in `unit`."""
    goal: float | None = None
    """Of our design, in the same; None: it has no other."""
    unit: str = "s"
    """Of `plain` and `galvo`; "s" is seconds."""
    less: bool = True
    """Whether less is better."""
    relative: bool = True
    disk: int = 100
    """MB that it writes at most, servers included."""

    def measure(self) -> Measure:
        module, _, function = self.target.partition(":")
        found: Measure = getattr(import_module(f"galvo_bench.claims.{module}"), function or "measure")
        return found


Measure = Callable[[Stand], Awaitable[Found]]


def compared(rows: list[Result | Missing], plain: str, galvo: str, explains: str, *, more: bool = False) -> Found:
    """Of a comparison whose baseline is `plain`; `more`: in operations a second instead of seconds."""
    by_name = {row.name: row for row in rows if isinstance(row, Result)}
    base, ours, again = by_name[plain], by_name[galvo], by_name[AGAIN]
    if more:
        return Found(
            galvo=1 / ours.seconds,
            plain=1 / base.seconds,
            middle=1 / ours.ratio,
            low=1 / ours.high,
            high=1 / ours.low,
            noise=(1 / again.high, 1 / again.low),
            explains=explains,
            rounds=ours.rounds,
        )
    return Found(
        galvo=ours.seconds,
        plain=base.seconds,
        middle=ours.ratio,
        low=ours.low,
        high=ours.high,
        noise=(again.low, again.high),
        explains=explains,
        rounds=ours.rounds,
    )
