"""How often each layer of a hook is called and how long it takes, for as long as somebody looks.

Nothing of this is on the hot path before and after: an observation publishes a generation of the chains with a
clock round each implementation, and its end publishes one without.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from galvo.chain import Implementation

if TYPE_CHECKING:
    from galvo.events import Query, Rows
    from galvo.hookspecs import Proceed

clock = time.perf_counter_ns
FINE = 5
"""Bits: 32 buckets for each doubling, so a quantile is at most 1.6 % off."""


class Latencies:
    """A histogram of nanoseconds in log buckets: some 1,500 numbers at most, however many are added."""

    __slots__ = ("_buckets", "count")

    def __init__(self) -> None:
        self.count = 0
        self._buckets: dict[int, int] = {}

    def add(self, nanoseconds: int) -> None:
        shift = max(0, nanoseconds.bit_length() - FINE - 1)
        bucket = (shift << FINE) + (nanoseconds >> shift)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.count += 1

    def quantile(self, share: float) -> float | None:
        """In seconds; None when nothing was added."""
        left = share * self.count
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0:
                shift = max(0, (bucket >> FINE) - 1)
                return ((bucket - (shift << FINE)) + (0.5 if shift else 0)) * (1 << shift) / 1e9
        return None


class Tally:
    """The calls of one plugin's implementation of one hook."""

    __slots__ = ("begun", "inclusive", "own")

    def __init__(self) -> None:
        self.begun = 0
        self.own = Latencies()
        """Without what ran inside `proceed`."""
        self.inclusive = Latencies()

    def figures(self) -> dict[str, Any]:
        """Seconds, None where no call has ended; `running` is how many have begun and not ended."""
        return {
            "calls": self.inclusive.count,
            "running": self.begun - self.inclusive.count,
            "own_median": self.own.quantile(0.5),
            "own_p99": self.own.quantile(0.99),
            "median": self.inclusive.quantile(0.5),
            "p99": self.inclusive.quantile(0.99),
        }


class Inner:
    """The `proceed` of one call, with a clock."""

    __slots__ = ("_began", "_ended", "_proceed")

    def __init__(self, proceed: Proceed) -> None:
        self._proceed = proceed
        self._began = self._ended = 0

    async def __call__(self, query: Query) -> Rows:
        if self._began:
            return await self._proceed(query)  # a second one, which it refuses
        self._began = clock()
        try:
            return await self._proceed(query)
        finally:
            self._ended = clock()

    def took(self, now: int) -> int:
        """Until `now`: a plugin may have answered while the inner layers run on."""
        return ((self._ended or now) - self._began) if self._began else 0


class Observation:
    """What was seen between its beginning and its end."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], Tally] = {}

    def figures(self, hook: str, plugin: str) -> dict[str, Any]:
        """`Tally.figures` of this plugin's calls, whichever instances of it there were."""
        return self._tallies.get((hook, plugin), Tally()).figures()

    def timed(self, implementations: Mapping[str, Sequence[Implementation]]) -> dict[str, list[Implementation]]:
        """The same, each with a clock round it."""
        return {hook: [self._timed(hook, item) for item in items] for hook, items in implementations.items()}

    def _timed(self, hook: str, item: Implementation) -> Implementation:
        tally = self._tallies.setdefault((hook, item.owner.name), Tally())
        if hook == "on_query":
            return Implementation(item.owner, layer(item.function, tally))
        wrap = awaited if inspect.iscoroutinefunction(item.function) else called
        return Implementation(item.owner, wrap(item.function, tally))


def layer(
    function: Callable[[Query, Proceed], Awaitable[Rows]], tally: Tally
) -> Callable[[Query, Proceed], Awaitable[Rows]]:
    async def timed(query: Query, proceed: Proceed) -> Rows:
        inner = Inner(proceed)
        tally.begun += 1
        began = clock()
        try:
            return await function(query, inner)
        finally:
            now = clock()
            tally.inclusive.add(now - began)
            tally.own.add(max(0, now - began - inner.took(now)))

    return timed


def awaited(function: Callable[..., Awaitable[Any]], tally: Tally) -> Callable[..., Awaitable[Any]]:
    async def timed(*args: Any) -> Any:
        tally.begun += 1
        began = clock()
        try:
            return await function(*args)
        finally:
            _whole(tally, clock() - began)

    return timed


def called(function: Callable[..., Any], tally: Tally) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        tally.begun += 1
        began = clock()
        try:
            return function(*args)
        finally:
            _whole(tally, clock() - began)

    return timed


def _whole(tally: Tally, took: int) -> None:
    tally.inclusive.add(took)
    tally.own.add(took)
