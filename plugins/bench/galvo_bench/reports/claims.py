"""The table of claims, in a terminal of 80 columns; its cells, for whatever else shows it."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from galvo_bench.reports.units import human, number, shown, span
from galvo_bench.results.model import Judged

HEADS = ("", "promised", "plain", "galvo", "change", "interval", "A/A", "verdict")
STYLES = {"beyond": "bold green", "met": "green", "not shown": "yellow", "missed": "bold red"}


def show(claims: list[Judged]) -> None:
    """Two lines each: our goal below what is promised, galvo below plain, the interval below the change."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", min_width=16)
    for head in ("promised\n(goal)", "plain\ngalvo", "change\ninterval"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("A/A", justify="right")
    table.add_column("verdict", no_wrap=True)
    for claim in claims:
        title, promised, plain, galvo, change, interval, noise, verdict = map(shown, cells_of(claim))
        aim = f"({bound(claim, claim.goal)})" if claim.goal is not None and goal(claim) else ""
        cells = [title, f"{promised}\n{shown(aim)}", f"{plain}\n{galvo}", f"{change}\n{interval}", noise]
        table.add_row(*map(Text, cells), Text(verdict, STYLES[verdict]))
    console = Console(width=80, highlight=False)
    console.print(Text("The mission's claims", "bold"))
    console.print(table)


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
