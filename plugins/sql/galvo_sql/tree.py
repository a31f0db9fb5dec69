"""Parse trees of pglast."""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast


def walk(*roots: object) -> Iterator[ast.Node]:
    """Every node below, without recursion: hostile texts nest deeply."""
    stack: list[object] = list(roots)
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, ast.Node):
            yield item
            stack.extend(getattr(item, slot) for slot in item)


def strings(nodes: object) -> list[str]:
    """The values of the String nodes in a name list."""
    if not isinstance(nodes, tuple):
        return []
    return [node.sval or "" for node in nodes if isinstance(node, ast.String)]
