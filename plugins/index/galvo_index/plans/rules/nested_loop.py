"""A nested loop that reads a whole table, or all of an answer, for each of many rows."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import comparisons, conditions
from galvo_index.plans.facts import Table
from galvo_index.plans.misestimates import off
from galvo_index.plans.node import Node
from galvo_index.plans.words import count, shown

ORDER = 40
PAIRS = 1_000_000
"""Pairs of rows that are compared."""
OUTER, INNER = 100, 100
"""Rows of each side, at least."""


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        if node.type != "Nested Loop" or len(node.children) < 2:
            continue
        outer, inner = node.children[0], node.children[1]
        scan = _scan(inner)
        if scan is None or not case.free(scan):
            continue
        first = outer.given if outer.ran else outer.rows
        each = _each(case, inner, scan)
        if first < OUTER or each < INNER or first * each < PAIRS:
            continue
        condition = node.text("Join Filter") or _connecting(scan)
        case.blame(scan)
        table = case.facts.of(scan.relation)
        name = table.sql if table is not None else "the inner side"
        seen = f"{count(each)} rows of {name} are gone through for each of {count(first)} rows"
        evidence = {"outer": first, "inner": each, "measured": node.ran}
        if not condition:
            yield Finding(
                "cross-join", name, f"{seen}, and no condition connects the two: {count(node.given)} pairs.",
                "Add the missing condition of the join.", evidence=evidence,
            )  # fmt: skip
            continue
        advice, sql = _advice(case, outer, scan, table, condition)
        yield Finding("nested-loop", name, f"{seen}, by {shown(condition)}.", advice, sql, evidence=evidence)


def _scan(inner: Node) -> Node | None:
    """The scan whose rows the loop goes through again and again, all of them."""
    if inner.type == "Materialize":
        return next((node for node in inner if node.relation[1]), None)
    return inner if inner.type == "Seq Scan" else None


def _connecting(scan: Node) -> str:
    """The scan's filter, if it looks at the other side, or cannot be read."""
    text = scan.text("Filter")
    found = conditions(text)
    alone = [part.comparison is not None and not part.comparison.other for part in found]
    return "" if found and all(alone) else text


def _each(case: Case, inner: Node, scan: Node) -> float:
    """Rows that are gone through in one run of the inner side."""
    if inner.ran:
        return inner.actual + inner.number("Rows Removed by Filter")
    table = case.facts.of(scan.relation)
    return inner.rows if inner.type == "Materialize" or table is None else max(table.rows, inner.rows)


def _advice(case: Case, outer: Node, scan: Node, table: Table | None, condition: str) -> tuple[str, str]:
    if outer.ran and off(outer.rows, outer.actual):
        return (
            f"It was planned for {count(outer.rows)} rows: see why they are misestimated, ANALYZE for a start.",
            "",
        )
    for one in comparisons(condition):
        if table is None or one.operator not in ("=", "<", "<=", ">", ">=") or not table.bare(one):
            continue
        if one.alias == scan.alias and one.column in table.columns and not table.leading(one.column):
            column = table.columns[one.column].sql
            return f"Create an index on {column}.", table.index_on([column])
    return "Write the condition so that an equality or an index can find the rows of one side.", ""
