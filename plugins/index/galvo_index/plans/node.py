"""A plan as EXPLAIN (FORMAT JSON) and auto_explain give it, PostgreSQL 13 to 18."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from galvo import GalvoError


class Node:
    """One step. What a server does not tell is None, or empty; `ran` says whether it was executed."""

    def __init__(self, raw: Mapping[str, Any], parent: Node | None = None) -> None:
        self.raw = raw
        self.parent = parent
        self.children = [Node(child, self) for child in raw.get("Plans", ())]

    def __repr__(self) -> str:
        return f"<Node {self.type} {self.relation}>"

    def __iter__(self) -> Iterator[Node]:
        """It and everything below it."""
        yield self
        for child in self.children:
            yield from child

    def above(self) -> Iterator[Node]:
        """Its parent, that one's parent, and so on."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def number(self, key: str) -> float:
        """0 when it is not there."""
        value = self.raw.get(key, 0)
        return float(value) if isinstance(value, int | float) else 0.0

    def text(self, key: str) -> str:
        value = self.raw.get(key, "")
        return value if isinstance(value, str) else ""

    @property
    def type(self) -> str:
        return self.text("Node Type")

    @property
    def relation(self) -> tuple[str, str]:
        """Schema ("" without VERBOSE) and name of the table it scans; both empty when it scans none."""
        return self.text("Schema"), self.text("Relation Name")

    @property
    def alias(self) -> str:
        return self.text("Alias")

    @property
    def role(self) -> str:
        """ "Outer", "Inner", "Subquery", "SubPlan", "InitPlan" or "Member"."""
        return self.text("Parent Relationship")

    @property
    def rows(self) -> float:
        """Estimated, of one run."""
        return self.number("Plan Rows")

    @property
    def ran(self) -> bool:
        return self.number("Actual Loops") > 0

    @property
    def loops(self) -> float:
        """Runs, those of parallel workers counted each; as estimated when it was not executed."""
        return self.number("Actual Loops") if self.ran else self._estimated_loops()

    @property
    def actual(self) -> float:
        """Rows of one run, on average; only if it ran."""
        return self.number("Actual Rows")

    @property
    def given(self) -> float:
        """Rows of all runs, as estimated when it was not executed."""
        return (self.actual if self.ran else self.rows) * self.loops

    def removed(self, by: str = "Filter") -> float:
        """Rows of all runs that a condition threw away; 0 when it was not executed."""
        return self.number(f"Rows Removed by {by}") * self.loops if self.ran else 0.0

    @property
    def cost(self) -> float:
        return self.number("Total Cost")

    def _estimated_loops(self) -> float:
        """The rows of the outer side, for what a nested loop runs again and again."""
        loops = 1.0
        node = self
        for parent in self.above():
            if parent.type == "Nested Loop" and node.role == "Inner":
                loops *= max(1.0, parent.children[0].rows)
            elif node.role == "SubPlan" and not parent.text("Subplan Name").startswith("CTE"):
                loops *= max(1.0, parent.rows)
            if node.type in ("Materialize", "Memoize"):
                return 1.0  # it may run once only
            node = parent
        return loops


class Plan:
    """A whole plan; `ran` when it is of EXPLAIN ANALYZE."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        """`raw`: the object that has the key "Plan"."""
        self.raw = raw
        self.root = Node(raw["Plan"])

    def __iter__(self) -> Iterator[Node]:
        return iter(self.root)

    @property
    def ran(self) -> bool:
        return self.root.ran

    @property
    def settings(self) -> dict[str, str]:
        """Planner settings that are not the default (SETTINGS)."""
        found = self.raw.get("Settings")
        return dict(found) if isinstance(found, Mapping) else {}

    @property
    def shape(self) -> str:
        """Steps, tables and indexes: the same for the same plan with other numbers."""

        def of(node: Node) -> str:
            names = (node.type, node.text("Join Type"), *node.relation, node.text("Index Name"))
            inner = ",".join(of(child) for child in node.children)
            return ":".join(name for name in names if name) + (f"({inner})" if inner else "")

        return of(self.root)


def read(text: str) -> Plan:
    """From EXPLAIN's or auto_explain's JSON. Raises GalvoError when it is none."""
    try:
        found = json.loads(text)
        if isinstance(found, list):
            found = found[0]
        return Plan(found)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise GalvoError("this is no plan in JSON: make it with EXPLAIN (FORMAT JSON)") from None
