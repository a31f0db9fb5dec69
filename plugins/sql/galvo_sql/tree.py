"""Parse trees of pglast."""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.parser import ParseError, parse_sql

from galvo_sql.length import TOKENS, parsable

MOST = 4 * TOKENS
"""Of `1+1+1...` so many take 6 of the 8 MB of stack that a command has. PostgreSQL refuses a third of that."""


def parsed(sql: str) -> tuple[ast.RawStmt, ...]:
    """The statements in `sql`, off the event loop. Raises ParseError, also for more tokens than the stack may hold."""
    if not parsable(sql, MOST):
        raise ParseError("it is too long to be parsed")
    statements: tuple[ast.RawStmt, ...] = parse_sql(sql)
    return statements


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
