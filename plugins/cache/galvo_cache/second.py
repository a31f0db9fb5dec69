"""L2 as a read uses it: an answer that another process keeps in Redis counts if its stamps are those of now.

The stamps are captured before the read, like everywhere; the coherence between processes keeps a current copy of them
here, so a hit costs one round trip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from hashlib import blake2b
from time import time

from galvo import PluginError, Query, Rows
from galvo_cache.coherence.coherence import Coherence
from galvo_cache.coherence.stamps import fields_read
from galvo_cache.early import is_due
from galvo_cache.effects import Output
from galvo_cache.l2.connect import Client
from galvo_cache.l2.errors import Unavailable
from galvo_cache.l2.lease import Held, Leases
from galvo_cache.l2.seal import key_of as secret_of
from galvo_cache.l2.shelf import Shelf
from galvo_cache.places import token_for
from galvo_cache.plans import Plan
from galvo_cache.settings import CacheSettings


class Claim:
    """What a read may find or leave in L2: a key, and the stamps from before it."""

    __slots__ = ("age", "began", "cost", "epoch", "key", "lease", "rows", "stamps")

    def __init__(self, key: bytes, epoch: bytes | None, stamps: tuple[bytes, ...], began: float) -> None:
        self.key = key
        self.epoch = epoch
        self.stamps = stamps
        self.began = began
        """When the stamps were captured, by the wall clock."""
        self.rows: Rows | None = None
        self.age = 0.0
        """Seconds since `rows` were read, by the clocks of two machines."""
        self.cost = 0.0
        """Seconds that reading `rows` takes on average."""
        self.lease: Held | None = None
        """Others wait for what this read leaves here."""

    @property
    def turn(self) -> bytes:
        """Names what is to be read. Under other stamps it is something else, and nobody's word on this one counts."""
        return self.key + blake2b(b"".join(self.stamps), digest_size=8).digest()


class Second:
    """The second level, once this process has joined the others."""

    def __init__(
        self, client: Client, coherence: Coherence, namespace: str, settings: CacheSettings, counts: Counter[str]
    ) -> None:
        """`namespace` names the database, its schema and the session's settings."""
        self._coherence = coherence
        self._settings = settings
        self._counts = counts
        keys = secrets(settings)
        self._shelf = Shelf(
            client,
            namespace,
            form=settings.l2_format,
            timeout=settings.redis_timeout,
            max_entry_bytes=settings.max_entry_bytes,
            compress=settings.l2_compress,
            signing_key=keys["signing_key"],
            encryption_key=keys["encryption_key"],
        )
        self.leases = Leases(client, namespace, timeout=settings.redis_timeout, settle=self._shelf.drain)

    async def run(self) -> None:
        """Hear who has read what, until cancelled."""
        await self.leases.run()

    async def find(
        self, query: Query, plan: Plan, key: Hashable, schema: str, *, replaces: bool = False
    ) -> Claim | None:
        """The claim of a read that is about to run, with the rows if they were found; None: not for L2.

        `replaces`: rows whose own time is nearly over will not do. Of several processes that miss a dear answer one
        gets its lease with the claim, which `release` ends; the others wait for it, and look again.
        """
        claim = await self._look(query, plan, key, schema, replaces)
        cost = plan.cost.value
        if claim is None or claim.rows is not None or cost is None or cost < self._settings.lease_min:
            return claim
        patience = 2 * cost if query.timeout is None else min(2 * cost, query.timeout - 2 * cost)
        if patience <= 0:
            return claim  # nobody can wait and then still read
        try:
            lease = await self.leases.turn(claim.turn, 2 * cost, patience)
        except Unavailable:
            return claim
        self._counts["lease_waits"] += lease is None
        found: Claim | None = None
        try:
            # Under the stamps of now: whoever had the lease may have read before a write.
            found = await self._look(query, plan, key, schema, replaces)
        finally:
            if found is not None and found.rows is None:
                found.lease = lease
            elif lease is not None:
                self.leases.release(lease)
        self._counts["lease_hits"] += lease is None and found is not None and found.rows is not None
        return found

    def release(self, claim: Claim) -> None:
        """The read has ended, and has left what it could."""
        if claim.lease is not None:
            self.leases.release(claim.lease)

    async def _look(self, query: Query, plan: Plan, key: Hashable, schema: str, replaces: bool) -> Claim | None:
        if plan.cost.value is not None and not self._shelf.admit(plan.cost.value):
            return None
        fields = self._fields(query, plan)
        if fields is None:
            return None
        began = time()
        stamps = await self._coherence.stamps_for(fields)
        if stamps is None:
            return None
        name = repr((schema, plan.text, key, query.limit)).encode("utf-8", "backslashreplace")
        claim = Claim(blake2b(name, digest_size=16).digest(), self._shelf.epoch, stamps, began)
        stored = await self._shelf.get(claim.key, stamps)
        if stored is None:
            return claim
        if plan.cost.value is None:
            plan.cost.add(stored.cost)
        age = max(0.0, time() - stored.created)
        left = self._settings.ttl - age
        if not replaces or (left > 0 and not is_due(left, stored.cost, self._settings.early)):
            claim.rows, claim.age, claim.cost = stored.rows, age, stored.cost
        return claim

    def keep(self, claim: Claim, plan: Plan, rows: Rows, ttl: float) -> None:
        """Leave an answer that is current as of the claim's stamps."""
        cost = plan.cost.value or 0.0
        if self._shelf.admit(cost) and (rows.records or not any(part.unique for part in plan.slices)):
            self._shelf.set(
                claim.key, rows, stamps=claim.stamps, created=claim.began, cost=cost, ttl=ttl, epoch=claim.epoch
            )

    @staticmethod
    def _fields(query: Query, plan: Plan) -> tuple[str, ...] | None:
        slices = []
        for part in plan.slices:
            token = None if isinstance(part.source, Output) else token_for(part, query.args)
            if token is None or (part.unique and not plan.proves):
                return None
            slices.append((part.table, part.column, token))
        return fields_read(plan.scans, slices)

    async def close(self) -> None:
        await self._shelf.aclose()

    def stats(self) -> dict[str, float]:
        return {f"l2_{name}": value for name, value in self._shelf.stats().items()}


def secrets(settings: CacheSettings) -> dict[str, bytes | None]:
    """The keys in the settings. Raises PluginError for what is no key."""
    found: dict[str, bytes | None] = {}
    for name in ("signing_key", "encryption_key"):
        text = getattr(settings, name).get_secret_value()
        try:
            found[name] = secret_of(text) if text else None
        except ValueError:
            raise PluginError("cache", f"{name} under [cache] must be 32 bytes in base64") from None
    if settings.l2_format == "pickle" and not found["signing_key"]:
        raise PluginError("cache", 'l2_format = "pickle" needs a signing_key under [cache]: unsigned pickle runs code')
    return found
