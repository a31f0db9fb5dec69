"""The innermost layers of a stage: a database in memory, and a witness of what reaches whatever database there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import anyio.lowlevel

from galvo.context import Context
from galvo.events import Computed, Query, Rows
from galvo.hookspecs import Proceed, hookimpl
from galvo.plugin import Plugin
from galvo.row import Row

COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.S)


def bare(sql: str) -> str:
    """Without comments and what surrounds it."""
    return " ".join(COMMENT.sub(" ", sql).split()).rstrip("; ")


class DatabaseError(Exception):
    """What the database in memory raises, as asyncpg raises its PostgresError."""


class Database(Plugin):
    """Answers `known` with its argument, BEGIN, COMMIT and writes with a status, and refuses the rest."""

    name = "database_in_memory"
    known: str = ""

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if isinstance(query, Computed):
            return await proceed(query)
        await anyio.lowlevel.checkpoint()
        text = bare(query.sql)
        await anyio.lowlevel.checkpoint()
        if text == self.known and query.kind == "many":
            return Rows()
        if text == self.known and len(query.args) == 1 and type(query.args[0]) is int:
            return Rows([Row(("n",), query.args)], "SELECT 1" if query.kind == "status" else "")
        word = text.partition(" ")[0].upper()
        if word in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET"):
            return Rows((), word)
        if not text:
            return Rows()
        raise DatabaseError(f"cannot run {text[:40]!r}")


class Witness(Plugin):
    """Just outside of the innermost layer: counts, keeps what was answered, and raises what it is told to."""

    name = "witness_of_the_kit"

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self.seen: list[object] = []
        self.runs = 0
        self.open = 0
        """The application's queries that have not ended here."""
        self.answers: list[tuple[Rows, str]] = []
        """The answers and how they looked when they were given."""
        self.error: BaseException | None = None
        """The last that came out of the database, or out of here."""
        self.fails: Callable[[Query], BaseException | None] = lambda query: None
        self.gives: Callable[[Query], Rows | None] = lambda query: None
        """Answers in place of the database; None: ask it."""

    def forget(self) -> None:
        """What was seen up to now."""
        self.seen, self.answers, self.runs, self.error = [], [], 0, None

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        self.seen.append(query)
        if not isinstance(query, Query):
            raise TypeError(f"proceed was given a {type(query).__name__}")
        self.runs += not query.origin
        self.open += not query.origin
        try:
            if (error := self.fails(query)) is not None:
                await anyio.lowlevel.checkpoint()
                raise error
            rows = self.gives(query) or await proceed(query)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.open -= not query.origin
        if not isinstance(query, Computed):
            self.answers.append((rows, repr(rows)))
        return rows
