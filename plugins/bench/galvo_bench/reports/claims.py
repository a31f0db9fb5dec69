"""The table of claims, in a terminal of 80 columns; its cells, for whatever else shows it."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from galvo_bench.reports.units import human, number, shown, span
from galvo_bench.results.model import Judged

HEADS = ("", "promised", "plain", "galvo", "change", "interval", "A/A", "verdict")
COLUMNS = ("promised", "plain", "galvo", "change")
NAME, WIDTHS = 28, (9, 10, 10, 10)
"""Characters."""
STYLES = {"beyond": "bold green", "met": "green", "not shown": "yellow", "missed": "bold red"}


def show(claims: list[Judged]) -> None:
    """A line each, its interval below it; what was measured follows."""
    console = Console(width=80, highlight=False)
    console.print(Text("The mission's claims", "bold"))
    console.print(_line(["", *COLUMNS]), "verdict")
    for claim in claims:
        title, promised, plain, galvo, change, interval, noise, verdict = map(shown, cells_of(claim))
        console.print(_line([title, promised, plain, galvo, change]), Text(verdict, STYLES[verdict]))
        aim = f"our goal {bound(claim, claim.goal)}, " if claim.goal is not None and goal(claim) else ""
        same = "" if claim.noise is None else f"; the same twice {noise} (A/A)"
        console.print(Text(f"  {aim}95 % sure {interval}{same}", "dim"))
    for claim in claims:
        console.print()
        console.print(Text.assemble((shown(claim.title), "bold"), f": {shown(claim.explains)}"))


def _line(cells: list[str]) -> Text:
    name, *others = cells
    return Text(name.ljust(NAME) + "".join(cell.rjust(width) for cell, width in zip(others, WIDTHS, strict=True)))


def cells_of(claim: Judged) -> list[str]:
    """One for each of HEADS."""
    change = claim.middle if claim.relative else claim.galvo / claim.plain if claim.plain else None
    low, high = (percent(end) if claim.relative else amount(end, claim.unit) for end in (claim.low, claim.high))
    return [
        claim.title,
        bound(claim, claim.promised),
        "-" if claim.plain is None else amount(claim.plain, claim.unit),
        amount(claim.galvo, claim.unit),
        "-" if change is None else percent(change),
        span(low, high),
        "-" if claim.noise is None else span(*map(percent, claim.noise)),
        claim.verdict,
    ]


def percent(ratio: float) -> str:
    """What a ratio to plain adds or takes away; many times as much is said so."""
    if ratio >= 3:
        return f"{number(ratio)}x"
    digits = 0 if abs(ratio - 1) >= 0.1 else 1
    return f"{round(100 * (ratio - 1), digits) + 0.0:+.{digits}f} %"  # + 0.0: no negative zero


def amount(value: float, unit: str) -> str:
    return human(value) if unit == "s" else f"{number(value)} {unit}"


def bound(claim: Judged, figure: float) -> str:
    """What is promised, or our goal."""
    if claim.relative:
        return percent(figure)
    return f"{'<' if claim.less else '>='} {amount(figure, claim.unit)}"


def goal(claim: Judged) -> str:
    """Our design's; empty if it has no other than what is promised."""
    return "" if claim.goal is None or claim.goal == claim.promised else f"goal {bound(claim, claim.goal)}"
