"""A workload from a file of SQL, one statement after the other."""

from __future__ import annotations

import re
from typing import NamedTuple

from pglast.parser import ParseError, scan

from galvo import GalvoError
from galvo_index.workload.statement import Statement
from galvo_sql import parsed

_NOTE = re.compile(r"\b(calls|seconds)\s*[:=]\s*([0-9]+(?:\.[0-9]*)?)", re.IGNORECASE)
_META = re.compile(r"^\\.*$", re.MULTILINE)
"""psql's own commands."""


class Skipped(NamedTuple):
    line: int
    reason: str


class File(NamedTuple):
    statements: list[Statement]
    """The same text twice is one statement with two calls."""
    skipped: list[Skipped]


def read(text: str) -> File:
    """`-- calls: 120, seconds: 3.5` (of all calls together) before a statement weighs it.

    Raises GalvoError when the text cannot be split, as for a quote that is never closed.
    """
    text = _META.sub(lambda found: " " * len(found[0]), text.removeprefix("\ufeff"))
    found: dict[str, Statement] = {}
    skipped = []
    for line, notes, sql in _split(text):
        try:
            parsed(sql)
        except ParseError as error:
            skipped.append(Skipped(line, _sentence(error)))
            continue
        weights = {name.lower(): float(value) for name, value in _NOTE.findall(notes)}
        before = found.get(sql, Statement(sql, calls=0))
        calls, seconds = weights.get("calls", 1.0), weights.get("seconds", 0.0)
        found[sql] = Statement(sql, calls=before.calls + calls, seconds=before.seconds + seconds)
    return File(list(found.values()), skipped)


def _split(text: str) -> list[tuple[int, str, str]]:
    """Line, comments before it, and text of each statement; the scanner splits also what does not parse."""
    parts: list[tuple[int, str, str]] = []
    notes, start, end = "", -1, 0
    try:
        tokens = scan(text)
    except ParseError as error:
        at = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else 0
        line = text.count("\n", 0, at) + 1
        raise GalvoError(f"the file of SQL cannot be read from line {line} on: {_sentence(error)}") from None
    for token in tokens:
        if token.name in ("SQL_COMMENT", "C_COMMENT"):
            if start < 0:
                notes += text[token.start : token.end + 1] + "\n"
        elif token.name == "ASCII_59":
            if start >= 0:
                parts.append((text.count("\n", 0, start) + 1, notes, text[start:end]))
            notes, start = "", -1
        else:
            start, end = (start if start >= 0 else token.start), token.end + 1
    if start >= 0:
        parts.append((text.count("\n", 0, start) + 1, notes, text[start:end]))
    return parts


def _sentence(error: ParseError) -> str:
    return str(error.args[0] if error.args else error)
