"""What the cache knows of each statement: its effect, its tables, its answers, its flights."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

import anyio

from galvo_cache.effects import Effect, Read, Slice
from galvo_cache.l2.admission import Average

if TYPE_CHECKING:
    from galvo_cache.flights import Flight
    from galvo_cache.sieve import Entry


class Toll:
    """What the database did for a statement because the cache refused it for one reason."""

    __slots__ = ("runs", "seconds")

    def __init__(self) -> None:
        self.runs = 0
        self.seconds = 0.0


class Plan:
    """One statement, or all computed values with the same dependencies.

    `generation` is the stamp: captured before a read, compared at the store and at every hit, renewed by every
    write to one of `scans`. Renewing it invalidates all answers of the statement at once. Of the tables in `slices`
    only some rows matter; the ledger finds the answers that a write to them invalidates.
    """

    __slots__ = (
        "blamed", "columns", "cost", "effect", "flights", "gate", "generation", "hits", "keeps_stale", "many",
        "misses", "one", "proves", "saved", "scans", "seen", "shown", "slices", "tables", "text", "tolls",
        "traceless", "valued",
    )  # fmt: skip

    def __init__(self, effect: Effect, text: str = "") -> None:
        self.effect = effect
        self.text = text
        """The statement without comments, after the prefix of the sessions' state in which it was read."""
        self.tables: frozenset[int] | None = effect.tables if isinstance(effect, Read) else None
        """OIDs the answers depend on; None: not cacheable."""
        self.slices: tuple[Slice, ...] = effect.slices if isinstance(effect, Read) else ()
        self.scans = (self.tables or frozenset()) - {part.table for part in self.slices}
        self.proves = isinstance(effect, Read) and effect.proves
        self.columns = effect.columns if isinstance(effect, Read) else None
        """Names of the columns the answers are made from; None: of all."""
        self.shown = effect.shown if isinstance(effect, Read) else ()
        self.generation = 0
        self.many: dict[Hashable, Entry] = {}
        """Answers of all rows, by arguments."""
        self.one: dict[Hashable, Entry] = {}
        """Answers cut to one row."""
        self.flights: dict[tuple[int, Hashable], Flight] = {}
        self.cost = Average()
        """Seconds that the database takes."""
        self.gate: anyio.Semaphore | None = None
        """Limits its runs while nothing may be served from memory."""
        self.keeps_stale = False
        """Some call has asked for `stale_ok`: invalidated answers are kept for the next."""
        self.hits = 0
        self.misses = 0
        self.seen = 0
        self.saved = 0.0
        self.valued = 0
        """Hits that `saved` counts already."""
        self.tolls: dict[str, Toll] = {}
        """By reason."""
        self.traceless = False
        """It leaves nothing behind in the session that runs it."""
        self.blamed = False
        """One of its answers was found wrong, and that was logged."""

    def worth(self) -> float:
        """Seconds that its hits have saved; each counts what the statement cost on average at that time."""
        self.saved += (self.hits - self.valued) * (self.cost.value or 0.0)
        self.valued = self.hits
        return self.saved

    def refuse(self, reason: str, seconds: float) -> None:
        """It ran because the cache refused it."""
        toll = self.tolls.setdefault(reason, Toll())
        toll.runs += 1
        toll.seconds += seconds

    def sees(self, columns: frozenset[str] | None) -> bool:
        """Whether an update of `columns` (None: of anything) may change an answer."""
        return columns is None or self.columns is None or not self.columns.isdisjoint(columns)

    def home(self, limit: int) -> dict[Hashable, Entry]:
        """Where answers of at most `limit` rows are: 0 is all, 1 the first."""
        return self.one if limit else self.many


class Plans:
    """Plans by statement text, or state and text, at most `limit`; the oldest that was not hit since goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._plans: dict[Hashable, Plan] = {}
        self.get = self._plans.get

    def __len__(self) -> int:
        return len(self._plans)

    def __iter__(self) -> Iterator[tuple[Hashable, Plan]]:
        return iter(list(self._plans.items()))

    def add(self, place: Hashable, plan: Plan) -> Plan | None:
        """Keep `plan`; gives one that had to go, whose answers are to be dropped."""
        dropped = self._make_room() if len(self._plans) >= self._limit else None
        self._plans[place] = plan
        return dropped

    def _make_room(self) -> Plan | None:
        for _ in range(len(self._plans)):
            sql, plan = next(iter(self._plans.items()))
            del self._plans[sql]
            if plan.hits == plan.seen:
                return plan
            plan.seen = plan.hits
            self._plans[sql] = plan
        sql = next(iter(self._plans))
        return self._plans.pop(sql)

    def clear(self) -> list[Plan]:
        """Forget all; gives them."""
        plans = list(self._plans.values())
        self._plans.clear()
        return plans
