"""A section as a grid of texts: what the terminal, Markdown and the page have in common."""

from __future__ import annotations

import msgspec

from galvo_bench.method.rounds import Result
from galvo_bench.method.verdict import is_again, verdicts
from galvo_bench.reports.units import human, number
from galvo_bench.results.model import Missing, Section, Values

BASELINE, AGAIN = "baseline", "A/A"
"""In the column of verdicts, of the two rows that have none."""


class Line(msgspec.Struct, frozen=True):
    name: str
    cells: list[str]
    """One for each head; none of a peer that is missing."""
    missing: str = ""
    """Why it is."""
    result: Result | None = None


class Grid(msgspec.Struct, frozen=True):
    heads: list[str]
    """Of all columns but the name's."""
    lines: list[Line]

    @property
    def noise(self) -> Result | None:
        """The A/A row."""
        return next((line.result for line in self.lines if line.result and is_again(line.result)), None)


def grid(section: Section) -> Grid:
    results = [row for row in section.rows if isinstance(row, Result)]
    if results:
        each = "per second" if section.ratio == "throughput" else "per operation"
        heads = [each, section.ratio, "interval", "verdict"]
    else:
        heads = list({head: None for row in section.rows if isinstance(row, Values) for head in row.values})
    said: dict[str, str] = {row.name: AGAIN for row in results if is_again(row)} | verdicts(section.rows, section.ratio)
    if results:
        said[results[0].name] = BASELINE
    return Grid(heads, [_line(row, heads, section, said) for row in section.rows])


def _line(row: Result | Values | Missing, heads: list[str], section: Section, said: dict[str, str]) -> Line:
    if isinstance(row, Missing):
        return Line(row.name, [], row.missing)
    if isinstance(row, Values):
        return Line(row.name, [number(row.values[head]) if head in row.values else "" for head in heads])
    cost = f"{1 / row.seconds:,.0f}" if section.ratio == "throughput" else human(row.seconds)
    interval = f"{number(row.low)} to {number(row.high)}" if said[row.name] != BASELINE else ""
    return Line(row.name, [cost, f"{number(row.ratio)}x", interval, said[row.name]], result=row)
