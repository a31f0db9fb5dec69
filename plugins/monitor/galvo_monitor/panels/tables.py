"""What stands beside the charts: the statements, refusals and holders that matter most."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from galvo import Context
from galvo_monitor.view import Table

TOP = 10
WIDTH = 200
"""Characters of a statement."""


def tables_of(context: Context) -> dict[str, Callable[[], list[Table]]]:
    """By the names of panels."""
    return {
        "database": partial(statements, context),
        "cache": partial(refusals, context),
        "memory": partial(holders, context),
    }


def statements(context: Context) -> list[Table]:
    """What took most time of the database, without values; empty without the index plugin."""
    index = context.capability("index")
    top: list[dict[str, Any]] = index.top(TOP) if hasattr(index, "top") else []
    if not top:
        return []
    units = {"Calls": "{query}", "Total": "s", "Median": "s", "99 %": "s", "Rows": "{row}"}
    keys = ("calls", "seconds", "p50", "p99", "rows")
    rows = [[_short(one["statement"]), *map(one.get, keys)] for one in top]
    return [Table("Statements by total time", [("Statement", ""), *units.items()], rows)]


def refusals(context: Context) -> list[Table]:
    """What the cache could not keep, by what it cost; empty without the cache plugin."""
    cache = context.capability("cache")
    top: dict[str, list[dict[str, Any]]] = cache.top(TOP) if hasattr(cache, "top") else {}
    tables = []
    if refused := top.get("refused"):
        columns = [("Statement", ""), ("Why", ""), ("Runs", "{query}"), ("Time", "s")]
        rows = [[_short(one["statement"]), one["reason"], one["runs"], one["seconds"]] for one in refused]
        tables.append(Table("Not kept, by time", columns, rows))
    if saved := top.get("saved"):
        columns = [("Statement", ""), ("Hits", "{read}"), ("Misses", "{read}"), ("Time saved", "s")]
        rows = [[_short(one["statement"]), one["hits"], one["misses"], one["seconds"]] for one in saved]
        tables.append(Table("Kept, by time saved", columns, rows))
    return tables


def holders(context: Context) -> list[Table]:
    """Who holds memory; empty without the memory plugin."""
    memory = context.capability("memory")
    found = memory.state().holders if hasattr(memory, "state") else []
    rows: list[list[str | float | None]] = [[holder.what, float(holder.bytes), holder.text] for holder in found]
    return [Table("Holders", [("What", ""), ("Holds", "By"), ("", "")], rows)] if rows else []


def _short(statement: str) -> str:
    return statement if len(statement) <= WIDTH else statement[: WIDTH - 1] + "…"
