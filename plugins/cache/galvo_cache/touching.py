"""From a statement's effect and its arguments to what it touches, with a look into the database where that helps.

`update project set name = $2 where id = $1` says which id it changes, but not whose project it is. If answers are
kept by `user_id`, what was seen of the row, or else one short query before the write, spares all but those of one user.
"""

from __future__ import annotations

import math
from time import monotonic
from typing import Any

import anyio

from galvo import Context, Query, Rows
from galvo_cache.catalog import Relation
from galvo_cache.effects import Change, Const, Output, Param, Shown, Source, Write
from galvo_cache.facts import BLOCK, Facts, learn
from galvo_cache.knowledge import Knowledge
from galvo_cache.lane import Lane
from galvo_cache.ledger import Ledger, Pending
from galvo_cache.reading import OWN
from galvo_cache.touch import GUESSED, STILL, Lanes, Touch, merged, token_of

MAX_RUNS = 64
"""Of executemany; more touch whole tables."""
MAX_LOOKUPS = 8
"""In the database, of one transaction."""
PATIENCE = 2.0
"""Seconds that look-ups may take; to touch a lane entirely costs many reads."""
PATIENCE_HOLDING = 0.1
"""The same of whoever holds a connection while it waits for another: it may be the last."""


class Question:
    """Which values does the row whose key `column` is `value` have in `lanes`?"""

    __slots__ = ("args", "column", "lanes", "relation", "shown", "value")

    def __init__(self, relation: Relation, column: str, value: Any, lanes: list[str]) -> None:
        self.relation = relation
        self.column = column
        self.value = value
        self.lanes = lanes
        self.shown = Shown(
            relation.oid, column, Output(0), tuple((name, Output(place)) for place, name in enumerate(lanes, 1))
        )
        """What the answer to `sql` says."""
        self.args: tuple[Any, ...] = (value,)
        if type(value) is int:  # rows with near keys are often written at near times
            self.args = (value - value % BLOCK, value - value % BLOCK + BLOCK - 1)

    @property
    def sql(self) -> str:
        """Asks for near keys as well, if there are two of `args`."""
        key, *lanes = (_quoted(name) for name in (self.column, *self.lanes))
        table = f"{_quoted(self.relation.schema)}.{_quoted(self.relation.name)}"
        which = "between $1 and $2" if len(self.args) == 2 else "= $1"
        return f"select {', '.join((key, *lanes))} from {table} where {key} {which}"  # noqa: S608  # quoted

    def answer(self, lanes: Lanes, found: dict[str, list[int]]) -> None:
        """Touch what was found; where nothing was, the lane entirely."""
        for name in self.lanes:
            before = lanes.get(name)
            if before is None or name not in found:
                lanes[name] = None
                lanes.pop(name + GUESSED, None)
            else:
                lanes[name] = sorted({*before, *found[name]})
                lanes[name + GUESSED] = []


class Draft:
    """What a statement, or a transaction so far, is known to touch, and what is to be asked before it takes effect."""

    __slots__ = ("columns", "questions", "touch")

    def __init__(self) -> None:
        self.touch: Touch = {}
        """Without what `questions` will add to it."""
        self.columns: dict[int, frozenset[str]] = {}
        """Of these tables only these columns are updated."""
        self.questions: list[Question] = []

    def add(self, other: Draft) -> None:
        for oid in other.touch:
            if oid in other.columns and (oid in self.columns or oid not in self.touch):
                self.columns[oid] = self.columns.get(oid, frozenset()) | other.columns[oid]
            else:
                self.columns.pop(oid, None)
        self.touch = merged(self.touch, other.touch)
        self.questions += other.questions


