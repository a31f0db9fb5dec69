"""The table of claims, in a terminal of 80 columns; its cells, for whatever else shows it."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from galvo_bench.reports.units import number
from galvo_bench.results.model import Judged

HEADS = ("", "promised", "plain", "galvo", "change", "interval", "A/A", "verdict")
STYLES = {"beyond": "bold green", "met": "green", "not shown": "yellow", "missed": "bold red"}
SCALES = ((1, "s"), (1e3, "ms"), (1e6, "us"))
MANY = 3
"""Times as much is no longer said in per cent."""


def show(claims: list[Judged]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in HEADS:
        table.add_column(head, justify="right" if head else "left", no_wrap=bool(head))
    for claim in claims:
        *cells, verdict = cells_of(claim)
        table.add_row(*map(Text, cells), Text(verdict, STYLES[verdict]))
    console = Console(width=80, highlight=False)
    console.print(Text("The mission's claims", "bold"))
    console.print(table)


def cells_of(claim: Judged) -> list[str]:
    """One for each of HEADS."""
    change = claim.middle if claim.relative else claim.galvo / claim.plain if claim.plain else None
    ends = claim.low, claim.high
    return [
        claim.title,
        bound(claim, claim.promised),
        "-" if claim.plain is None else amounts(claim.unit, claim.plain),
        amounts(claim.unit, claim.galvo),
        "-" if change is None else percent(change),
        percent(*ends) if claim.relative else amounts(claim.unit, *ends),
        "-" if claim.noise is None else f"{100 * (max(claim.noise[1], 1 / claim.noise[0]) - 1):.0f} %",
        claim.verdict,
    ]


def percent(*ratios: float) -> str:
    """What ratios to plain add or take away; many times as much is said so."""
    if min(ratios) >= MANY:
        return "..".join(map(number, ratios)) + "x"
    return "..".join(f"{100 * (ratio - 1):+.0f}" for ratio in ratios) + " %"


def amounts(unit: str, *values: float) -> str:
    """Of seconds, in the unit that suits the last."""
    if unit != "s":
        return "..".join(map(number, values)) + f" {unit}"
    scale, name = next(((scale, name) for scale, name in SCALES if values[-1] * scale >= 1), SCALES[-1])
    return "..".join(number(round(value * scale, 3)) for value in values) + f" {name}"


def bound(claim: Judged, figure: float) -> str:
    """What is promised, or our goal."""
    if claim.relative:
        return percent(figure)
    return f"{'<' if claim.less else '>='} {amounts(claim.unit, figure)}"


def goal(claim: Judged) -> str:
    """Our design's; empty if it has no other than what is promised."""
    return "" if claim.goal is None or claim.goal == claim.promised else f"goal {bound(claim, claim.goal)}"
