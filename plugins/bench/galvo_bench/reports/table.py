"""A section in a terminal of 80 columns: its title, what it measures, its rows."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from galvo_bench.method.rounds import Result
from galvo_bench.reports.units import human, number
from galvo_bench.results.model import Missing, Section, Values


def show(section: Section) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    heads = _heads(section)
    for head in heads:
        table.add_column(head, justify="right")
    for row in section.rows:
        table.add_row(Text(row.name), *map(Text, _cells(row, heads, section.ratio)))
    console = Console(width=80, highlight=False)
    console.print(Text(section.title, "bold"))
    console.print(Text(section.explains, "dim"))
    console.print(table)


def _heads(section: Section) -> list[str]:
    values = next((row for row in section.rows if isinstance(row, Values)), None)
    if values is not None:
        return list(values.values)
    return ["per second" if section.ratio == "throughput" else "per operation", section.ratio, "interval"]


def _cells(row: Result | Values | Missing, heads: list[str], ratio: str) -> list[str]:
    if isinstance(row, Missing):
        return [row.missing]
    if isinstance(row, Values):
        return [number(row.values[head]) if head in row.values else "" for head in heads]
    cost = f"{1 / row.seconds:,.0f}" if ratio == "throughput" else human(row.seconds)
    return [cost, f"{number(row.ratio)}x", f"{number(row.low)} to {number(row.high)}"]
