"""What a run says: tables of at most 80 columns."""

from __future__ import annotations

from typing import Any

import msgspec


class Row(msgspec.Struct, frozen=True):
    name: str
    cells: dict[str, str]
    """By column, as it is printed."""
    facts: dict[str, Any] = {}
    """The same and more, for machines."""


class Report(msgspec.Struct, frozen=True):
    title: str
    explains: str
    rows: list[Row]


def show(report: Report) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    heads = list(dict.fromkeys(head for row in report.rows for head in row.cells))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(Text(row.name), *(Text(row.cells.get(head, "")) for head in heads))
    console = Console(width=80, highlight=False)
    console.print(Text(report.title, "bold"))
    console.print(Text(report.explains, "dim"))
    console.print(table)
