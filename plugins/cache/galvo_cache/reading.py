"""A miss: one caller reads, the others with the same key wait for it, and what it got is kept if it is current."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Hashable
from time import monotonic

import anyio

from galvo import Computed, Context, ForCaller, GalvoError, Proceed, Query, Rows
from galvo_cache.answers import Answer, TooLarge, copied
from galvo_cache.early import first_draw
from galvo_cache.facts import learn
from galvo_cache.flights import Flight
from galvo_cache.keys import Unkeyable, key_of, weight_of
from galvo_cache.knowledge import Knowledge
from galvo_cache.ledger import Ledger
from galvo_cache.places import final_places, joining_places, known_places
from galvo_cache.plans import Plan
from galvo_cache.refreshing import Refreshing
from galvo_cache.second import Claim, Second
from galvo_cache.sessions import turn_of
from galvo_cache.settings import CacheSettings
from galvo_cache.sieve import Entry, Sieve

OWN = "cache"
"""The origin of what the cache asks for its own purposes."""


class Reading:
    """Reads what is not kept, once for all who ask at the same time."""

    def __init__(
        self,
        context: Context,
        settings: CacheSettings,
        knowledge: Knowledge,
        ledger: Ledger,
        sieve: Sieve,
        counts: Counter[str],
    ) -> None:
        self._context = context
        self._knowledge = knowledge
        self.second: Second | None = None
        self._settings = settings
        self._ledger = ledger
        self._sieve = sieve
        self._counts = counts
        self._early = settings.early if settings.verify < 1 else 0.0  # each hit is compared: none goes another way
        self.refreshing = Refreshing(self._early, counts, self._board, self._lead)
        self.until = math.inf
        """Until then (monotonic) what is kept may be served: see `Trust`."""
        self.settled = False
        """Every running write is known, so answers may be kept."""

    def stats(self) -> dict[str, float]:
        return self.second.stats() if self.second is not None else {}

    async def read(self, query: Query, proceed: Proceed, plan: Plan, key: Hashable) -> Rows:
        """The answer of what is no plain hit: a kept one if the call takes it, else a new one."""
        now = monotonic()
        kept = self.refreshing.kept(query, proceed, plan, key, now, trusted=now < self.until)
        if kept is not None:
            return kept
        try:
            return await self._miss(query, proceed, plan, key)
        except Exception as error:
            now = monotonic()
            kept = self.refreshing.despite(error, query, plan, key, now, trusted=now < self.until)
            if kept is None:
                raise
            return kept

    async def _miss(self, query: Query, proceed: Proceed, plan: Plan, key: Hashable) -> Rows:
        """A new answer, if need be by waiting for somebody who reads it already."""
        turn = turn_of(query.session)
        if self.until <= monotonic():
            return await self._untrusted(query, proceed, plan)
        place = (query.limit, key)
        while (flight := plan.flights.get(place)) is not None:
            if flight.awaits_us:
                if isinstance(query, Computed):
                    raise ForCaller(GalvoError(f"computing the value {query.sql!r} asks for that value itself"))
                return await self._bypass(query, proceed, plan, "flight_not_joined")
            if flight.generation != plan.generation or not self._ledger.untouched(flight.places, flight.clock):
                break  # it is from before a write: a reader that starts after the write must see it
            if _holds_connection(query):
                # The flight may be waiting for that connection.
                return await self._bypass(query, proceed, plan, "flight_not_joined")
            began = monotonic()
            with anyio.move_on_after(query.timeout):
                await flight.wait()
            if not flight.landed:
                raise ForCaller(TimeoutError())
            query = _hurried(query, began)
            if flight.rows is not None:
                self._counts["joined"] += query.origin != OWN
                return copied(flight.rows) if flight.private else flight.rows
            if flight.failed:
                self._missed(query, plan, "flight_failed")
                return await proceed(query)  # its error was its caller's: another timeout, another luck
        flight = self._board(query, plan)
        if flight is None:
            return await self._bypass(query, proceed, plan, "pending_write" if self.settled else "starting")
        flight.turn = turn
        self._missed(query, plan, self._why(plan, plan.home(query.limit), key))
        return await self._lead(query, proceed, plan, key, flight)

    def _board(self, query: Query, plan: Plan) -> Flight | None:
        """A read that begins now, with its stamps; None: a write is under way, and its answer could not be kept."""
        if not (self.settled and self._ledger.quiet(plan, known_places(plan, query.args, self._ledger))):
            return None
        joinable = joining_places(plan, query.args, self._ledger)
        return Flight(plan.generation, self._ledger.clock, joinable, monotonic())

    def _missed(self, query: Query, plan: Plan, reason: str) -> None:
        """Count it, unless the cache itself asks."""
        if query.origin != OWN:
            plan.misses += 1
            self._counts[f"misses_{reason}"] += 1

    def _why(self, plan: Plan, home: dict[Hashable, Entry], key: Hashable) -> str:
        """Why the answer is not there, or not good."""
        old = home.get(key)
        if old is None:
            return self._sieve.why(home, key)
        return "expired" if old.generation == plan.generation else "invalidated"

    async def _bypass(self, query: Query, proceed: Proceed, plan: Plan, reason: str) -> Rows:
        """Neither serve nor keep."""
        self._missed(query, plan, reason)
        self._counts["bypassed"] += 1
        return await proceed(query)

    async def _untrusted(self, query: Query, proceed: Proceed, plan: Plan) -> Rows:
        """What is kept may be wrong now: neither serve nor keep, but do not flood the database either."""
        self._missed(query, plan, "untrusted")
        if isinstance(query, Computed) or _holds_connection(query):
            return await proceed(query)  # who passed the gate before may be waiting for this one
        if plan.gate is None:
            plan.gate = anyio.Semaphore(self._settings.max_misses_untrusted, fast_acquire=True)
        async with plan.gate:
            return await proceed(query)

    async def _lead(self, query: Query, proceed: Proceed, plan: Plan, key: Hashable, flight: Flight) -> Rows:
        home, place = plan.home(query.limit), (query.limit, key)
        reason = self._why(plan, home, key)
        plan.flights[place] = flight
        flight.start()
        claim: Claim | None = None
        second = self.second  # it may be another one when the answer is there
        try:
            rows: Rows | None = None
            if second is not None and not isinstance(query, Computed):
                digest = self._knowledge.digest
                claim = await second.find(query, plan, key, digest, replaces=flight.replaces)
            if claim is not None and claim.rows is not None:
                rows, flight.cost = claim.rows, claim.cost
                self._counts["hits_l2"] += query.origin != OWN and not flight.replaces
            else:
                began = monotonic()
                rows = await self._ask(_hurried(query, flight.began), reason)
                if rows is None:
                    began = monotonic()
                    rows = await proceed(_hurried(query, flight.began))
                    plan.cost.add(monotonic() - began)
                flight.cost = monotonic() - began
            if flight.turn != turn_of(query.session):
                flight.failed = True  # read in whatever state another task has put the session
            else:
                self._finish(query, plan, home, key, rows, flight, claim)
            return rows
        except Exception:
            flight.failed = True
            raise
        finally:
            if plan.flights.get(place) is flight:
                del plan.flights[place]
            flight.land()
            if claim is not None and second is not None:
                second.release(claim)

    async def _ask(self, query: Query, reason: str) -> Rows | None:
        """Whether anybody knows the answer without the database. Raises ForCaller when they take too long."""
        if query.timeout is None:
            return await self._context.on_cache_miss(query, reason)
        with anyio.move_on_after(query.timeout):
            return await self._context.on_cache_miss(query, reason)
        raise ForCaller(TimeoutError())

    def _finish(
        self,
        query: Query,
        plan: Plan,
        home: dict[Hashable, Entry],
        key: Hashable,
        rows: Rows,
        flight: Flight,
        claim: Claim | None,
    ) -> None:
        """Hand `rows` to those who wait, and keep them unless a write has begun meanwhile."""
        if not isinstance(query, Computed) and not _still(query, key):
            self._counts["refused_argument_changed"] += 1
            flight.failed = True  # who waits asked something else
            return
        if not rows.keep:
            self._counts["unkept"] += 1
            flight.failed = True
            return
        answer = self._weighed(query, key, rows)
        flight.private = answer is None or not answer.shared
        if flight.joined:
            try:
                # This caller may change its answer before the others wake up.
                flight.rows = copied(rows) if flight.private else rows
            except Exception:  # noqa: BLE001  # what cannot be copied is read by each for itself
                flight.failed = True
        if answer is None:
            return
        places = final_places(plan, query.args, rows, self._ledger)
        touched = plan.generation != flight.generation or not self._ledger.untouched(places, flight.clock)
        if touched or self.until <= monotonic():
            self._counts["overtaken"] += 1
        else:
            ttl = self._settings.ttl if not isinstance(query, Computed) else query.ttl or self._settings.ttl
            if claim is not None and claim.rows is not None:
                ttl -= claim.age
            elif claim is not None and self.second is not None:
                self.second.keep(claim, plan, rows, ttl)
            spread = ttl * self._settings.jitter
            ends = monotonic() + ttl + random.uniform(-spread, spread)  # noqa: S311  # jitter
            early = first_draw(ends, flight.cost, self._early)
            read = flight.began - (claim.age if claim is not None else 0.0)
            entry = Entry(
                plan, home, key, answer, flight.generation, early, places, ends=ends, read=read, cost=flight.cost
            )
            self._sieve.add(entry)
            self._counts["stored"] += 1
            # Neither what a session sees, which may not be what a write meets, nor what is old already.
            if plan.shown and query.session is None and (claim is None or claim.rows is None):
                learn(plan.shown, query.args, rows, self._ledger, flight.clock)

    def _weighed(self, query: Query, key: Hashable, rows: Rows) -> Answer | None:
        shared = isinstance(query, Computed) and query.shared
        try:
            return Answer(rows, self._settings.max_entry_bytes - weight_of(key), shared=shared)
        except TooLarge:
            self._counts["refused_too_large"] += 1
        except Exception:  # noqa: BLE001  # a value that cannot be copied cannot be kept
            self._counts["refused_uncopyable"] += 1
        return None


def _holds_connection(query: Query) -> bool:
    return query.session is not None and query.session.holding


def _hurried(query: Query, began: float) -> Query:
    """`query`, with what is left of its time since `began`."""
    return query if query.timeout is None else query.with_(timeout=query.timeout - (monotonic() - began))


def _still(query: Query, key: Hashable) -> bool:
    """Whether the arguments are what they were: a list may have changed while the query waited to be sent."""
    try:
        return key_of(query.args) == key
    except Unkeyable:
        return False
