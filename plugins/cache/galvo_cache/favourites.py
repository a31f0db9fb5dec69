"""Which reads have saved most time lately: statement, arguments, and whether all rows or the first were wanted."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from heapq import heappush, heapreplace, nlargest
from itertools import count
from time import monotonic
from typing import Any, Literal

import anyio.lowlevel
import msgspec

from galvo_cache.keys import Unkeyable, args_of, key_of
from galvo_cache.plans import Plan, Plans

HALF_LIFE = 600.0
"""Seconds after which what an answer had saved counts half, once it is not kept any more."""
CHUNK = 1000
"""Answers looked at in one go."""


class Favourite(msgspec.Struct, frozen=True):
    sql: str
    args: tuple[Any, ...]
    limit: Literal[0, 1]
    saved: float
    """Seconds."""


class Favourites:
    """The first `limit` of them. Hits are counted by the answers; here they are looked at from time to time."""

    def __init__(self, limit: int, plans: Plans) -> None:
        self._limit = limit
        self._plans = plans
        self._known: dict[tuple[str, Literal[0, 1], Hashable], float] = {}
        self._looked = monotonic()

    def add(self, favourites: Iterable[Favourite]) -> None:
        """What was saved elsewhere, or by an instance before this one."""
        for one in favourites:
            try:
                place = one.sql, one.limit, key_of(one.args)
            except Unkeyable:
                continue
            self._known[place] = max(one.saved, self._known.get(place, 0.0))
        self._cut()

    def top(self) -> list[Favourite]:
        """As of the last look, the best first."""
        found = []
        for (sql, limit, key), saved in self._known.items():
            try:
                found.append(Favourite(sql, args_of(key), limit, saved))
            except Unkeyable:
                continue
        return found

    def look(self) -> None:
        """Look at all answers: they are about to go."""
        for _ in self._looking():
            pass

    async def look_slowly(self) -> None:
        """The same, while others run."""
        for _ in self._looking():
            await anyio.lowlevel.checkpoint()

    def _looking(self) -> Iterator[None]:
        if not self._limit:
            return
        best: list[tuple[float, int, tuple[str, Literal[0, 1], Hashable]]] = []
        ties = count()
        # What has another place than its text is for sessions in a state of their own; here there is none.
        plans = [(_worth(plan), place, plan) for place, plan in self._plans if isinstance(place, str)]
        for most, sql, plan in sorted(plans, key=lambda item: -item[0]):
            if not most or (len(best) == self._limit and most <= best[0][0]):
                break  # none of its answers has saved more than all of them
            cost = plan.cost.value or 0.0
            limits: tuple[Literal[0, 1], ...] = (0, 1)
            for limit in limits:
                for number, (key, entry) in enumerate(list(plan.home(limit).items()), 1):
                    saved = (entry.hits + entry.visited) * cost
                    if saved and len(best) < self._limit:
                        heappush(best, (saved, next(ties), (sql, limit, key)))
                    elif saved and saved > best[0][0]:
                        heapreplace(best, (saved, next(ties), (sql, limit, key)))
                    if not number % CHUNK:
                        yield
        now = monotonic()
        fade = 0.5 ** ((now - self._looked) / HALF_LIFE)
        self._looked = now
        self._known = {place: saved * fade for place, saved in self._known.items()}
        for saved, _, place in best:
            self._known[place] = max(saved, self._known.get(place, 0.0))
        self._cut()

    def _cut(self) -> None:
        self._known = dict(nlargest(self._limit, self._known.items(), key=lambda item: item[1]))


def _worth(plan: Plan) -> float:
    return plan.hits * (plan.cost.value or 0.0)
