"""Numbers and conditions in sentences."""

from __future__ import annotations

from galvo_index.plans.facts import Facts
from galvo_index.plans.node import Node
from galvo_sql import redacted


def count(number: float) -> str:
    return f"{number:,.0f}"


def size(amount: float) -> str:
    """Bytes."""
    for unit in ("bytes", "kB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


def shown(expression: str) -> str:
    """A condition without its values."""
    return redacted(expression, 300)


def named(node: Node, facts: Facts) -> str:
    """Its table as in SQL."""
    table = facts.of(node.relation)
    return table.sql if table is not None else ".".join(name for name in node.relation if name)


def estimated(node: Node) -> str:
    """Whether numbers of rows are the planner's guess."""
    return "" if node.ran else "about "
