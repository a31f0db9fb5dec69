"""L2 as a read uses it: an answer that another process keeps in Redis counts if its stamps are those of now.

The stamps are captured before the read, like everywhere; the coherence between processes keeps a current copy of them
here, so a hit costs one round trip.
"""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from time import time

from galvo import PluginError, Query, Rows
from galvo_cache.coherence.coherence import Coherence
from galvo_cache.coherence.stamps import fields_read
from galvo_cache.effects import Output
from galvo_cache.l2.connect import Client
from galvo_cache.l2.seal import key_of as secret_of
from galvo_cache.l2.shelf import Shelf
from galvo_cache.places import token_for
from galvo_cache.plans import Plan
from galvo_cache.settings import CacheSettings


class Claim:
    """What a read may find or leave in L2: a key, and the stamps from before it."""

    __slots__ = ("age", "began", "cost", "epoch", "key", "rows", "stamps")

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


class Second:
    """The second level, once this process has joined the others."""

    def __init__(self, client: Client, coherence: Coherence, namespace: str, settings: CacheSettings) -> None:
        """`namespace` names the database, its schema and the session's settings."""
        self._coherence = coherence
        self._settings = settings
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

    async def find(self, query: Query, plan: Plan, key: Hashable, schema: str) -> Claim | None:
        """The claim of a read that is about to run, with the rows if they were found; None: not for L2."""
        if plan.cost.value is not None and not self._shelf.admit(plan.cost.value):
            return None
        fields = self._fields(query, plan)
        if fields is None:
            return None
        began = time()
        stamps = await self._coherence.stamps_for(fields)
        if stamps is None:
            return None
        name = repr((schema, query.sql, key, query.limit)).encode("utf-8", "backslashreplace")
        claim = Claim(blake2b(name, digest_size=16).digest(), self._shelf.epoch, stamps, began)
        stored = await self._shelf.get(claim.key, stamps)
        if stored is not None:
            claim.rows = stored.rows
            claim.age = max(0.0, time() - stored.created)
            claim.cost = stored.cost
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
