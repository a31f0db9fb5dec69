"""Reads all statements of a workload, and learns about their tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg
from pglast.parser import ParseError

from galvo_index.advise.catalog.load import Catalog, add
from galvo_index.advise.parse.names import relations
from galvo_index.advise.parse.statement import read
from galvo_index.advise.parse.use import Reading, Use
from galvo_index.advise.whatif.backend import Question
from galvo_index.workload import Statement
from galvo_sql import parsed

_DEPTH = 16
"""Views in views."""


@dataclass(slots=True)
class Read:
    questions: list[Question] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    """In the same order."""
    uses: dict[int, list[Use]] = field(default_factory=dict)
    """By the questions' numbers."""
    skipped: dict[int, str] = field(default_factory=dict)
    """Numbers of statements, with the reason."""


async def read_all(connection: asyncpg.Connection, catalog: Catalog, statements: Sequence[Statement]) -> Read:
    texts = [one.sql for one in statements]
    for _ in range(_DEPTH):
        names = {name for text in texts for name in _names(text)}
        known = set(catalog.tables)
        await add(catalog, connection, names)
        texts = [catalog.tables[oid].view for oid in catalog.tables.keys() - known if catalog.tables[oid].view]
        if not texts:
            break
    found = Read()
    for number, statement in enumerate(statements):
        reading = read(statement.sql, catalog)
        if reading.problem:
            found.skipped[number] = reading.problem
            continue
        found.questions.append(Question(number, statement, reading.parameters, reading.tree))
        found.readings.append(reading)
        found.uses[number] = reading.uses
    return found


def _names(text: str) -> set[str]:
    try:
        return relations(parsed(text))
    except ParseError:
        return set()
