"""Ratios as dots with their intervals, on one logarithmic axis beside the table; behind them what A/A reaches."""

from __future__ import annotations

from galvo_bench.method.rounds import Result
from galvo_bench.method.verdict import is_again
from galvo_bench.reports.grid import Grid
from galvo_bench.reports.markup import Markup, tag
from galvo_bench.reports.scale import Scale, around, usable
from galvo_bench.reports.units import number

EDGE = 0.06
"""Of the width, left free at both ends."""
LEAST = 1.5
"""The axis reaches at least from 1 / this to this: noise does not look like a difference."""


def axis(grid: Grid) -> Scale | None:
    """For all of a section's ratios; None if there are none."""
    results = [line.result for line in grid.lines if line.result]
    ends = usable((value for row in results for value in (row.low, row.ratio, row.high)), log=True)
    return around([1 / LEAST, *ends, LEAST], log=True) if ends else None


def ruler(scale: Scale) -> Markup:
    """The axis itself, for the column's head."""
    marks = [_label(scale, tick) for tick in _ticks(scale)]
    return tag("svg", *marks, class_="dots", width="100%", height=16, aria_hidden="true")


def dot(scale: Scale, row: Result, noise: Result | None) -> Markup:
    """One row's."""
    shapes = [_rule(scale, tick, "one" if tick == 1 else "rule") for tick in _ticks(scale)]
    if noise and usable((noise.low, noise.high), log=True) == [noise.low, noise.high]:
        left, right = _place(scale, noise.low), _place(scale, noise.high)
        shapes.insert(0, tag("rect", x=_percent(left), width=_percent(right - left), height="100%", class_="noise"))
    if usable((row.low, row.ratio, row.high), log=True) == [row.low, row.ratio, row.high]:
        low, high = _percent(_place(scale, row.low)), _percent(_place(scale, row.high))
        shapes.append(tag("line", x1=low, x2=high, y1="50%", y2="50%", class_="whisker"))
        title = tag("title", f"{number(row.ratio)}x, {number(row.low)} to {number(row.high)}")
        shapes.append(tag("circle", title, cx=_percent(_place(scale, row.ratio)), cy="50%", r=4.5))
    kind = "dots again" if is_again(row) else "dots"
    return tag("svg", *shapes, class_=kind, width="100%", height=24, aria_hidden="true")


def _ticks(scale: Scale) -> list[float]:
    """1 always; others where their labels have room."""
    found = [1.0]
    for tick in scale.ticks(5):
        if all(abs(scale.at(tick) - scale.at(other)) > 0.15 for other in found):
            found.append(tick)
    return found


def _label(scale: Scale, tick: float) -> Markup:
    return tag("text", f"{number(tick)}x", x=_percent(_place(scale, tick)), y=12, text_anchor="middle")


def _rule(scale: Scale, tick: float, kind: str) -> Markup:
    x = _percent(_place(scale, tick))
    return tag("line", x1=x, x2=x, y1=0, y2="100%", class_=kind)


def _place(scale: Scale, value: float) -> float:
    return EDGE + (1 - 2 * EDGE) * scale.at(value)


def _percent(place: float) -> str:
    return f"{100 * place:.2f}%"
