"""What is kept of a query and its answer."""

from __future__ import annotations

from typing import Any

from galvo import Driven, Query, Rows


def affected(query: Query, rows: Rows) -> int:
    """Read or written. Of `executemany` one for each run, as nobody is told more; of COPY and cursors 0."""
    if type(query) is Driven:
        found = rows.records[0] if rows.records else None
        if type(found) is tuple and found and isinstance(found[0], list):
            found = found[0]  # of a prepared statement: rows, status, whether it is at its end
        return len(found) if isinstance(found, list) else 0
    if query.kind == "many":
        return len(query.args)
    count = rows.status.rpartition(" ")[2]
    return int(count) if count.isdecimal() else 0


def sample(query: Query) -> tuple[Any, ...]:
    """The arguments of one run."""
    return tuple(query.args[-1]) if query.kind == "many" and query.args else query.args
