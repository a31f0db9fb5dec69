"""Running reads that others wait for, and who waits for whom: a wait that could never end does not begin.

Whoever runs during a flight, a loader or an inner plugin, may ask the database through the cache. A task knows the
flight on whose behalf it runs, a flight those that its tasks wait for; only a wait within a flight can close a circle.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import ref

import anyio

from galvo import Rows

if TYPE_CHECKING:
    from galvo_cache.lane import Place

# Weak: what is opened meanwhile, a connection for one, keeps its context, and must not keep an answer in it.
_flying: ContextVar[ref[Flight] | None] = ContextVar("galvo_cache_flying", default=None)


class Flight:
    """One running read that others with the same key wait for."""

    __slots__ = (
        "__weakref__", "_awaits", "_before", "_done", "_outer", "began", "clock", "cost", "failed", "generation",
        "landed", "places", "private", "replaces", "rows", "turn",
    )  # fmt: skip

    def __init__(self, generation: int, clock: int, places: list[Place], began: float) -> None:
        self.generation = generation
        self.clock = clock
        self.places = places
        """Who begins after one of these was touched does not join."""
        self.began = began
        """When the stamps were captured (monotonic)."""
        self.cost = 0.0
        """Seconds that the read itself took."""
        self.turn = 0
        """Of the session that reads: see `turn_of`."""
        self.replaces = False
        """In the background: what it gets is to replace an answer whose time is nearly over."""
        self.rows: Rows | None = None
        self.private = True
        """Callers must not share `rows`: they hold something that can be changed."""
        self.failed = False
        self.landed = False
        self._done: anyio.Event | None = None
        self._awaits: tuple[Flight, ...] = ()
        self._outer: Flight | None = None

    @property
    def joined(self) -> bool:
        """Whether anybody waits."""
        return self._done is not None

    def start(self) -> None:
        """From now on this task runs on behalf of this flight, until it has landed."""
        if not self.replaces:  # nobody waits for one in the background
            self._outer = next(iter(_ours()), None)
        self._before = _flying.get()
        _flying.set(ref(self))

    def land(self) -> None:
        self.landed = True
        _flying.set(self._before)
        if self._done is not None:
            self._done.set()

    async def wait(self) -> None:
        if self.landed:
            return
        self._done = self._done or anyio.Event()
        ours = _ours()
        for flight in ours:
            flight._awaits += (self,)
        try:
            await self._done.wait()
        finally:
            for flight in ours:
                left = [*flight._awaits]
                left.remove(self)
                flight._awaits = tuple(left)

    @property
    def awaits_us(self) -> bool:
        """Whether this task runs on its behalf, or it waits for a flight of which that is true."""
        ours = _ours()
        ahead, seen = [self] if ours else [], set[Flight]()
        while ahead:
            flight = ahead.pop()
            if flight in ours:
                return True
            if flight not in seen:
                seen.add(flight)
                ahead += flight._awaits
        return False


def _ours() -> list[Flight]:
    """On whose behalf this task runs, the innermost first."""
    found = _flying.get()
    flight, ours = found() if found is not None else None, []
    while flight is not None:
        if not flight.landed:  # a task may outlive the flight in which it began
            ours.append(flight)
        flight = flight._outer
    return ours
