"""How much is written to each table."""

from __future__ import annotations

from collections.abc import Sequence

from galvo_index.advise.catalog.table import Table
from galvo_index.advise.parse.workload import Read
from galvo_index.advise.search.writes import Traffic
from galvo_index.workload import Statement

ENOUGH = 100
"""Scans from which on the server's counters say something about a table."""


def traffic(read: Read, statements: Sequence[Statement]) -> dict[int, Traffic]:
    """By OID: from the workload's own writes, and for tables that it only reads from the server's counters.

    The counters are related to the workload by the scans of the table; rows that are still there may have been loaded
    at once, and do not count.
    """
    found: dict[int, Traffic] = {}
    calls: dict[int, float] = {}
    tables: dict[int, Table] = {}
    for question, reading in zip(read.questions, read.readings, strict=True):
        statement = question.statement
        rows = statement.rows or statement.calls
        for write in reading.writes:
            of = found.setdefault(write.table.oid, Traffic())
            if write.verb == "insert":
                of.inserted += rows
            elif write.verb == "delete":
                of.deleted += rows
            else:
                of.updates[write.columns] += rows
        for use in reading.uses:
            tables[use.table.oid] = use.table
            calls[use.table.oid] = calls.get(use.table.oid, 0.0) + statement.calls
    for oid, table in tables.items():
        if oid not in found and table.scans >= ENOUGH:
            each = calls[oid] / table.scans
            again = max(0.0, table.inserted - table.rows) + max(0.0, table.updated - table.hot)
            found[oid] = Traffic(again * each, table.deleted * each)
            found[oid].updates[frozenset()] = table.hot * each
    return found
