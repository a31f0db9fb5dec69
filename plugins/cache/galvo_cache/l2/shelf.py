"""L2 itself: answers under keys in Redis. Whatever goes wrong with Redis or with what it holds is a counted miss."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from redis.asyncio import Redis, RedisCluster

from galvo import Rows
from galvo_cache.l2.admission import Admission
from galvo_cache.l2.breaker import Breaker
from galvo_cache.l2.cluster import ClusterLink
from galvo_cache.l2.coalesce import Coalescer
from galvo_cache.l2.codec import Codec
from galvo_cache.l2.entry import Stamps, Stored
from galvo_cache.l2.errors import Oversized, Rejected, Unavailable, Unencodable
from galvo_cache.l2.kinds import Form
from galvo_cache.l2.link import ServerLink
from galvo_cache.l2.seal import OVERHEAD, Seal

EPOCH_BYTES = 12
FOREVER_MS = 10 * 365 * 86_400_000
"""How long a namespace's stamp stays; were it gone, its entries would be misses."""


class Item(NamedTuple):
    """What `set_many` stores."""

    key: bytes
    rows: Rows
    stamps: Stamps
    created: float
    cost: float
    ttl: float


class Shelf:
    """The answers of one namespace in one Redis. It does not own the client."""

    def __init__(
        self,
        client: Redis | RedisCluster,
        namespace: str,
        *,
        form: Form = "msgpack",
        timeout: float = 0.05,
        connect_timeout: float = 0.5,
        max_entry_bytes: int = 2**20,
        max_queued_bytes: int = 2**24,
        compress: bool = False,
        signing_key: bytes | None = None,
        encryption_key: bytes | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        """`timeout` and `connect_timeout` are seconds; `max_queued_bytes` bounds what waits to be written.

        Raises ValueError for pickle without a signing key and for unusable keys.
        """
        self._client, self._namespace = client, namespace
        self._prefix = f"gv:{namespace}:e:".encode()
        self._codec = Codec(form, signed=signing_key is not None)
        self._seal = Seal(
            self._codec.mark,
            max_bytes=max_entry_bytes,
            compress=compress,
            signing_key=signing_key,
            encryption_key=encryption_key,
        )
        self._witness = _witness_of(namespace)
        self._coalescer = Coalescer(
            ClusterLink(client)
            if isinstance(client, RedisCluster)
            else ServerLink(client, connect_timeout=connect_timeout),
            timeout=timeout,
            max_value=max_entry_bytes + OVERHEAD,
            witness=self._witness,
            seen=self._seen,
            outcome=self._outcome,
        )
        self._max_queued, self._queued = max_queued_bytes, 0
        self._renewing = False
        self.epoch: bytes | None = None
        """The namespace's stamp as last seen; entries of another one are misses."""
        self.breaker = breaker or Breaker()
        self.admission = Admission()
        self.counts: Counter[str] = Counter()
        """hits, misses, outdated, rejected_<reason>, errors, timeouts, skipped_open, bytes_in, bytes_out, writes,
        unencodable, too_large, dropped."""

    async def get(self, key: bytes, expect: Stamps | None = None) -> Stored | None:
        """The answer, if it was stored under the stamps `expect` (None: under any). Never raises."""
        if not self.breaker.allow():
            self.counts["skipped_open"] += 1
            return None
        physical = self._prefix + key
        return await self._opened(physical, self._coalescer.get(physical), expect)

    async def get_many(
        self, keys: Sequence[bytes], expect: Sequence[Stamps | None] | None = None
    ) -> list[Stored | None]:
        """Like `get`, for many keys in as few round trips as possible."""
        if not self.breaker.allow():
            self.counts["skipped_open"] += len(keys)
            return [None] * len(keys)
        physical = [self._prefix + key for key in keys]
        waiters = [self._coalescer.get(key) for key in physical]
        wanted = expect or [None] * len(keys)
        return [
            await self._opened(key, waiter, stamps)
            for key, waiter, stamps in zip(physical, waiters, wanted, strict=True)
        ]

    def set(
        self,
        key: bytes,
        rows: Rows,
        *,
        stamps: Stamps,
        created: float,
        cost: float,
        ttl: float,
        epoch: bytes | None = None,
    ) -> bool:
        """Store it in the background. Never raises; False: it will not be stored, `counts` says why.

        `cost` and `ttl` are seconds. `epoch`: the shelf's epoch captured before the read; None is the one of now.
        """
        epoch = epoch or self.epoch
        if epoch is None:
            self._renew()
            return self._refused("dropped")
        if ttl < 0.001:
            return self._refused("dropped")
        physical = self._prefix + key
        try:
            sealed = self._seal.close(physical, self._codec.encode(Stored(rows, stamps, created, cost, ttl, epoch)))
        except Unencodable:
            return self._refused("unencodable")
        except Rejected:
            return self._refused("too_large")
        if self._queued + len(sealed) > self._max_queued:
            return self._refused("dropped")
        if not self.breaker.allow():
            return self._refused("skipped_open")
        self._write(physical, sealed, int(ttl * 1000))
        return True

    def set_many(self, items: Iterable[Item]) -> int:
        """How many of them will be stored."""
        return sum(
            self.set(key, rows, stamps=stamps, created=created, cost=cost, ttl=ttl)
            for key, rows, stamps, created, cost, ttl in items
        )

    def admit(self, query_seconds: float) -> bool:
        """Is an answer of a statement that takes so long on average worth storing?"""
        return self.admission.admit(query_seconds)

    async def delete_pattern(self, namespace: str | None = None) -> None:
        """Forget all answers of a namespace (None: this one) in O(1): its stamp is renewed.

        Raises Unavailable if Redis did not confirm it.
        """
        epoch = os.urandom(EPOCH_BYTES)
        witness = self._witness if namespace is None else _witness_of(namespace)
        if witness == self._witness:
            self.epoch = None  # nobody may store under the old one from here on
        try:
            await asyncio.shield(self._coalescer.set(witness, epoch, FOREVER_MS))
        except Exception as error:  # noqa: BLE001
            raise Unavailable(f"the namespace was not renewed ({type(error).__name__})") from None
        if witness == self._witness:
            self.epoch = epoch

    async def unlink_pattern(self, pattern: str | bytes) -> int:
        """Delete the keys that match a glob, ours or foreign (SCAN and UNLINK). O(keys in Redis); raises RedisError."""
        found: list[bytes] = []
        deleted = 0
        async for key in self._client.scan_iter(match=pattern, count=1000):
            found.append(key)
            if len(found) == 500:
                deleted += await self._unlink(found)
                found.clear()
        return deleted + (await self._unlink(found) if found else 0)

    async def drain(self) -> None:
        """Wait until what was set has been written or given up."""
        await self._coalescer.drain()

    async def aclose(self) -> None:
        """What is queued is given up. The client stays open."""
        await self._coalescer.aclose()

    def stats(self) -> dict[str, float]:
        """Counts since the start; `queued_bytes` is now."""
        return {
            **self.counts,
            "batches": self._coalescer.counts["batches"],
            "batch_keys": self._coalescer.counts["keys"],
            "write_batches": self._coalescer.counts["write_batches"],
            "breaker_opened": self.breaker.counts["opened"],
            "queued_bytes": self._queued,
            "round_trip": self.admission.round_trip.value or 0.0,
        }

    async def _opened(self, key: bytes, waiter: asyncio.Future[bytes | None], expect: Stamps | None) -> Stored | None:
        counts = self.counts
        try:
            sealed = await waiter
            if sealed is None:
                counts["misses"] += 1
                return None
            counts["bytes_in"] += len(sealed)
            entry = self._codec.entry(self._seal.open(key, sealed))
            if entry.epoch != self.epoch or (expect is not None and entry.stamps != expect):
                counts["outdated"] += 1
                return None
            stored = self._codec.stored(entry)
        except Rejected as rejected:
            counts[f"rejected_{rejected.reason}"] += 1
        except Oversized:
            counts["rejected_too_large"] += 1
        except TimeoutError:
            counts["timeouts"] += 1
        except Exception:  # noqa: BLE001  # a cache's faults are no fault of the caller
            counts["errors"] += 1
        else:
            counts["hits"] += 1
            return stored
        return None

    def _write(self, key: bytes, sealed: bytes, ttl_ms: int) -> None:
        self._queued += len(sealed)

        def written(future: asyncio.Future[None]) -> None:
            self._queued -= len(sealed)
            error = None if future.cancelled() else future.exception()
            if error is None:
                self.counts["writes"] += 1
                self.counts["bytes_out"] += len(sealed)
            else:
                self.counts["timeouts" if isinstance(error, TimeoutError) else "errors"] += 1

        self._coalescer.set(key, sealed, ttl_ms).add_done_callback(written)

    def _refused(self, reason: str) -> bool:
        self.counts[reason] += 1
        return False

    def _seen(self, epoch: bytes | Exception | None) -> None:
        if type(epoch) is bytes and len(epoch) == EPOCH_BYTES:
            self.epoch = epoch
        else:
            self.epoch = None
            if not isinstance(epoch, Exception):  # its node of the cluster is away: it may still be there
                self._renew()

    def _renew(self) -> None:
        """The namespace has no stamp: write one. If others do so too the last one stays, and all read it."""
        if self._renewing or not self.breaker.allow():
            return
        self._renewing = True
        epoch = os.urandom(EPOCH_BYTES)

        def renewed(future: asyncio.Future[None]) -> None:
            self._renewing = False
            if not future.cancelled() and future.exception() is None and self.epoch is None:
                self.epoch = epoch

        self._coalescer.set(self._witness, epoch, FOREVER_MS).add_done_callback(renewed)

    def _outcome(self, seconds: float | None) -> None:
        self.breaker.record(seconds is not None)
        if seconds is not None:
            self.admission.round_trip.add(seconds)

    async def _unlink(self, keys: list[bytes]) -> int:
        if isinstance(self._client, RedisCluster):
            return sum([int(await self._client.unlink(key)) for key in keys])
        return int(await self._client.unlink(*keys))


def _witness_of(namespace: str) -> bytes:
    return f"gv:{namespace}:epoch".encode()
