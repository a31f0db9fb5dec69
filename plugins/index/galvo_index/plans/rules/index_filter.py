"""An index finds many rows of which a filter throws most away again."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import comparisons
from galvo_index.plans.facts import Index
from galvo_index.plans.node import Node
from galvo_index.plans.words import count, shown

LEAST = 1000
SHARE = 20
"""Thrown away for each one kept."""
OPERATORS = ("=", "<", "<=", ">", ">=", "is null")


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        table = case.facts.of(node.relation)
        if node.type not in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan") or table is None or not node.ran:
            continue
        removed = node.removed()
        if removed < LEAST or removed < SHARE * node.given:
            continue
        index = next((one for one in table.indexes if _name(one) == _used(node)), None)
        more = [
            one.column
            for one in comparisons(node.text("Filter"))
            if table.bare(one) and one.operator in OPERATORS and one.column in table.columns and not one.other
        ]
        if index is None or not more or any(column in index.columns for column in more):
            continue
        extended = [*index.keys, *(table.columns[name].sql for name in dict.fromkeys(more))]
        yield Finding(
            "index-filter",
            index.name,
            f"{index.name} finds {count(removed + node.given)} rows of {table.sql}, of which "
            f"{shown(node.text('Filter'))} keeps {count(node.given)}.",
            "Create an index that has the filter's columns, too.",
            table.index_on(extended[: len(index.keys) + 2]) if not index.predicate and index.method == "btree" else "",
            evidence={"found": removed + node.given, "kept": node.given},
        )


def _used(node: Node) -> str:
    """Name of the one index it uses."""
    if node.type != "Bitmap Heap Scan":
        return node.text("Index Name")
    return node.children[0].text("Index Name") if node.children else ""


def _name(index: Index) -> str:
    """Without schema and quotes, as EXPLAIN has it."""
    name = index.name
    if name.endswith('"'):
        return name[name.rindex('"', 0, -1) + 1 : -1] if '""' not in name else ""
    return name.rpartition(".")[2]
