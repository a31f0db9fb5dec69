"""Statements as Django's cursors get them, turned into text that PostgreSQL would parse."""

from __future__ import annotations

import itertools
import re
from typing import Any

PLACEHOLDER = re.compile(r"%(?:%|(?:\([^)]*\))?[sbt])")
UNKNOWN = "do galvo"
"""For what cannot be read: as code, it may change anything."""


def numbered(sql: Any, *, params: bool) -> str:
    """With `$1` for each placeholder, which there are only where there are parameters."""
    if not isinstance(sql, str):  # bytes, and what psycopg composes: to know its text takes a connection
        return UNKNOWN
    if not params or "%" not in sql:
        return sql
    count = itertools.count(1)
    return PLACEHOLDER.sub(lambda found: "%" if found[0] == "%%" else f"${next(count)}", sql)
