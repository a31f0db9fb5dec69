"""Answers that are handed out although it is time for new ones, which are then read in the background.

Current ones near their end (see `early.py`), and for calls that say `stale_ok` those that were current not long ago:
stale-while-revalidate and stale-if-error (RFC 5861). A background read is a flight like any other: its stamp is
captured before it, and compared at the store.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from copy import deepcopy

from anyio.abc import TaskGroup

from galvo import Proceed, Query, Rows
from galvo_cache.early import is_due
from galvo_cache.flights import Flight
from galvo_cache.plans import Plan
from galvo_cache.sieve import Entry

PAUSE = 1.0
"""Seconds from a background read that failed to the next one of the same answer."""
AT_ONCE = 5
"""Background reads at a time: each takes a connection from those who wait. What is left out is tried at a later hit."""

Board = Callable[[Query, Plan], Flight | None]
Lead = Callable[[Query, Proceed, Plan, Hashable, Flight], Awaitable[Rows]]


class Refreshing:
    """Serves what is kept, where that is allowed, and starts to read what is to come in its place."""

    def __init__(self, early: float, counts: Counter[str], board: Board, lead: Lead) -> None:
        """`board` gives the flight of a read that begins now, None while its answer could not be kept; `lead` runs it.

        `early` is the beta of XFetch.
        """
        self._early = early
        self._counts = counts
        self._board = board
        self._lead = lead
        self.tasks: TaskGroup | None = None
        self._running = 0

    def kept(
        self, query: Query, proceed: Proceed, plan: Plan, key: Hashable, now: float, *, trusted: bool
    ) -> Rows | None:
        """An answer that may be handed out at once, if there is one. `trusted`: every write so far is known."""
        entry = plan.home(query.limit).get(key)
        if entry is not None and trusted and entry.generation == plan.generation and now <= entry.ends:
            entry.visited += 1
            plan.hits += 1
            if is_due(entry.ends - now, entry.cost, self._early):
                self._refresh(query, proceed, entry, now, "refreshed_early")
            return entry.answer.rows()
        if query.stale_ok is None or query.session is not None:
            return None
        plan.keeps_stale = True
        if entry is None or not is_tolerable(entry, query.stale_ok, now, trusted=trusted):
            return None
        self._counts["stale_hits"] += 1
        self._counts["served_stale"] += 1
        self._counts["stale_if_error"] += entry.failed
        if trusted:
            self._refresh(query, proceed, entry, now, "refreshed_stale")
        return entry.answer.rows()

    def despite(
        self, error: Exception, query: Query, plan: Plan, key: Hashable, now: float, *, trusted: bool
    ) -> Rows | None:
        """What may be handed out instead of `error`: others may have got an answer while this read failed."""
        entry = plan.home(query.limit).get(key)
        if (
            query.stale_ok is None
            or query.session is not None
            or entry is None
            or not is_outage(error, query)
            or not is_tolerable(entry, query.stale_ok, now, trusted=trusted)
        ):
            return None
        self._counts["served_stale"] += 1
        self._counts["stale_if_error"] += 1
        return entry.answer.rows()

    def _refresh(self, query: Query, proceed: Proceed, entry: Entry, now: float, counter: str) -> None:
        """Read `entry` anew, unless somebody does."""
        plan = entry.plan
        running = plan.flights.get((query.limit, entry.key))
        if (
            self.tasks is None
            or query.session is not None  # nobody else can read in its state
            or self._running >= AT_ONCE
            or now < entry.refresh_from
            or (running is not None and running.generation == plan.generation)
            or (flight := self._board(query, plan)) is None
        ):
            return
        self._running += 1
        entry.refresh_from = math.inf
        flight.replaces = True
        # The caller may use its lists again before this is sent.
        own = query.with_(args=deepcopy(query.args))
        self.tasks.start_soon(self._fly, own, proceed, entry, flight, counter)

    async def _fly(self, query: Query, proceed: Proceed, entry: Entry, flight: Flight, counter: str) -> None:
        again = 0.0
        try:
            await self._lead(query, proceed, entry.plan, entry.key, flight)
            self._counts[counter] += 1
            entry.failed = False
        except Exception as error:  # noqa: BLE001  # its caller has an answer already
            self._counts["refresh_errors"] += 1
            entry.failed = is_outage(error, query)
            again = flight.began + PAUSE
        finally:
            self._running -= 1
            entry.refresh_from = again


def is_tolerable(entry: Entry, stale_ok: float, now: float, *, trusted: bool) -> bool:
    """Whether an answer provably was current `stale_ok` seconds ago, or later.

    One that no write has touched was so until its time ended, and any other one at least when its read began.
    """
    valid = trusted and entry.generation == entry.plan.generation
    return now - (entry.ends if valid else entry.read) <= stale_ok


def is_outage(error: Exception, query: Query) -> bool:
    """Whether the database refused or was lost; not when the caller's own time was over.

    asyncpg's errors are known by their module: the cache works on whatever runs the queries.
    """
    if isinstance(error, TimeoutError):
        return query.timeout is None
    return isinstance(error, OSError) or any(
        kind.__module__.partition(".")[0] == "asyncpg" for kind in type(error).__mro__
    )
