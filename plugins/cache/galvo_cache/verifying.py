"""A share of the hits is run again and compared with what the caller got: nobody has to believe the cache.

A difference is the cache's fault only if the stamps are those of the hit still: a write that began meanwhile may have
changed the answer. A writer outside galvo whom nobody noticed has no stamp; such an answer counts as wrong, as it is.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from anyio.abc import TaskGroup

from galvo import Context, Proceed, Query, Rows
from galvo_cache.answers import difference
from galvo_cache.ledger import Ledger
from galvo_cache.reading import OWN
from galvo_cache.sieve import Entry, Sieve
from galvo_sql import redacted

AT_A_TIME = 4
"""Runs in the background; they take connections from the application's pool."""
TIMEOUT = 30.0
"""Seconds, where the caller did not say."""
KINDS = ("shape", "rows", "values")
NAMES = (
    "verified", "verify_skipped", "unverified_error", "unverified_overtaken", *(f"wrong_{kind}" for kind in KINDS)
)  # fmt: skip


class Verifying:
    """Runs sampled hits again."""

    def __init__(self, context: Context, ledger: Ledger, sieve: Sieve, counts: Counter[str]) -> None:
        self._context = context
        self._ledger = ledger
        self._sieve = sieve
        self._counts = counts
        self._running = 0
        self.tasks: TaskGroup | None = None

    async def check(self, query: Query, proceed: Proceed, entry: Entry, *, wait: bool) -> Rows:
        """The kept answer, which is compared in the background; with `wait` the fresh one, after it was compared."""
        since = self._ledger.clock
        # In a state of its own a session can be asked only itself, and only while its owner waits.
        if wait or entry.plan.text.startswith("\0") or self.tasks is None:
            return await self._compare(query, proceed, entry, since)
        if self._running < AT_A_TIME:
            self._running += 1
            timeout = query.timeout or TIMEOUT
            again = query.with_(session=None, origin=OWN, timeout=timeout)
            # `proceed` was not called, so it still leads past this plugin; a stopped pool makes it an error.
            self.tasks.start_soon(self._check_later, again, proceed, entry, since)
        else:
            self._counts["verify_skipped"] += 1
        return entry.answer.rows()

    async def _check_later(self, query: Query, proceed: Proceed, entry: Entry, since: int) -> None:
        try:
            with suppress(Exception):  # counted
                await self._compare(query, proceed, entry, since)
        finally:
            self._running -= 1

    async def _compare(self, query: Query, proceed: Proceed, entry: Entry, since: int) -> Rows:
        try:
            rows = await proceed(query)
            wrong = difference(entry.answer.kept, rows)
        except Exception:
            self._counts["unverified_error"] += 1
            raise
        plan = entry.plan
        if wrong is None:
            self._counts["verified"] += 1
        elif not rows.keep or entry.generation != plan.generation or not self._ledger.untouched(entry.places, since):
            self._counts["unverified_overtaken"] += 1
        else:
            self._counts["verified"] += 1
            self._counts[f"wrong_{wrong}"] += 1
            self._sieve.remove(entry)
            if not plan.blamed:
                plan.blamed = True
                self._context.log.error("a cached answer was wrong (%s): %s", wrong, redacted(query.sql))
        return rows

    def stats(self) -> dict[str, float]:
        told: dict[str, float] = {name: self._counts[name] for name in NAMES}
        return told | {"wrong": sum(told[f"wrong_{kind}"] for kind in KINDS)}
