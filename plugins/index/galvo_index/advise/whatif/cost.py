"""How many microseconds of CPU a plan takes, from its shape and the planner's estimates of rows.

The planner's cost is in pages read one after the other. Where the tables are in memory, and they mostly are, it says
little about time (its rank correlation with CPU was 0.5: research, postgres.md). Coefficients: non-negative least
squares over 134 plans of TPC-H on PostgreSQL 15, rounded, those of aggregates set by hand afterwards: one machine and
one schema. Only their ratios matter. Within one statement it orders plans about as well as the planner does; what it
adds is a common measure for different statements.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from galvo_index.advise.catalog.table import Table

Node = dict[str, Any]

START = 100.0
"""Of any statement: to be received, planned, started and answered."""
SCANNED, FILTERED = 0.07, 0.014
"""A row of a sequential scan; each of its conditions."""
DESCENT, FETCHED, IN_ORDER, ONLY = 2.3, 0.78, 0.25, 0.08
"""An index scan's start; a row at random; one that lies beside the one before; one that is in the index."""
BITMAP_ENTRY, BITMAP_ROW = 0.08, 0.32
BUILT, PROBED, JOINED, MERGED = 0.16, 0.03, 0.5, 0.013
HASHED, HASHED_DECADE, GROUPED = 0.2, 0.25, 0.1
"""A row of an aggregate; more for every tenfold of FEW_GROUPS: its table misses the caches, and in the end spills."""
FEW_GROUPS = 1000.0
SORTED = 0.086
"""... times the logarithm (base 2) of their number."""
PASSED = 0.013
"""Through any other node."""
PAGE, RANDOM_PAGE = 10.0, 100.0
"""From the disk."""
COPIED, RANDOM_COPIED = 0.5, 2.0
"""A page from the operating system's memory into the server's."""
_PAGE_COST, _ROW_COST, _ENTRY_COST = 1.1, 0.02, 0.02
"""The planner's, for how many rows an index scan looks at before its filter."""
_EQUAL = re.compile(r"\((\w+)(?:\)::\w+)? = ")
"""A column of an index condition."""
DOUBT = 1.25
"""How far each join below it may be off with the number of rows of a nested loop's outer side."""
MEMOIZED = 0.5
"""Part of the loops that Memoize lets through."""


@dataclass(frozen=True, slots=True)
class Relation:
    rows: float
    pages: float
    correlation: Mapping[str, float]
    """Of the columns with the order of the rows."""
    distinct: Mapping[str, float]
    """How many values the columns have."""
    visible: float = 1.0
    """Part of the pages that an index-only scan need not look at."""


def relation(table: Table, part: float = 1.0) -> Relation:
    """`part`: of its rows."""
    order = {name: column.correlation for name, column in table.columns.items()}
    distinct = {name: max(1.0, column.distinct * part) for name, column in table.columns.items()}
    return Relation(table.rows * part, table.pages * part, order, distinct, table.visible)


