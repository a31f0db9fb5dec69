"""Writes of this process to the same database through another driver, an ORM's: announced as galvo's own are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Literal

from galvo import ForCaller, GalvoError, Query, Rows
from galvo_cache.effects import Control, Effect, Everything, Write
from galvo_cache.knowledge import Knowledge
from galvo_cache.touch import Touch
from galvo_cache.touching import Draft
from galvo_cache.writing import Writing

MOST = 2000
"""Texts whose effects are remembered."""
Verdict = Literal["reads", "writes", "anything"]
ENDS = ("begin", "commit", "rollback")
"""Of transactions: text that does it by itself may make anything visible."""


class Foreign:
    """For whoever runs statements elsewhere. Tables are touched as a whole: values of other drivers prove nothing."""

    def __init__(self, knowledge: Knowledge, writing: Writing) -> None:
        self._knowledge = knowledge
        self._writing = writing
        self._effects: dict[str, Effect] = {}
        self._epoch = -1

    def verdict(self, sql: str) -> Verdict | None:
        """What `sql` does; None: not known yet, ask `learn`. The one method that any thread may call."""
        effect = self._effects.get(sql)
        return None if effect is None or self._epoch != self._knowledge.epoch else _verdict(effect)

    def learn(self, sql: str) -> Verdict:
        """What `sql` does, as far as that is known without asking the database.

        The caller may hold locks for which a look into the catalog would wait.
        """
        return _verdict(self._effect(sql))

    async def during(self, statements: Iterable[str], write: Callable[[], Awaitable[None]]) -> None:
        """Run `write`, which makes what `statements` changed visible to others, while everybody knows that it runs.

        When it returns nobody is given what was before. What `write` raises is raised; if nobody knows whether it took
        effect, it is marked (`galvo.leave_open`). With `strict_invalidation` raises GalvoError instead.
        """
        draft: Draft | None = Draft()
        ddl = False
        for sql in statements:
            touch, changes_schema = self._touch(sql)
            ddl = ddl or changes_schema
            if draft is not None:
                draft = None if touch is None else _with(draft, touch)
        await self._announce(draft, ddl, write)

    async def wrote(self, tables: Iterable[str]) -> None:
        """Somebody has written `tables`, named as in SQL; when this returns nobody is given what was before.

        Raises GalvoError for a name that is no table.
        """
        draft: Draft | None = Draft()
        epoch = self._knowledge.epoch
        for name in tables:
            touch = await self._knowledge.touched(name)
            if touch == {}:
                raise GalvoError(f"wrote() names {name!r}, which is no table: write it as in SQL, with its schema")
            if draft is not None:
                draft = None if touch is None else _with(draft, touch)
        await self._announce(draft if epoch == self._knowledge.epoch else None, False, _nothing)

    async def _announce(self, draft: Draft | None, ddl: bool, write: Callable[[], Awaitable[None]]) -> None:
        async def proceed(query: Query) -> Rows:
            await write()
            return Rows()

        try:
            await self._writing.announced(Query(""), proceed, draft, ddl)
        except ForCaller as refused:
            raise refused.error from None

    def _touch(self, sql: str) -> tuple[Touch | None, bool]:
        """What it may have changed (None: anything), and whether the schema may be another."""
        match self._effect(sql):
            case Write(tables):
                return self._knowledge.namesakes(tables), False
            case Everything(_, ddl):
                return None, ddl
            case Control(kind) if kind in ENDS:
                return None, False
            case _:
                return {}, False

    def _effect(self, sql: str) -> Effect:
        if not self._knowledge.loaded:
            return self._knowledge.guess(sql)
        if self._epoch != self._knowledge.epoch or len(self._effects) >= MOST:
            self._effects, self._epoch = {}, self._knowledge.epoch
        effect = self._effects.get(sql)
        if effect is None:
            effect = self._effects[sql] = self._knowledge.known(sql)
        return effect


def _verdict(effect: Effect) -> Verdict:
    match effect:
        case Write():
            return "writes"
        case Control(kind) if kind in ENDS:
            return "anything"
        case Everything():
            return "anything"
        case _:
            return "reads"


def _with(draft: Draft, touch: Touch) -> Draft:
    draft.touch |= touch
    return draft


async def _nothing() -> None:
    return
