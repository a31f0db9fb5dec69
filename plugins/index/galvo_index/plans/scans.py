"""How much a scan of a whole table reads, and how much of that it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from galvo_index.plans.facts import Table
from galvo_index.plans.node import Node

if TYPE_CHECKING:
    from galvo_index.plans.analyse import Case

MANY = 10_000
"""Rows from which reading all of them is worth a word."""
PAGES = 100
"""A smaller table is read at once, whatever the plan."""
FEW = 0.05
"""Kept: at most this share, for an index to be better."""
WHOLE = frozenset({"Sort", "Incremental Sort", "Aggregate", "Hash", "HashAggregate", "WindowAgg", "Unique", "SetOp"})
"""Steps that need all rows before they give one, more or less."""


class Scan(NamedTuple):
    node: Node
    table: Table
    read: float
    kept: float
    """Both of all its runs."""


def wasteful(case: Case, node: Node) -> Scan | None:
    """A sequential scan of a large table of which a filter keeps few rows."""
    table = case.facts.of(node.relation)
    if node.type != "Seq Scan" or not node.text("Filter") or table is None or table.pages < PAGES:
        return None
    if node.ran:
        kept = node.given
        read = kept + node.removed()
    elif table.rows <= 0 or cut_short(node):
        return None
    else:
        kept, read = node.rows * workers(node), table.rows
        if case.known_rows is not None and node is case.plan.root:
            kept = case.known_rows
    if read < MANY or read / node.loops * workers(node) < MANY / 10 or kept > FEW * read:
        return None
    return Scan(node, table, read, kept)


def cut_short(node: Node) -> bool:
    """A LIMIT above may end it before its end."""
    for parent in node.above():
        if parent.type in WHOLE:
            return False
        if parent.type == "Limit":
            return True
    return False


def workers(node: Node) -> float:
    """By how many processes its rows are divided in an estimate; PostgreSQL's own formula."""
    if node.raw.get("Parallel Aware") is not True or node.ran:
        return 1.0
    for parent in node.above():
        planned = parent.number("Workers Planned")
        if planned:
            return planned + max(0.0, 1 - 0.3 * planned)
    return 1.0
