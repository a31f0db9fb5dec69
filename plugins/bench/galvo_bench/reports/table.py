"""A section in a terminal of 80 columns: its title, what it measures, its rows; and what a run has not measured."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from galvo_bench.reports import claims
from galvo_bench.reports.facts import partial
from galvo_bench.reports.grid import grid
from galvo_bench.reports.units import shown
from galvo_bench.results.model import Run, Section

STYLES = {"faster": "green", "slower": "yellow", "same": "", "unsure": "dim", "baseline": "dim", "A/A": "dim"}


def show(section: Section) -> None:
    found = grid(section)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", min_width=16)
    for head in found.heads:
        table.add_column(_text(head), justify="left" if head == "verdict" else "right")
    for line in found.lines:
        if not line.missing:
            table.add_row(_text(line.name), *(_text(cell, STYLES.get(cell, "")) for cell in line.cells))
    console = _console()
    console.print(_text(section.title, "bold"))
    console.print(_text(section.explains, "dim"))
    if table.row_count:
        console.print(table)
    for line in found.lines:
        if line.missing:
            console.print(_text(f"{line.name}: not measured, {line.missing}"), style="yellow")
    if any(line.missing for line in found.lines):
        console.print()


def show_run(run: Run) -> None:
    """All of it."""
    if run.claims:
        claims.show(run.claims)
    for section in run.sections:
        show(section)
    closing(run)


def closing(run: Run) -> None:
    """What a run has not measured; nothing when it has all."""
    console = _console()
    for problem in run.problems:
        console.print(_text(f"{problem.subject}: {problem.said}", "red"))
    if run.partial:
        console.print(_text(f"PARTIAL: {partial(run)}", "bold red"))


def _text(said: str, style: str = "") -> Text:
    return Text(shown(said), style)


def _console() -> Console:
    return Console(width=80, highlight=False)