class Touching:
    """Drafts what statements touch, and finds out what their text leaves open: whose project is it?"""

    def __init__(self, context: Context, knowledge: Knowledge, ledger: Ledger, ttl: float) -> None:
        """`ttl`: seconds for which what was seen of a row may be believed."""
        self._context = context
        self._knowledge = knowledge
        self._ledger = ledger
        self._ttl = ttl
        self.until = math.inf
        """Until then (monotonic) others could tell us if they moved rows: see `Coherence`."""
        self.settled = False
        """Every running write is known."""
        self.known = 0
        """Questions that could be answered from memory."""
        self.lookups = 0
        """Questions that the database answered."""

    def stats(self) -> dict[str, float]:
        return {"lookups": self.lookups, "lookups_known": self.known}

    def draft(self, effect: Write, query: Query) -> Draft:
        """What `query` touches as far as its text and arguments say it."""
        draft = Draft()
        draft.touch = dict.fromkeys(effect.tables)
        runs = () if query.kind == "stream" else query.args if query.kind == "many" else (query.args,)
        for change in effect.changes:
            relation = self._knowledge.relation(change.table)
            if relation is None or not runs or len(runs) > MAX_RUNS:
                continue
            lanes: Lanes | None = None
            for args in runs:
                one = _static(change, relation, args)
                if question := self._question(change, relation, args, one):
                    draft.questions.append(question)
                    one |= {name: [] for name in question.lanes}
                lanes = one if lanes is None else merged({0: lanes}, {0: one})[0]
            draft.touch[change.table] = lanes
            if change.verb == "update" and change.columns is not None:
                draft.columns[change.table] = change.columns
        return draft

    def _question(self, change: Change, relation: Relation, args: tuple[Any, ...], lanes: Lanes) -> Question | None:
        """About the lanes that are touched entirely as far as text and arguments say it."""
        open_lanes = [
            name
            for name, lane in self._ledger.table(change.table).lanes.items()
            if lanes.get(name, []) is None and name not in (change.columns or ()) and lane.readers
        ]
        # Only a key: into another value somebody may insert a row between the look-up and the write.
        pinned = [(name, source) for name, source in change.fixed if lanes.get(name) and relation.lanes[name]]
        if change.verb == "insert" or not open_lanes or not pinned:
            return None
        column, source = pinned[0]
        return Question(relation, column, _value(source, args), open_lanes)

    async def begin(self, draft: Draft, *, holding: bool) -> Pending:
        """Find out what is open, then announce to the ledger. `holding`: the caller keeps a connection meanwhile."""
        if not draft.questions:
            return self._ledger.begin(draft.touch, draft.columns)
        guesses: list[Lane] = []
        asked, deadline = 0, monotonic() + (PATIENCE_HOLDING if holding else PATIENCE)
        try:
            for question in draft.questions:
                lanes = draft.touch[question.relation.oid]
                if lanes is None or all(lanes.get(name) is None for name in question.lanes):
                    continue
                guessed = self._ledger.guess(question.relation.oid, question.lanes)
                guesses += guessed
                found: dict[str, list[int]] = {}
                if guessed and self.settled and self._trusted:
                    found = self._remember(question)
                    if not found and asked < MAX_LOOKUPS:
                        asked += 1
                        found = await self._ask(question, deadline - monotonic())
                question.answer(lanes, found)
            for question in draft.questions:
                self._take_back_spoiled(question, draft.touch)
            return self._ledger.begin(draft.touch, draft.columns, guesses)
        finally:
            for lane in guesses:
                lane.settle(self._ledger.clock)

    @property
    def _trusted(self) -> bool:
        return monotonic() < self.until

    def proves(self, pending: Pending) -> bool:
        """Whether nobody has moved rows since the look-ups for a write; if others could not tell us, they may have."""
        return not pending.guesses or (self._trusted and not pending.spoiled)

    def _take_back_spoiled(self, question: Question, touch: Touch) -> None:
        """Somebody moved rows since the look-up: then it proves nothing."""
        lanes = touch[question.relation.oid]
        if lanes is None:
            return
        for name in question.lanes:
            if self._ledger.table(question.relation.oid).lane(name, self._ledger.clock).held:
                lanes[name] = None
                lanes.pop(name + GUESSED, None)

    def _remember(self, question: Question) -> dict[str, list[int]]:
        """What is known of the row, if that is all that matters; from now on answers are searched for it."""
        facts = self._ledger.table(question.relation.oid).lane(question.column, self._ledger.clock).facts
        found: dict[str, list[int]] = {}
        for name in question.lanes:
            if name not in facts:
                facts[name] = Facts(question.column, name, self._ttl)
            if (tokens := facts[name].find(question.value)) is not None:
                found[name] = tokens
        if len(found) < len(question.lanes):
            return {}
        self.known += 1
        return found

    async def _ask(self, question: Question, patience: float) -> dict[str, list[int]]:
        rows = Rows()
        self.lookups += 1
        since = self._ledger.clock
        with anyio.move_on_after(patience):
            try:
                rows = await self._context.run(Query(question.sql, question.args, origin=OWN))
            except Exception as error:  # noqa: BLE001  # no privilege, no connection: then the lane is touched entirely
                self._context.log.debug("look-up failed: %s", type(error).__name__)
        if not (rows.keep and self._trusted):
            return {}
        learn((question.shown,), (), rows, self._ledger, since)
        row = next((row for row in rows.records if len(question.args) == 1 or row[0] == question.value), None)
        if row is None:
            return {}  # a row that is not there yet may be there when the write comes
        found: dict[str, list[int]] = {}
        for name, value in zip(question.lanes, row[1:], strict=True):
            token = token_of(value)
            if token is not None or value is None:
                found[name] = [] if token is None else [token]
        return found


def _static(change: Change, relation: Relation, args: tuple[Any, ...]) -> Lanes:
    """The lanes that one run touches, by its text and arguments alone."""
    fixed = dict(change.fixed)
    lanes: Lanes = {}
    for name, unique in relation.lanes.items():
        if change.verb == "insert" and unique:
            lanes[name] = []  # see `final_places`
        elif name not in fixed:
            lanes[name] = None
        elif (value := _value(fixed[name], args)) is None:
            lanes[name] = []  # NULL equals nothing
        else:
            token = token_of(value)
            lanes[name] = None if token is None else [token]
    if change.verb == "insert" or not (change.columns is None or relation.lanes.keys() & change.columns):
        lanes[STILL] = []
    return lanes


def _value(source: Source, args: tuple[Any, ...]) -> Any:
    match source:
        case Const(value):
            return value
        case Param(index):
            return args[index]  # with fewer arguments the statement never runs
        case Output():
            raise TypeError("a write has no output to look at")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
