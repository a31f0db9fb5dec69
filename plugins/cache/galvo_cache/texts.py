"""A statement's text without its comments: sqlcommenter puts another trace id into the text of every request."""

from __future__ import annotations

from typing import Any

from pglast.parser import ParseError, scan

from galvo_sql import parsable

COMMENTS = frozenset({"SQL_COMMENT", "C_COMMENT"})
MAX_TEXT = 8 * 1024
"""Longer texts keep their comments."""
SPACE = " \t\n\r\f"
"""What PostgreSQL takes for space; to Python, more is: a no-break space, which ends a name."""


def stripped(sql: str) -> str:
    """`sql` without comments and without space round it; `sql` itself if it has none or cannot be read."""
    if ("--" not in sql and "/*" not in sql) or len(sql) > MAX_TEXT or not parsable(sql):
        return sql
    try:
        tokens = scan(sql)
        parts, place = [], 0
        for token in tokens:
            if token.name in COMMENTS:
                parts.append(sql[place : token.start])
                place = token.end + 1
        text = " ".join([*parts, sql[place:]]).strip(SPACE)
        # A comment forbids what a space allows: two strings on two lines are one.
        same = _spelled(text, scan(text)) == _spelled(sql, tokens)
        return text if same else sql
    except (ParseError, ValueError):
        return sql


def _spelled(sql: str, tokens: list[Any]) -> list[str]:
    return [sql[token.start : token.end + 1] for token in tokens if token.name not in COMMENTS]
