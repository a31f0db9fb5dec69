"""The cost of a plan, and the indexes that it uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]


def nodes(plan: Node) -> Iterator[Node]:
    stack = [plan]
    while stack:
        node = stack.pop()
        yield node
        stack += node.get("Plans", ())


def indexes(plan: Node) -> set[str]:
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node}


def cost(plan: Node) -> float:
    return float(plan["Total Cost"])
