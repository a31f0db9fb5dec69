"""Names as they are written in a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast


def quoted(*names: str | None) -> str:
    """A qualified name in SQL; safe whatever it contains."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names if name)


def strings(nodes: Any) -> list[str]:
    return [node.sval or "" for node in nodes or () if isinstance(node, ast.String)]


def walk(root: Any) -> Iterator[ast.Node]:
    """All nodes of a tree, without recursion: hostile texts nest deeply."""
    stack = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, ast.Node):
            yield item
            stack.extend(getattr(item, slot) for slot in item)


def relations(root: Any) -> set[str]:
    """Quoted names of all relations that a tree mentions, common table expressions among them."""
    return {quoted(node.schemaname, node.relname) for node in walk(root) if isinstance(node, ast.RangeVar)}
