"""Statements and expressions as they may be shown: in logs, metrics and pages there is no value from anybody's data."""

from __future__ import annotations

from pglast.parser import ParseError, scan

from galvo_sql.length import parsable

LITERALS = frozenset({"ICONST", "FCONST", "SCONST", "BCONST", "XCONST", "USCONST"})
COMMENTS = frozenset({"C_COMMENT", "SQL_COMMENT"})
HIDDEN = "(a statement that is not shown)"
LONGEST = 1000
"""Characters."""
LONGEST_READ = 16 * 1024
"""Characters. Longer texts are not shown, nor such as are not `parsable`."""


def redacted(sql: str, longest: int = LONGEST) -> str:
    """`sql` with `?` for each literal, without comments, on one line; HIDDEN if its literals cannot be told.

    At most `longest` characters. By tokens, not by `pglast.normalize`, which keeps comments and the literals of DDL,
    PREPARE and EXECUTE.
    """
    if len(sql) > LONGEST_READ or not parsable(sql):
        return HIDDEN
    try:
        tokens = scan(sql)
    except (ParseError, ValueError):
        return HIDDEN
    parts: list[str] = []
    at = 0
    for token in tokens:
        text = sql[token.start : token.end + 1]
        if token.name == "SCONST" and "\\" in text and text[0] not in "eE$":
            return HIDDEN  # with standard_conforming_strings off this literal ends elsewhere
        if parts and token.start > at and parts[-1] != " ":
            parts.append(" ")
        at = token.end + 1
        if token.name in LITERALS:
            parts.append("?")
        elif token.name not in COMMENTS:
            parts.append(text)
    shown = "".join(parts).strip()
    return shown if len(shown) <= longest else f"{shown[:longest]}..."
