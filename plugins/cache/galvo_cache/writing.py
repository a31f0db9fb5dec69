"""Statements that change data: announced before they are sent, taken back when they have ended.

Within a transaction nothing is visible to others before COMMIT, so its tables are collected in the session's
notes and announced with the COMMIT. An outcome that nobody knows counts as committed.
"""

from __future__ import annotations

import anyio
from anyio.abc import TaskGroup

from galvo import Proceed, Query, Rows, Session, is_open
from galvo_cache.effects import Control, Everything, Write
from galvo_cache.knowledge import Knowledge
from galvo_cache.ledger import Ledger, Pending
from galvo_cache.outside import Outside
from galvo_cache.sharing import Said, Sharing
from galvo_cache.touching import Draft, Touching

NOTES = "cache"


class Note:
    """What one open transaction has written. `draft` None is anything."""

    __slots__ = ("ddl", "draft", "owner")

    def __init__(self, owner: object, draft: Draft | None) -> None:
        self.owner = owner
        self.draft = draft
        self.ddl = draft is None

    def add(self, draft: Draft | None, *, ddl: bool = False) -> None:
        if draft is None:
            self.draft = None
            self.ddl = self.ddl or ddl
        elif self.draft is not None:
            self.draft.add(draft)


class Writing:
    """Follows writes and transactions, and keeps the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        knowledge: Knowledge,
        touching: Touching,
        sharing: Sharing,
        outside: Outside,
        unknown_outcome: float,
        *,
        shadow: bool = False,
    ) -> None:
        self._ledger = ledger
        self._knowledge = knowledge
        self._touching = touching
        self._sharing = sharing
        self._outside = outside
        self._unknown_outcome = unknown_outcome
        self._shadow = shadow
        self.tasks: TaskGroup | None = None
        self.writes = 0
        self.flushes = 0

    async def run(self, query: Query, proceed: Proceed, effect: Write | Everything | Control) -> Rows:
        """Run what may change something."""
        if isinstance(effect, Control):
            return await self.control(query, proceed, effect)
        return await self.write(query, proceed, effect)

    async def write(self, query: Query, proceed: Proceed, effect: Write | Everything) -> Rows:
        session = query.session
        if session is None:
            return await self.announced(query, proceed, *self._drafted(effect, query))
        draft, ddl = self._drafted(effect, query)
        if draft is None or not session.in_transaction:
            # A script may hold COMMIT, so even inside a transaction it is announced.
            try:
                return await self.announced(query, proceed, draft, ddl)
            finally:
                if session.in_transaction:
                    self._note(session).add(draft, ddl=ddl)
        note, epoch = self._note(session), self._knowledge.epoch
        note.add(draft)
        self._outside.note(draft)  # should the connection be lost, nobody is told when it is rolled back
        self.writes += 1
        try:
            rows = await proceed(query)
        finally:
            if epoch != self._knowledge.epoch:
                note.draft = None  # the schema changed meanwhile, and with it perhaps what this write did
        if not rows.keep:
            note.draft = None
        return rows

    def _drafted(self, effect: Write | Everything, query: Query) -> tuple[Draft | None, bool]:
        """What it touches (None: anything), and whether the schema may change."""
        if isinstance(effect, Everything):
            return None, effect.ddl
        return self._touching.draft(effect, query), False

    async def control(self, query: Query, proceed: Proceed, control: Control) -> Rows:
        session = query.session
        if session is None:
            return await proceed(query)
        if control.kind == "begin" and not session.in_transaction:
            rows = await proceed(query)
            session.notes[NOTES] = Note(self, Draft())
            return rows
        if control.kind == "commit" and session.in_transaction:
            note = self._note(session)
            session.notes.pop(NOTES, None)
            if note.draft is None or note.draft.touch:
                rows = await self.announced(query, proceed, note.draft, note.ddl)
            else:
                rows = await proceed(query)
            if control.chain:  # not before: a COMMIT that was not even sent ends nothing
                session.notes[NOTES] = Note(self, Draft())
            return rows
        if control.kind == "rollback":
            self._outside.note(self._note(session).draft)  # the server counts what is rolled back, too
            rows = await proceed(query)
            session.notes[NOTES] = Note(self, Draft())
            return rows
        return await proceed(query)

    def _note(self, session: Session) -> Note:
        """This transaction's note; of one whose BEGIN this instance has not seen nothing is known."""
        note = session.notes.get(NOTES)
        if not isinstance(note, Note) or note.owner is not self:
            note = session.notes[NOTES] = Note(self, None)
        return note

    async def announced(self, query: Query, proceed: Proceed, draft: Draft | None, ddl: bool) -> Rows:
        """Run what touches `draft` (None: anything) while everybody knows that it runs."""
        epoch, moves = self._knowledge.epoch, self._sharing.moves
        self.writes += 1
        self.flushes += draft is None
        if ddl:
            self._knowledge.distrust()
            epoch = self._knowledge.epoch
        if draft is None:
            pending = self._ledger.begin(None)
        else:
            holding = query.session is not None and query.session.holding
            pending = await self._touching.begin(draft, holding=holding)
        self._outside.note(draft)
        unknown = elsewhere = False
        marks: list[Said] = []
        try:
            marks = await self._sharing.begin(None if draft is None else draft.touch, ddl=ddl)
            if draft is not None and marks and not self._touching.proves(pending):
                # Others may have heard the end of whoever moved the rows before they heard of this write.
                marks += await self._sharing.begin(dict.fromkeys(draft.touch), ddl=False)
            rows = await proceed(query)
        except BaseException as error:
            # Beside the query a cancellation comes at once; the query itself may still be on its way.
            unknown = is_open(error) or (self._shadow and isinstance(error, anyio.get_cancelled_exc_class()))
            self._sharing.abandon(marks, unknown=unknown)
            raise
        else:
            elsewhere = not rows.keep or moves != self._sharing.moves
            if elsewhere:
                await self._sharing.correct(None)
            await self._sharing.end(marks)
            return rows
        finally:
            self._outside.note(draft)
            if unknown and self.tasks is not None and self._unknown_outcome:
                # The server may still be committing; nobody can say when it ends.
                self.tasks.start_soon(self._take_back_later, pending, ddl)
            else:
                self._take_back(pending, ddl)
            if draft is not None and (elsewhere or epoch != self._knowledge.epoch):
                # The schema changed meanwhile, and with it perhaps what this write did.
                self._ledger.end(self._ledger.begin(None))

    def _take_back(self, pending: Pending, ddl: bool) -> None:
        self._ledger.end(pending)
        if ddl:
            self._knowledge.distrust()
        elif pending.everything:
            self._ledger.flushed()

    async def _take_back_later(self, pending: Pending, ddl: bool) -> None:
        await anyio.sleep(self._unknown_outcome)
        self._take_back(pending, ddl)

    def stats(self) -> dict[str, float]:
        return {"writes": self.writes, "flushes": self.flushes}
