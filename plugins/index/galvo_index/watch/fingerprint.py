"""Which texts are the same statement but for their literals, and what kind it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Literal

from pglast import ast
from pglast.parser import ParseError, fingerprint

MAX_TEXT = 8 * 1024
"""Characters; the scanner takes seconds for long texts, and longer with every letter beyond ASCII."""
Kind = Literal["read", "write", "other"]
"""Reads and writes have plans: one SELECT, or one INSERT, UPDATE, DELETE or MERGE."""
WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


_START = re.compile(r"(?>\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*+([a-z]+)", re.IGNORECASE | re.DOTALL)
_WRITING = re.compile(r"\b(insert|update|delete|merge)\b", re.IGNORECASE)
_MORE = re.compile(r";\s*\S")
READS = frozenset({"select", "values", "table"})


def told(sql: str) -> str:
    """The fingerprint, 16 hexadecimal digits. Costs 10 us and more for long texts; of one that cannot be parsed, or is
    very long, it is the hash of the text itself."""
    if len(sql) <= MAX_TEXT:
        try:
            return fingerprint(sql)
        except (ParseError, ValueError):
            pass
    return hashlib.blake2b(sql.encode("utf-8", "replace"), digest_size=8).hexdigest()


def sort_of(sql: str) -> Kind:
    """`kind_of` by its first word, for a hundredth of what parsing costs: milliseconds."""
    found = _START.match(sql) if len(sql) <= MAX_TEXT and not _MORE.search(sql) else None
    word = found[1].lower() if found else ""
    if word in READS:
        return "read"
    if word == "with":
        return "write" if _WRITING.search(sql) else "read"
    return "write" if _WRITING.fullmatch(word) else "other"


def kind_of(statements: Sequence[Any]) -> Kind:
    """Of what `parse_sql` gives."""
    if len(statements) != 1:
        return "other"
    statement = statements[0].stmt
    if isinstance(statement, WRITES):
        return "write"
    if not isinstance(statement, ast.SelectStmt) or statement.intoClause is not None:
        return "other"
    tables: Any = statement.withClause.ctes if statement.withClause else ()
    return "write" if any(isinstance(table.ctequery, WRITES) for table in tables) else "read"
