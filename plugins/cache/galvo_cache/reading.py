"""A miss: one caller reads, the others with the same key wait for it, and what it got is kept if it is current."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Hashable
from time import monotonic

import anyio

from galvo import Context, ForCaller, Proceed, Query, Rows
from galvo.events import Computed
from galvo_cache.answers import Answer, TooLarge, copied
from galvo_cache.keys import Unkeyable, key_of, weight_of
from galvo_cache.knowledge import Knowledge
from galvo_cache.ledger import Ledger
from galvo_cache.places import final_places, joining_places, known_places
from galvo_cache.plans import Flight, Plan
from galvo_cache.second import Claim, Second
from galvo_cache.sessions import turn_of
from galvo_cache.settings import CacheSettings
from galvo_cache.sieve import Entry, Sieve


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
        self.until = math.inf
        """Until then (monotonic) what is kept may be served: see `Coherence`."""
        self.settled = False
        """Every running write is known, so answers may be kept."""

    async def read(self, query: Query, proceed: Proceed, plan: Plan, key: Hashable) -> Rows:
        """The answer of a miss."""
        turn = turn_of(query.session)
        if self.until <= monotonic():
            return await self._untrusted(query, proceed, plan)
        place = (query.limit, key)
        # A flight from before a write is not joined: a reader that starts after the write must see it.
        while (
            (flight := plan.flights.get(place)) is not None
            and flight.generation == plan.generation
            and self._ledger.untouched(flight.places, flight.clock)
        ):
            if _holds_connection(query):
                return await self._bypass(query, proceed, plan)  # the flight may be waiting for that connection
            with anyio.move_on_after(query.timeout):
                await flight.wait()
            if not flight.landed:
                raise ForCaller(TimeoutError())
            if flight.rows is not None:
                self._counts["joined"] += 1
                return copied(flight.rows) if flight.private else flight.rows
            if flight.failed:
                return await proceed(query)  # its error was its caller's: another timeout, another luck
        if not (self.settled and self._ledger.quiet(plan, known_places(plan, query.args, self._ledger))):
            return await self._bypass(query, proceed, plan)
        plan.misses += 1
        return await self._lead(query, proceed, plan, key, turn)

    async def _bypass(self, query: Query, proceed: Proceed, plan: Plan) -> Rows:
        """Neither serve nor keep."""
        plan.misses += 1
        self._counts["bypassed"] += 1
        return await proceed(query)

    async def _untrusted(self, query: Query, proceed: Proceed, plan: Plan) -> Rows:
        """Others cannot tell us of their writes now: neither serve nor keep, but do not flood the database either."""
        plan.misses += 1
        self._counts["untrusted"] += 1
        if isinstance(query, Computed) or _holds_connection(query):
            return await proceed(query)  # who passed the gate before may be waiting for this one
        if plan.gate is None:
            plan.gate = anyio.Semaphore(self._settings.max_misses_untrusted, fast_acquire=True)
        async with plan.gate:
            return await proceed(query)

    async def _lead(self, query: Query, proceed: Proceed, plan: Plan, key: Hashable, turn: int) -> Rows:
        home, place = plan.home(query.limit), (query.limit, key)
        old = home.get(key)
        reason = "cold" if old is None else "expired" if old.generation == plan.generation else "invalidated"
        joinable = joining_places(plan, query.args, self._ledger)
        flight = plan.flights[place] = Flight(plan.generation, self._ledger.clock, joinable)
        try:
            claim: Claim | None = None
            rows: Rows | None = None
            if self.second is not None and not isinstance(query, Computed):
                claim = await self.second.find(query, plan, key, self._knowledge.digest)
            if claim is not None and claim.rows is not None:
                rows = claim.rows
                self._counts["hits_l2"] += 1
            else:
                rows = await self._context.on_cache_miss(query, reason)
                if rows is None:
                    began = monotonic()
                    rows = await proceed(query)
                    plan.cost.add(monotonic() - began)
            if turn != turn_of(query.session):
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
        if plan.generation != flight.generation or not self._ledger.untouched(places, flight.clock):
            self._counts["overtaken"] += 1
        else:
            ttl = self._settings.ttl if not isinstance(query, Computed) else query.ttl or self._settings.ttl
            if claim is not None and claim.rows is not None:
                ttl -= claim.age
            elif claim is not None and self.second is not None:
                self.second.keep(claim, plan, rows, ttl)
            spread = ttl * self._settings.jitter
            expires = monotonic() + ttl + random.uniform(-spread, spread)  # noqa: S311  # jitter
            self._sieve.add(Entry(plan, home, key, answer, flight.generation, expires, places))
            self._counts["stored"] += 1

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
    return query.session is not None and query.session.pin is not None


def _still(query: Query, key: Hashable) -> bool:
    """Whether the arguments are what they were: a list may have changed while the query waited to be sent."""
    try:
        return key_of(query.args) == key
    except Unkeyable:
        return False
