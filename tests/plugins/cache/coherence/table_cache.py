"""The least cache that needs coherence: rows of one PostgreSQL table, kept until a write touches them."""

from __future__ import annotations

from collections import Counter
from time import monotonic

import asyncpg

from galvo_cache.coherence import Coherence, Unannounced
from galvo_cache.touch import Touch

TABLE = 1
LANE = "k"
SCHEMA = "create table kv (k int primary key, v int not null)"


class TableCache:
    """A follower that serves and stores as the plugin does: the generation is captured before the read."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.coherence: Coherence | None = None
        self.until = 0.0
        self._entries: dict[int, tuple[int, int]] = {}
        self._generations: Counter[int] = Counter()
        self._everything = 0
        self._pending: Counter[int | None] = Counter()
        self.hits = self.unannounced = 0

    def lease(self, until: float) -> None:
        self.until = until

    def begin(self, touch: Touch | None) -> object:
        lanes = None if touch is None else touch[TABLE]
        keys = [None] if lanes is None else lanes[LANE]
        assert keys is not None
        for key in keys:
            self._pending[key] += 1
            if key is None:
                self._everything += 1
            else:
                self._generations[key] += 1
        return keys

    def end(self, handle: object) -> None:
        assert isinstance(handle, list)
        for key in handle:
            self._pending[key] -= 1

    def clear(self) -> None:
        self._everything += 1

    def _generation(self, key: int) -> int:
        return self._everything + self._generations[key]

    async def read(self, key: int) -> int:
        if monotonic() < self.until:
            value, generation = self._entries.get(key, (0, -1))
            if generation == self._generation(key):
                self.hits += 1
                return value
        generation = self._generation(key)
        quiet = not (self._pending[key] or self._pending[None])
        value = await self._pool.fetchval("select v from kv where k = $1", key)
        if quiet:
            self._entries[key] = (value, generation)
        return value

    async def write(self, key: int) -> int:
        assert self.coherence is not None
        touch: Touch = {TABLE: {LANE: [key]}}
        handle = self.begin(touch)
        try:
            try:
                mark = await self.coherence.announce(touch)
            except Unannounced as away:
                self.unannounced += 1
                mark = away.mark
            try:
                value: int = await self._pool.fetchval("update kv set v = v + 1 where k = $1 returning v", key)
            except BaseException:
                self.coherence.release(mark, open=True)
                raise
            await self.coherence.settle(mark)
        finally:
            self.end(handle)
        return value