@dataclass(frozen=True, slots=True)
class Model:
    relations: Mapping[str, Relation]
    """By name, not quoted."""
    missing: float = 0.0
    """Part of the pages that are not in memory."""
    outside: float = 0.0
    """Part of the pages that are not in the server's own."""

    def cost(self, plan: Node) -> float:
        return START + self._node(plan, 1.0)

    @property
    def _page(self) -> float:
        return PAGE * self.missing + COPIED * self.outside

    @property
    def _random(self) -> float:
        return RANDOM_PAGE * self.missing + RANDOM_COPIED * self.outside

    def _node(self, node: Node, loops: float) -> float:
        kids = node.get("Plans", [])
        own: float = self._own(node, kids) * loops
        return own + sum(self._node(kid, self._loops(node, kid, kids, loops)) for kid in kids)

    def _loops(self, node: Node, kid: Node, kids: list[Node], loops: float) -> float:
        """How often a child runs."""
        relation, once = kid.get("Parent Relationship"), max(float(kid["Total Cost"]), 0.01)
        if relation == "InitPlan":
            return 1.0
        if relation == "SubPlan":
            others = sum(one["Total Cost"] for one in kids if one is not kid and one["Parent Relationship"] == "Outer")
            spent = max(0.0, float(node["Total Cost"]) - others)
            return loops * max(1.0, spent / once) if "Hash" not in kid["Node Type"] else loops
        kind = node["Node Type"]
        if kind == "Nested Loop" and kid is not kids[0] and relation == "Inner":
            return loops * max(1.0, float(kids[0]["Plan Rows"])) * DOUBT ** min(_joins(kids[0]), 4)
        if kind == "Memoize":
            return loops * MEMOIZED
        if kind == "Materialize":
            return 1.0
        if kind == "Limit":
            return loops * min(1.0, float(node["Total Cost"]) / once)
        return loops

    def _own(self, node: Node, kids: list[Node]) -> float:
        kind, rows = node["Node Type"], float(node["Plan Rows"])
        given = [float(kid["Plan Rows"]) for kid in kids] or [0.0]
        if "Scan" in kind:
            return self._scan(kind, node, rows)
        match kind:
            case "Hash":
                return BUILT * rows
            case "Hash Join":
                return PROBED * given[0] + JOINED * rows
            case "Merge Join":
                return MERGED * sum(given[:2]) + JOINED * rows
            case "Nested Loop":
                return JOINED * rows
            case "Aggregate":
                return _each(node) * given[0]
            case "Sort" | "Incremental Sort":
                return SORTED * given[0] * math.log2(max(given[0], 2.0))
        return PASSED * rows

    def _scan(self, kind: str, node: Node, rows: float) -> float:
        relation = self.relations.get(node.get("Relation Name", ""))
        filters = node["Filter"].count(" AND ") + 1 if "Filter" in node else 0
        if kind == "Seq Scan" and relation:
            return relation.rows * (SCANNED + FILTERED * filters) + relation.pages * self._page
        spent = max(0.0, node["Total Cost"] - node["Startup Cost"])
        if kind == "Index Only Scan":
            looked_at = _looked_at(node, relation, spent / _ENTRY_COST) if filters else rows
            return DESCENT + looked_at * (ONLY + FETCHED * (1 - relation.visible if relation else 0.0))
        if kind == "Index Scan":
            order = _order(node, relation)
            most = spent / (_ROW_COST + _PAGE_COST * (1 - order**2))
            looked_at = _looked_at(node, relation, most) if filters else rows
            each = IN_ORDER + (FETCHED - IN_ORDER) * (1 - order**2)
            return DESCENT + looked_at * (each + self._random * (1 - order**2))
        if kind == "Bitmap Index Scan":
            return DESCENT + BITMAP_ENTRY * rows
        if kind == "Bitmap Heap Scan":
            looked_at = max(rows, *(_bitmap(kid) for kid in node.get("Plans", [node])))
            return looked_at * (BITMAP_ROW + self._random / 2)
        return PASSED * rows


def _each(aggregate: Node) -> float:
    """Of a row."""
    if aggregate["Strategy"] != "Hashed":
        return GROUPED
    groups = max(float(aggregate["Plan Rows"]), FEW_GROUPS)
    return HASHED + HASHED_DECADE * math.log10(groups / FEW_GROUPS)


def _looked_at(node: Node, relation: Relation | None, most: float) -> float:
    """Rows that an index scan finds, of which a filter leaves those that the planner tells."""
    names = _EQUAL.findall(node.get("Index Cond", ""))
    if relation is not None and names:
        most = min(most, relation.rows / math.prod(relation.distinct.get(name, 1.0) for name in names))
    return max(float(node["Plan Rows"]), most)


def _bitmap(node: Node) -> float:
    """Rows that a bitmap has."""
    inner = [_bitmap(kid) for kid in node.get("Plans", ())]
    if node["Node Type"] == "BitmapAnd":
        return min(inner)
    return sum(inner) if inner else float(node["Plan Rows"])


def _order(node: Node, relation: Relation | None) -> float:
    """How far the rows of an index scan lie beside each other."""
    if relation is None:
        return 0.0
    found = re.search(r"\w+", node.get("Index Cond", ""))
    return abs(relation.correlation.get(found[0], 0.0)) if found else 0.0


def _joins(node: Node) -> int:
    return sum(one["Node Type"] in ("Nested Loop", "Hash Join", "Merge Join") for one in nodes(node))


def nodes(plan: Node) -> Iterator[Node]:
    stack = [plan]
    while stack:
        node = stack.pop()
        yield node
        stack += node.get("Plans", ())


def indexes(plan: Node) -> set[str]:
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node}
