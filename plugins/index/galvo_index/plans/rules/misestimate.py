"""A scan gives ten times more or fewer rows than planned, and what ANALYZE does not know that it should."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import Comparison, comparisons
from galvo_index.plans.facts import Table
from galvo_index.plans.misestimates import off
from galvo_index.plans.node import Node
from galvo_index.plans.words import count, shown

ORDER = 15
SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")
PARTS = ("Index Cond", "Recheck Cond", "Filter")
EXPRESSIONS = 140000
"""The first server with statistics on expressions."""
TARGET = 1000
"""Values that a column's statistics should know, where 100 are not enough."""


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        table = case.facts.of(node.relation)
        truth = counted(case, node)
        if table is None or node.type not in SCANS or not case.free(node) or truth is None:
            continue
        if off(node.rows, truth, node.loops) and not _cut(node):
            found = _why(case, node, table, truth)
            if found is not None:
                yield found


def counted(case: Case, node: Node) -> float | None:
    """Rows that it really gives in a run; None: nobody has counted."""
    if node.ran:
        return node.actual
    return case.known_rows if node is case.plan.root else None


def _cut(node: Node) -> bool:
    """Something above may have stopped it early, or runs it for values that are not like the others."""
    inner = any(one.role in ("Inner", "SubPlan") for one in (node, *node.above()))
    return inner or any(parent.type in ("Limit", "Merge Join") for parent in node.above())


def _why(case: Case, node: Node, table: Table, truth: float) -> Finding | None:
    text = " ".join(node.text(part) for part in PARTS if node.text(part))
    said = {part: node.text(part) for part in PARTS}
    if node.type == "Bitmap Heap Scan":
        said.pop("Index Cond")
    else:
        said.pop("Recheck Cond")
    every = [one for part in said.values() for one in comparisons(part)]
    equal = [one for one in every if one.operator == "=" and table.bare(one) and not one.other]
    columns = sorted({one.column for one in equal})
    if any(name not in table.columns or not table.columns[name].known for name in columns):
        return None
    seen = f"{shown(text)} on {table.sql} gives {count(truth)} rows where {count(node.rows)} were planned"
    evidence = {"planned": node.rows, "rows": truth}
    if len(columns) > 1 and len(equal) == len(every):
        if truth < node.rows or any(set(columns) <= set(known) for known in table.extended):
            return None
        names = ", ".join(table.columns[name].sql for name in columns)
        return Finding(
            "correlated-columns",
            table.sql,
            f"{seen}: the values of {names} depend on each other.",
            "Create extended statistics on them, and analyze.",
            f"create statistics on {names} from {table.sql}; analyze {table.sql}"
            if case.facts.server.version >= 160000
            else f"create statistics {_name(table, columns)} on {names} from {table.sql}; analyze {table.sql}",
            evidence={**evidence, "columns": columns},
        )
    if len(every) == 1 and not every[0].other:
        return _single(case, table, every[0], seen, evidence)
    return None


def _single(case: Case, table: Table, one: Comparison, seen: str, evidence: dict[str, float]) -> Finding | None:
    if table.bare(one) and one.operator == "=":
        column = table.columns[one.column].sql
        return Finding(
            "skewed-column",
            table.sql,
            f"{seen}: its statistics do not know how often that value comes.",
            f"Let them know more values of {column}, and analyze.",
            f"alter table {table.sql} alter column {column} set statistics {TARGET}; analyze {table.sql}",
            evidence=dict(evidence),
        )
    if one.way in ("function", "expression") and case.facts.server.version >= EXPRESSIONS:
        bare = one.side.replace(f"{one.alias}.", "") if one.alias else one.side
        known = any(index.valid and index.columns[0] == "" for index in table.indexes)
        if known:
            return None
        return Finding(
            "unknown-expression",
            table.sql,
            f"{seen}: of an expression the planner knows nothing, and takes a constant share.",
            "Create statistics on the expression, and analyze.",
            f"create statistics {_name(table, [one.column])} on ({bare}) from {table.sql}; analyze {table.sql}"
            if shown(bare) == bare
            else "",
            evidence=dict(evidence),
        )
    return None


def _name(table: Table, columns: list[str]) -> str:
    """Of the statistics, needing no quotes."""
    words = "_".join((table.name, *columns)).lower()
    return "galvo_" + "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in words)[:50]
