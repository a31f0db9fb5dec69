"""Which texts are the same statement but for their literals, and what kind it is."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pglast import ast, parse_sql
from pglast.parser import ParseError, fingerprint

MAX_TEXT = 8 * 1024
"""Characters; the scanner takes seconds for long texts, and longer with every letter beyond ASCII."""
Kind = Literal["read", "write", "other"]
"""Reads and writes have plans: one SELECT, or one INSERT, UPDATE, DELETE or MERGE."""
WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def told(sql: str) -> tuple[str, Kind]:
    """The fingerprint, 16 hexadecimal digits, and the kind. Costs about 50 us; of a text that cannot be parsed, or is
    very long, the hash of the text itself, and "other"."""
    if len(sql) <= MAX_TEXT:
        try:
            return fingerprint(sql), kind_of(sql)
        except (ParseError, ValueError):
            pass
    return hashlib.blake2b(sql.encode("utf-8", "replace"), digest_size=8).hexdigest(), "other"


def kind_of(sql: str) -> Kind:
    """Raises ParseError."""
    statements = parse_sql(sql)
    if len(statements) != 1:
        return "other"
    statement = statements[0].stmt
    if isinstance(statement, WRITES):
        return "write"
    if not isinstance(statement, ast.SelectStmt) or statement.intoClause is not None:
        return "other"
    tables: Any = statement.withClause.ctes if statement.withClause else ()
    return "write" if any(isinstance(table.ctequery, WRITES) for table in tables) else "read"
