"""Collects the GETs of one tick of the loop into one MGET, and the SETs into one pipeline.

While batches are under way the next one fills, so batches grow with the load by themselves (natural batching).
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence

from galvo_cache.l2.batch import Batch, Waiter
from galvo_cache.l2.errors import Oversized, Unavailable
from galvo_cache.l2.link import Item, Link
from galvo_cache.l2.wire import Reply

ROOM = 16
"""Largest values that one batch of GETs may bring; more of them are fetched in turns."""
WRITE_BYTES = 2**18
"""Bytes of one pipeline of SETs, about: a read waits for no more than that."""


class Coalescer:
    """GETs and SETs by key. It gives out futures: a caller costs no task and may leave at any time."""

    def __init__(
        self,
        link: Link,
        *,
        timeout: float = 0.05,
        max_batch: int = 512,
        in_flight: int = 2,
        max_value: int = 2**20,
        witness: bytes | None = None,
        seen: Callable[[Reply], None] | None = None,
        outcome: Callable[[float | None], None] = lambda seconds: None,
    ) -> None:
        """`timeout`: seconds from the first GET of a batch to its answer. `max_value`: bytes of one value.

        `witness` is a key that every batch of GETs reads too; `seen` is told its value before the callers wake.
        `outcome` is told how each batch fared: the seconds of its round trip, or None if Redis failed.
        """
        self._link = link
        self._timeout, self._max_batch, self._in_flight, self._max_value = timeout, max_batch, in_flight, max_value
        self._witness = [] if witness is None else [witness]
        self._seen = seen
        self._outcome = outcome
        self._filling: Batch | None = None
        self._queue: deque[Batch] = deque()
        self._writes: deque[tuple[Item, asyncio.Future[None]]] = deque()
        self._under_way: set[Batch] = set()
        self._writing = False
        self._scheduled = False
        self._closed = False
        self._last: asyncio.Future[None] | None = None
        self.counts: Counter[str] = Counter()
        """batches, keys, write_batches, writes, sifted."""
        link.watch(self._schedule, self._unreachable)

    def get(self, key: bytes) -> Waiter:
        """The value or None, later. Its errors: TimeoutError, Unavailable, Oversized, ErrorReply."""
        batch = self._filling
        if batch is None:
            batch = self._filling = self._enqueue(Batch())
        waiter = batch.join(key)
        if len(batch.waiters) >= self._max_batch:
            self._filling = None
        return waiter

    def set(self, key: bytes, value: bytes, ttl_ms: int) -> asyncio.Future[None]:
        """Store it, later. Its errors are those of `get`. Nobody has to await it."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stored.add_done_callback(_looked_at)
        self._last = stored
        self._writes.append(((key, value, ttl_ms), stored))
        self._schedule()
        return stored

    async def drain(self) -> None:
        """Wait until all that was set so far is stored or has failed; they end in the order they came."""
        if self._last is not None and not self._last.done():
            await asyncio.wait([self._last])

    async def aclose(self) -> None:
        """What is queued or under way fails."""
        self._closed = True
        await self._link.aclose()
        self._unreachable(Unavailable("the connection to Redis was closed"))

    def _enqueue(self, batch: Batch) -> Batch:
        if batch.timer is None:
            batch.timer = asyncio.get_running_loop().call_later(self._timeout, self._late, batch)
        self._queue.append(batch)
        self._schedule()
        return batch

    def _schedule(self) -> None:
        # At the end of the tick: callers that were just woken ask again first, and all of them share a batch.
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._closed:
            self._unreachable(Unavailable("the connection to Redis was closed"))
        while self._queue and len(self._under_way) < self._in_flight:
            if not self._link.ready:
                self._link.dial()
                return
            self._send(self._queue.popleft())
        if self._writes and not self._writing:
            if self._link.ready:
                self._write()
            else:
                self._link.dial()

    def _send(self, batch: Batch) -> None:
        if batch is self._filling:
            self._filling = None
        self._under_way.add(batch)
        self.counts["batches"] += 1
        self.counts["keys"] += len(batch.waiters)
        batch.sent = asyncio.get_running_loop().time()
        if batch.sifted:
            self._link.lengths(list(batch.waiters), lambda lengths: self._measured(batch, lengths))
        else:
            self._ask(batch)

    def _ask(self, batch: Batch) -> None:
        limit = self._max_value * min(len(batch.waiters), ROOM) + 2**16
        self._link.get([*self._witness, *batch.waiters], limit, lambda values: self._answered(batch, values))

    def _answered(self, batch: Batch, values: Sequence[Reply] | Exception) -> None:
        self._over(batch)
        if batch.over:
            return
        if isinstance(values, Oversized) and not batch.sifted:
            # Something in there is too large to be ours: ask for the lengths, and then only for what fits.
            self.counts["sifted"] += 1
            batch.sifted = True
            self._queue.appendleft(batch)
            self._schedule()
        elif isinstance(values, Exception):
            self._outcome(None)
            batch.fail(values)
        else:
            self._outcome(asyncio.get_running_loop().time() - batch.sent)
            if self._witness:
                if self._seen is not None:
                    self._seen(values[0])
                values = values[1:]
            batch.resolve(values, self._max_value)

    def _measured(self, batch: Batch, lengths: Sequence[Reply] | Exception) -> None:
        if batch.over or isinstance(lengths, Exception):
            self._answered(batch, lengths)
            return
        room, rest = self._max_value * ROOM, Batch()
        for key, length in zip(list(batch.waiters), lengths, strict=True):
            if not isinstance(length, int):
                batch.drop(key, Unavailable("the server answered something else than a length"))
            elif length > self._max_value:
                batch.drop(key, Oversized("the value is larger than any entry may be"))
            elif length > room:
                rest.waiters[key] = batch.waiters.pop(key)
            else:
                room -= length
        if rest.waiters:
            rest.sifted = True
            self._enqueue(rest)
        if batch.waiters:
            self._ask(batch)
        else:
            self._over(batch)
            batch.resolve([], self._max_value)

    def _over(self, batch: Batch) -> None:
        self._under_way.discard(batch)
        if self._queue or self._writes:
            self._schedule()

    def _late(self, batch: Batch) -> None:
        error = TimeoutError("Redis did not answer in time")
        under_way = batch in self._under_way
        if batch in self._queue:
            self._queue.remove(batch)
        if batch is self._filling:
            self._filling = None
        self._outcome(None)
        batch.fail(error)
        if under_way:
            self._link.abort(error)  # an answer that comes now would be taken for that of the next question

    def _unreachable(self, error: Exception) -> None:
        queued, self._queue, self._filling = self._queue, deque(), None
        for batch in queued:
            batch.fail(error)
        writes, self._writes = self._writes, deque()
        if queued or writes:
            self._outcome(None)
        for _, stored in writes:
            if not stored.done():
                stored.set_exception(error)

    def _write(self) -> None:
        batch: list[tuple[Item, asyncio.Future[None]]] = []
        size = 0
        while self._writes and len(batch) < self._max_batch and size < WRITE_BYTES:
            batch.append(self._writes.popleft())
            size += len(batch[-1][0][1])
        self._writing = True
        self.counts["write_batches"] += 1
        self.counts["writes"] += len(batch)
        futures = [stored for _, stored in batch]
        loop = asyncio.get_running_loop()
        late = loop.call_later(self._timeout, self._link.abort, TimeoutError("Redis did not answer in time"))
        sent = loop.time()

        def done(replies: Sequence[Reply] | Exception) -> None:
            late.cancel()
            self._outcome(None if isinstance(replies, Exception) else loop.time() - sent)
            self._written(futures, replies)

        self._link.set([item for item, _ in batch], done)

    def _written(self, futures: list[asyncio.Future[None]], replies: Sequence[Reply] | Exception) -> None:
        self._writing = False
        if self._writes:
            self._schedule()
        for position, stored in enumerate(futures):
            reply = replies if isinstance(replies, Exception) else replies[position]
            if stored.done():
                continue
            if isinstance(reply, Exception):
                stored.set_exception(reply)
            else:
                stored.set_result(None)


def _looked_at(stored: asyncio.Future[None]) -> None:
    if not stored.cancelled():
        stored.exception()
