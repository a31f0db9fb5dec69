"""Names as they are written in a tree."""

from __future__ import annotations

from typing import Any

from pglast import ast

from galvo_sql import walk


def quoted(*names: str | None) -> str:
    """A qualified name in SQL; safe whatever it contains."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names if name)


def relations(root: Any) -> set[str]:
    """Quoted names of all relations that a tree mentions, common table expressions among them."""
    return {quoted(node.schemaname, node.relname) for node in walk(root) if isinstance(node, ast.RangeVar)}
