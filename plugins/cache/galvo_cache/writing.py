"""Statements that change data: announced before they are sent, taken back when they have ended.

Within a transaction nothing is visible to others before COMMIT, so its tables are collected in the session's
notes and announced with the COMMIT. An outcome that nobody knows counts as committed.
"""

from __future__ import annotations

import re

import anyio
from anyio.abc import TaskGroup

from galvo import Proceed, Query, Rows, Session
from galvo.errors import is_open
from galvo_cache.effects import Control, Everything, Write
from galvo_cache.knowledge import Knowledge
from galvo_cache.ledger import Ledger

NOTES = "cache"
MET = "cache.met"
RENAMED = "cache.renamed"
RENAMES = re.compile("search_path|schema|role|authorization|set_config|u&", re.IGNORECASE)
"""One of these is in every statement after which a name may mean another table."""


class Note:
    """What one open transaction has written. `tables` None is anything."""

    __slots__ = ("ddl", "owner", "tables")

    def __init__(self, owner: object, tables: set[int] | None) -> None:
        self.owner = owner
        self.tables = tables
        self.ddl = tables is None

    def add(self, effect: Write | Everything) -> None:
        if isinstance(effect, Everything):
            self.tables = None
            self.ddl = self.ddl or effect.ddl
        elif self.tables is not None:
            self.tables |= effect.tables


class Writing:
    """Follows writes and transactions, and keeps the ledger."""

    def __init__(self, ledger: Ledger, knowledge: Knowledge, unknown_outcome: float) -> None:
        self._ledger = ledger
        self._knowledge = knowledge
        self._unknown_outcome = unknown_outcome
        self.tasks: TaskGroup | None = None
        self.writes = 0
        self.flushes = 0

    def meet(self, session: Session) -> None:
        """Of a session that had a connection before this instance saw it, nothing is known."""
        if session.notes.get(MET) is not self:
            session.notes[MET] = self
            if session.pin is not None:
                session.notes[RENAMED] = True

    async def write(self, query: Query, proceed: Proceed, effect: Write | Everything) -> Rows:
        session = query.session
        if session is None:
            return await self._announced(query, proceed, effect)
        if isinstance(effect, Everything):
            session.notes[RENAMED] = True  # whatever it ran may have changed the search_path
        elif RENAMED in session.notes:
            effect = Everything("session_setting")
        if not (session.in_transaction and isinstance(effect, Write)):
            # A script may hold COMMIT, so even inside a transaction it is announced.
            try:
                return await self._announced(query, proceed, effect)
            finally:
                if session.in_transaction:
                    self._note(session).add(effect)
        note, epoch = self._note(session), self._knowledge.epoch
        note.add(effect)
        self.writes += 1
        try:
            return await proceed(query)
        finally:
            if epoch != self._knowledge.epoch:
                note.tables = None  # the schema changed meanwhile, and with it perhaps what this write did

    async def control(self, query: Query, proceed: Proceed, control: Control) -> Rows:
        session = query.session
        if session is None:
            return await proceed(query)
        if control.kind == "session" and RENAMES.search(query.sql):
            session.notes[RENAMED] = True
        if control.kind == "begin" and not session.in_transaction:
            rows = await proceed(query)
            session.notes[NOTES] = Note(self, set())
            return rows
        if control.kind == "commit" and session.in_transaction:
            note = self._note(session)
            session.notes.pop(NOTES, None)
            if note.tables is None:
                rows = await self._announced(query, proceed, Everything("transaction", ddl=note.ddl))
            elif note.tables:
                rows = await self._announced(query, proceed, Write(frozenset(note.tables)))
            else:
                rows = await proceed(query)
            if control.chain:  # not before: a COMMIT that was not even sent ends nothing
                session.notes[NOTES] = Note(self, set())
            return rows
        if control.kind == "rollback":
            rows = await proceed(query)
            session.notes[NOTES] = Note(self, set())
            return rows
        return await proceed(query)

    def _note(self, session: Session) -> Note:
        """This transaction's note; of one whose BEGIN this instance has not seen nothing is known."""
        note = session.notes.get(NOTES)
        if not isinstance(note, Note) or note.owner is not self:
            note = session.notes[NOTES] = Note(self, None)
        return note

    async def _announced(self, query: Query, proceed: Proceed, effect: Write | Everything) -> Rows:
        everything = isinstance(effect, Everything)
        tables = None if isinstance(effect, Everything) else effect.tables
        ddl = isinstance(effect, Everything) and effect.ddl
        epoch = self._knowledge.epoch
        self.writes += 1
        self.flushes += everything
        if ddl:
            self._knowledge.distrust()
            epoch = self._knowledge.epoch
        self._ledger.begin(tables)
        unknown = False
        try:
            return await proceed(query)
        except BaseException as error:
            unknown = is_open(error)
            raise
        finally:
            if unknown and self.tasks is not None and self._unknown_outcome:
                # The server may still be committing; nobody can say when it ends.
                self.tasks.start_soon(self._take_back_later, tables, ddl)
            else:
                self._take_back(tables, ddl)
            if not everything and epoch != self._knowledge.epoch:
                # The schema changed meanwhile, and with it perhaps what this write did.
                self._ledger.begin(None)
                self._ledger.end(None)

    def _take_back(self, tables: frozenset[int] | None, ddl: bool) -> None:
        self._ledger.end(tables)
        if ddl:
            self._knowledge.distrust()

    async def _take_back_later(self, tables: frozenset[int] | None, ddl: bool) -> None:
        await anyio.sleep(self._unknown_outcome)
        self._take_back(tables, ddl)
