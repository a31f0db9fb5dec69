"""Takes the clock out of what is counted: nothing here happens by the time that has passed, or was measured.

For a process that does nothing but count: some of it changes galvo's own classes.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg.connection
from redis.asyncio import Redis

from galvo_cache.coherence.coherence import Coherence
from galvo_cache.coherence.lease import Lease
from galvo_cache.coherence.scripts import ANNOUNCE, HOLD, LEAVE, PULSE, RELEASE, STAMPS
from galvo_cache.coherence.server import Server
from galvo_cache.l2.admission import Admission
from galvo_cache.l2.shelf import Shelf
from galvo_cache.outside import Outside

DAY = 86_400
LONG = 30.0
"""Seconds that Redis, a lease, or a start may take."""
FIRST = 1 << 20
"""Of statements' numbers: their names are equally long, however many were prepared before."""
SETTINGS: dict[str, dict[str, Any]] = {
    "kernel": {"start_timeout": 10 * LONG, "drain_timeout": LONG},
    "cache": {
        "ttl": DAY, "jitter": 0, "early": 0, "catalog_refresh": DAY, "warm": 0, "lease": LONG, "redis_timeout": LONG,
        "lease_min": DAY,
    },
    "embedded": {"on": False},
    "pool": {
        "min_size": 1, "max_size": 1, "max_lifetime": 0, "check_after_idle": DAY, "leak_after": 0,
        "connect_timeout": LONG, "acquire_timeout": 10 * LONG,
    },
    "index": {"slow": DAY},
    "memory": {"interval": DAY, "answer": False, "trace": 0, "tune_gc": False},
    "monitor": {"interval": 3600, "database": False, "answer": False, "state": ""},
}  # fmt: skip
"""Everything is on; what is asked by the clock (the monitor's figures, catalogs read anew) is not, or waits."""


def settings(postgres: str, redis: str = "", namespace: str = "") -> dict[str, dict[str, Any]]:
    """Overrides of a kernel's settings."""
    made = {name: dict(table) for name, table in SETTINGS.items()}
    made["pool"]["url"] = postgres
    made["cache"] |= {"redis": redis, "namespace": namespace}
    return made


def pin() -> None:
    """This process, for good."""
    for name in [name for name in os.environ if name.startswith(("GALVO_", "ENGRAVING_"))]:
        del os.environ[name]
    # Worth keeping in Redis is what takes longer than Redis: as measured, so that a busy machine keeps more.
    Admission.admit = lambda self, query_seconds: True  # type: ignore[method-assign]
    # Nobody else has been there: an answer may be shared at once, and not only after a lease.
    Lease.mature = lambda self, seconds: self.valid  # type: ignore[method-assign]
    _by_default(Coherence.__init__, timeout=LONG)
    _by_default(Shelf.__init__, connect_timeout=LONG)
    Outside._find_triggers = _there_are_none  # type: ignore[method-assign]


def number() -> None:
    """Number statements anew, as if nothing had been counted before."""
    asyncpg.connection._uid = FIRST  # type: ignore[attr-defined]  # it is private


def _by_default(function: Any, **values: float) -> None:
    function.__kwdefaults__ |= values


async def _there_are_none(self: Outside) -> bool:
    return True


@asynccontextmanager
async def shared(url: str, namespace: str) -> AsyncIterator[None]:
    """A namespace in Redis that is empty, as if it had been there for long; nothing is left of it."""
    client = Redis.from_url(url)
    try:
        await _forget(client, namespace)
        for script in (ANNOUNCE, HOLD, LEAVE, PULSE, RELEASE, STAMPS):
            await client.script_load(script.text)
        server = Server(client, namespace, LONG, LONG)
        await server.run(RELEASE)
        await client.hset(server.keys[0], "since", "0")
        yield
    finally:
        await _forget(client, namespace)
        await client.aclose()


async def _forget(client: Redis, namespace: str) -> None:
    for pattern in (f"{{gv:{namespace}}}:*", f"gv:{namespace}:*"):
        if keys := [key async for key in client.scan_iter(pattern, count=1000)]:
            await client.delete(*keys)
