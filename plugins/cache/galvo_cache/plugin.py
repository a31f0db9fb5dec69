"""The outer layer of `on_query`: answers from memory what is provably current, and watches every write.

One invariant: capture the stamp before the read, compare it at the store and at the hit. The stamp is the plan's
generation, which every write to one of the plan's tables renews before it is sent.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from time import monotonic
from typing import Any

import anyio

from galvo import Computed, Context, Finding, Freed, Level, MemoryPressure, Plugin, Proceed, Query, Rows, hookimpl
from galvo_cache.allowed import SESSION_SETTINGS
from galvo_cache.answers import copied
from galvo_cache.beside import Beside
from galvo_cache.budget import Budget
from galvo_cache.checkup import checkup
from galvo_cache.coherence.coherence import Coherence
from galvo_cache.declared import Declared
from galvo_cache.effects import Control, Everything, Read, Refused, Write
from galvo_cache.favourites import Favourites
from galvo_cache.foreign import Foreign
from galvo_cache.keys import ALONE, Unkeyable, key_of
from galvo_cache.knowledge import Knowledge
from galvo_cache.ledger import Ledger
from galvo_cache.metering import metering
from galvo_cache.outside import Outside
from galvo_cache.planning import Planning
from galvo_cache.plans import Plan, Plans
from galvo_cache.reading import Reading
from galvo_cache.relay import Relay
from galvo_cache.second import Second, secrets
from galvo_cache.sessions import Sessions
from galvo_cache.settings import CacheSettings
from galvo_cache.sharing import Alongside, Sharing
from galvo_cache.sieve import Sieve
from galvo_cache.telling import Telling
from galvo_cache.touching import Touching
from galvo_cache.traces import Traces
from galvo_cache.trust import Trust
from galvo_cache.verifying import Verifying
from galvo_cache.warming import Again, Warm, Warming
from galvo_cache.writing import Writing


class CachePlugin(Plugin):
    """L1: answers in this process, as long as nothing they depend on was written."""

    name = "cache"
    api = ">=1.2,<2"
    provides = ("cache",)
    settings_type = CacheSettings

    def __init__(self, settings: CacheSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._plans = Plans(settings.max_statements)
        self._known = self._plans.get
        self._sieve = Sieve(settings.max_bytes)
        self._budget = Budget(self._sieve)
        favourites = Favourites(settings.warm, self._plans)
        self._warming = Warming(settings, context, favourites, self._planned, self._may_keep)
        self._ledger = Ledger(self._sieve.invalidate, self._warming.flushed)
        declared = Declared(settings.effects, settings.reads, settings.session_inputs)
        self._knowledge = Knowledge(context, declared, self._forget)
        self._touching = Touching(context, self._knowledge, self._ledger, settings.ttl)
        self._counts: Counter[str] = Counter()
        self._reading = Reading(context, settings, self._knowledge, self._ledger, self._sieve, self._counts)
        self._outside = Outside(settings, context, self._ledger, self._knowledge)
        self._until = math.inf
        """Answers are served from memory until this time (monotonic)."""
        self._trust = Trust(self._trusted)
        self._sharing = Sharing(
            settings, context, self._ledger, self._knowledge, self._outside.follow, self._trust.lease, self._shared
        )
        if self._sharing.on:
            self._outside.relay = Relay(self._ledger, self._sharing.correct)
        self._writing = Writing(
            self._ledger, self._knowledge, self._touching, self._sharing, self._outside, settings.unknown_outcome,
            shadow=settings.mode == "shadow",
        )  # fmt: skip
        self.foreign = Foreign(self._knowledge, self._writing)
        """For another driver in this process that writes to the same database."""
        inputs = sorted({*chain.from_iterable(settings.session_inputs.values())})
        self.session_settings = (*SESSION_SETTINGS, *inputs)
        """The settings on which answers may depend; for the pool."""
        computed: dict[tuple[str, ...], Plan] = {}
        self._known_value = computed.get
        self._sessions = Sessions(self.name, self._knowledge, inputs, declared=bool(settings.effects))
        self._verifying = Verifying(context, self._ledger, self._sieve, self._counts)
        self._telling = Telling(
            settings, self._plans, computed, self._counts, self._knowledge, self._outside, self._sharing,
            (self._verifying, self._writing, self._touching, self._reading, self._ledger, self._sieve, self._warming),
        )  # fmt: skip
        self._planning = Planning(
            self._plans, computed, self._knowledge, self._sessions, self._ledger, self._sieve, self._telling.retire,
            declared=bool(settings.effects),
        )  # fmt: skip
        self._metering = metering(context, self.stats)
        self.traces = Traces(self._plans, self.name)
        """For the pool."""
        self.verify = settings.verify

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        if self._sharing.on:
            secrets(self._settings)
            await self._sharing.connect()
        older = self.context.capability("cache")
        if isinstance(older, CachePlugin) and older is not self:
            self._warming.inherit(older._warming)
            self._sharing.succeed(older._sharing)
        del older  # this frame lives as long as this instance: the older one would, too, with all that it keeps
        self._warming.load()
        try:
            async with anyio.create_task_group() as tasks:
                self._writing.tasks = self._reading.refreshing.tasks = self._verifying.tasks = tasks
                tasks.start_soon(self._refresh)
                tasks.start_soon(self._knowledge.supply)
                tasks.start_soon(self._metering.run)
                tasks.start_soon(self._budget.run)
                if self._settings.warm:
                    tasks.start_soon(self._warming.run)
                    tasks.start_soon(self._warming.remember)
                tasks.start_soon(self._outside.run, tasks)
                if self._sharing.on:
                    tasks.start_soon(self._sharing.run)
                yield
                tasks.cancel_scope.cancel()
                self._warming.look()
                self._warming.save()
        finally:
            if pool := self.context.capability("pool"):
                pool.part(self)
            self._reading.refreshing.tasks = self._verifying.tasks = None
            if self._reading.second is not None:
                await self._reading.second.close()
            await self._sharing.close()

    async def _shared(self, coherence: Coherence) -> Alongside | None:
        """This process joins the others, and may read what they keep; gives what is to run as long as it does."""
        if self._reading.second is not None:
            await self._reading.second.close()
            self._reading.second = None
        if not (self._settings.l2 and self._sharing.session):
            return None
        namespace = f"{self._sharing.namespace}:{self._sharing.session}"
        self._reading.second = second = Second(self._sharing.client, coherence, namespace, self._settings, self._counts)
        return second.run

    def _trusted(self, until: float) -> None:
        self._until = self._reading.until = self._touching.until = until

    def settled(self) -> None:
        """From now on every running write is known, so answers may be kept."""
        self._sharing.settled(continuous=self.context.continuous)
        self._reading.settled = self._touching.settled = True
        if pool := self.context.capability("pool"):
            pool.meet(self)

    async def _refresh(self) -> None:
        while True:
            await anyio.sleep(self._settings.catalog_refresh)
            await self._knowledge.refresh()

    # -- reads ----------------------------------------------------------------------------------------

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        plan = self._known(query.sql)
        if (
            plan is None
            or plan.tables is None
            or query.kind != "rows"
            or query.session is not None
            or query.record_class is not None
        ):
            found = await self._look_closer(query, proceed)
            if not isinstance(found, Plan):
                return found
            plan = found
        args = query.args
        try:
            key = args if len(args) == 1 and type(args[0]) in ALONE else key_of(args)
        except Unkeyable:
            return await self._refuse("argument_type", query, proceed, plan)
        entry = (plan.one if query.limit else plan.many).get(key)
        if (
            entry is None
            or entry.generation != plan.generation
            or entry.expires < (now := monotonic())
            or self._until < now
        ):
            return await self._reading.read(query, proceed, plan, key_of(args))
        entry.visited += 1
        plan.hits += 1
        if self.verify and random.random() < self.verify:  # noqa: S311  # sampling
            return await self._verifying.check(query, proceed, entry, wait=self.verify >= 1)
        return entry.shared or copied(entry.answer.kept)

    async def _look_closer(self, query: Query, proceed: Proceed) -> Rows | Plan:
        """Everything but a known read without a session: its answer, or the plan by which it may be kept."""
        if query.origin == self.name:
            return Rows() if type(query) is Again else await proceed(query)
        if isinstance(query, Computed):
            return await self._value(query, proceed)
        session, note = query.session, None
        if session is None:
            plan = await self._planning.plan(query.sql)
            effect = plan.effect
        else:
            note = self._sessions.note(session)
            plan = await self._planning.plan_in(session, note, query)
            effect = plan.effect
            if note.names is None and isinstance(effect, Write | Read | Refused if note.risky else Write):
                effect = Everything("session_setting")
            self._sessions.changes(session, note, plan.effect)
        if isinstance(effect, Write | Everything | Control):
            with self._sessions.changing(session, effect):
                return await self._writing.run(query, proceed, effect)
        if isinstance(effect, Refused):
            return await self._refuse(effect.reason, query, proceed, plan)
        if query.kind != "rows" or query.record_class is not None:
            return await self._refuse("call", query, proceed, plan)
        if session is not None and session.in_transaction:
            return await self._refuse("transaction", query, proceed, plan)
        if note is not None and not note.serves(effect):
            return await self._refuse("session", query, proceed, plan)
        return plan

    async def readable(self, sql: str) -> object | None:
        """Not None if any connection at its default settings gives the answer of `sql`, at any moment that its caller
        may see: it reads rows of tables and nothing else. The same object as long as nothing else is known of `sql`.
        """
        plan = await self._planning.plan(sql)
        return plan if plan.tables is not None else None

    async def _planned(self, sql: str) -> Plan:
        return await self._planning.plan(sql)

    async def _value(self, query: Computed, proceed: Proceed) -> Rows:
        """A computed value: kept like a read of the tables it depends on."""
        if query.session is not None:
            return await self._refuse("session", query, proceed)
        plan = self._known_value(query.depends_on) or await self._planning.plan_of_value(query)
        if isinstance(plan, Refused):
            if plan.reason == "unknown_table":
                self.context.log.warning("depends_on names %r, which is no table", plan.detail)
            return await self._refuse(plan.reason, query, proceed)
        entry = plan.many.get(query.sql)
        if entry is not None and entry.generation == plan.generation and monotonic() < min(entry.expires, self._until):
            entry.visited += 1
            plan.hits += 1
            return entry.answer.rows()
        return await self._reading.read(query, proceed, plan, query.sql)

    async def _refuse(self, reason: str, query: Query, proceed: Proceed, plan: Plan | None = None) -> Rows:
        self._counts[f"refused_{reason.replace(': ', '_')}"] += 1
        began = monotonic()
        try:
            return await proceed(query)
        finally:
            if plan is not None:
                plan.refuse(reason, monotonic() - began)

    # -- warming --------------------------------------------------------------------------------------

    def _may_keep(self) -> bool:
        return self._reading.settled and self._until > monotonic()

    def warm_with(self, name: str, warm: Warm) -> Callable[[], None]:
        """Call `warm` soon, and again after each flush, to read what will be needed; gives what takes it back.

        Its faults are logged under `name`. A name given again replaces the one before.
        """
        return self._warming.add(name, warm)

    def beside(self) -> Beside | None:
        """For a host that writes past this plugin while it or the pool is off: tells those that share the cache.

        It works when this plugin has ended, too. None: there are no others.
        """
        return self._sharing.beside()

    async def wrote(self, tables: Iterable[str]) -> None:
        """A writer that does not use galvo has written `tables`, named as in SQL: nobody is given what was before.

        Raises GalvoError for a name that is no table.
        """
        await self.foreign.wrote(tables)

    # -- forgetting -----------------------------------------------------------------------------------

    def clear(self) -> int:
        """Drop all answers; gives their bytes."""
        freed = self._sieve.bytes
        self._warming.look()
        self._ledger.end(self._ledger.begin(None))
        self._sieve.shrink(0)
        self._ledger.flushed()
        return freed

    # -- what the pool says ---------------------------------------------------------------------------

    def reset(self) -> None:
        """Another database, or another session's settings, answer from now on: nothing known holds."""
        self._sessions.abandon()
        self._knowledge.distrust()
        self._sharing.moved()
        self._ledger.end(self._ledger.begin(None))

    def suspend(self) -> None:
        """Until `resume`, what is kept may be wrong."""
        self._trust.suspend()

    def resume(self) -> None:
        """What was kept before `suspend` holds, unless `reset` came between."""
        self._trust.resume()

    def _forget(self) -> None:
        """The schema changed: drop the plans and with them all answers."""
        self._warming.look()
        self._planning.forget()

    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed:
        if pressure.level is Level.CRITICAL:
            self._ledger.unlearn()
        return Freed(self._budget.follow(pressure.level), "cache")

    # -- telling --------------------------------------------------------------------------------------

    async def explain(self, query: Query) -> dict[str, Any]:
        return self._telling.explain(query, await self._planning.plan(query.sql))

    async def checkup(self) -> Sequence[Finding]:
        return await checkup(self._sharing.url, self._sharing.client)

    def stats(self) -> dict[str, float]:
        return self._telling.stats()

    def top(self, count: int = 10) -> dict[str, list[dict[str, Any]]]:
        """The statements that `saved` most seconds, and those whose `refused` runs took most."""
        return self._telling.top(count)
