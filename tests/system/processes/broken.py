"""Ways to break the coherence on purpose: the judge must notice each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from time import monotonic
from typing import Any

from galvo_cache.coherence import announcing, following
from galvo_cache.coherence.coherence import Coherence
from galvo_cache.coherence.lease import Lease
from galvo_cache.coherence.marks import Mark
from galvo_cache.coherence.stream import Stream
from galvo_cache.sharing import Sharing
from galvo_cache.touch import Touch


def nothing_announced() -> None:
    async def begin(self: Sharing, touch: Touch | None, *, ddl: bool) -> list[Mark]:
        return []

    Sharing.begin = begin  # type: ignore[method-assign]


def no_lanes_but_the_key() -> None:
    """As if a write by key touched that key only: neither its owner nor the owner it moves to."""
    announce = Coherence.announce

    async def poorer(self: Coherence, touch: Touch | None) -> Mark:
        if touch is not None:
            touch = {table: None if lanes is None else lanes | {"owner": []} for table, lanes in touch.items()}
        return await announce(self, touch)

    Coherence.announce = poorer  # type: ignore[method-assign]


def announced_but_unheard() -> None:
    following.Following._begin = lambda self, said: self._acks.add(said.id)  # type: ignore[method-assign]


def slow_to_hear() -> None:
    """Not wrong, only slow: each announcement waits a little before it is read."""
    _hold_up(lambda: random.random() * 0.05)


def hangs() -> None:
    """Not wrong either: now and then nothing is read for longer than a lease."""
    began = monotonic()
    _hold_up(lambda: 1.0 if (monotonic() - began) % 2 > 1.9 else 0)


def _hold_up(seconds: Callable[[], float]) -> None:
    read = Stream.read

    async def later(self: Stream) -> tuple[bytes, bytes]:
        told = await read(self)
        await asyncio.sleep(seconds())
        return told

    Stream.read = later  # type: ignore[method-assign]


def nobody_waited_for() -> None:
    async def everybody(mark: Mark, live: Any, known: Any) -> bool:
        return True

    announcing.everybody = everybody  # type: ignore[attr-defined]


def lease_for_ever() -> None:
    extend = Lease.extend

    def longer(self: Lease, until: float) -> None:
        extend(self, until + 3600)

    Lease.extend = longer  # type: ignore[method-assign]
