"""What is expected: a file that is reviewed in diffs, and how what was found differs from it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from galvo import GalvoError
from galvo_bench.results.model import Section, Values

FILE = Path(__file__).parent / "expected.toml"
HEADER = """\
# What each operation asks of PostgreSQL and Redis, and what it allocates: counted, the same on every machine.
# Written by `galvo bench counts --update`, reviewed in diffs; CI fails when something else is found. Not named: 0.
"""
TOLERANCE = {"peak": 0.02}
"""By which a value may differ, as a part of the expected one. All others may not."""
VERSIONED = "allocations, Python "
"""Begins a section that says nothing about other versions."""
Row = dict[str, float]
Table = dict[str, dict[str, Row]]
"""By section and operation."""


class Difference(msgspec.Struct, frozen=True):
    section: str
    operation: str
    value: str
    expected: float | None
    """None: nobody expected it."""
    found: float | None
    """None: it is gone."""

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.section}: {self.operation}: is new"
        if self.found is None:
            return f"{self.section}: {self.operation}: is gone"
        grew = "grew" if self.found > self.expected else "shrank"
        return (
            f"{self.section}: {self.operation}: {self.value} {grew}: expected {self.expected:,g}, found {self.found:,g}"
        )


def table(sections: Iterable[Section]) -> Table:
    """Their values, without zeros."""
    return {
        section.title: {
            row.name: {name: value for name, value in row.values.items() if value}
            for row in section.rows
            if isinstance(row, Values)
        }
        for section in sections
    }


def read(path: Path = FILE) -> Table:
    """Empty when there is no file. Raises GalvoError for one that is none of ours."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Table)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise GalvoError(f"{path}: {error}; `galvo bench counts --update` writes it anew") from None


def render(expected: Table) -> str:
    """The file's text."""
    lines = [HEADER]
    for title, rows in expected.items():
        lines.append(f"[{json.dumps(title)}]")
        lines += [f"{json.dumps(name)} = {{{_inline(row)}}}" for name, row in rows.items()]
        lines.append("")
    return "\n".join(lines)


def _inline(row: Row) -> str:
    return ", ".join(f"{name} = {int(value)}" for name, value in row.items())


def differences(expected: Table, found: Table) -> list[Difference]:
    """Of the sections that were counted, but for those that are `unknown`."""
    told = []
    for title, rows in found.items():
        if title in unknown(expected, found):
            continue
        wanted = expected.get(title, {})
        for name in [*rows, *(name for name in wanted if name not in rows)]:
            told += _compared(title, name, wanted.get(name), rows.get(name))
    return told


def unknown(expected: Table, found: Table) -> list[str]:
    """Sections that are expected of other versions of Python only."""
    versions = any(title.startswith(VERSIONED) for title in expected)
    return [title for title in found if title.startswith(VERSIONED) and title not in expected and versions]


def _compared(title: str, name: str, wanted: Row | None, row: Row | None) -> list[Difference]:
    if wanted is None or row is None:
        return [Difference(title, name, "", None if wanted is None else 0, None if row is None else 0)]
    return [
        Difference(title, name, value, expected, found)
        for value in [*wanted, *(value for value in row if value not in wanted)]
        if abs((found := row.get(value, 0)) - (expected := wanted.get(value, 0))) > TOLERANCE.get(value, 0) * expected
    ]
