"""The ways of running the same queries that the demo compares."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol

from galvo_engraving.world import Database

Mode = Literal["plain", "pool", "full"]
MODES: tuple[Mode, ...] = ("plain", "pool", "full")
CONNECTIONS = 10
"""In every mode; asyncpg's own default."""


class Backend(Protocol):
    """A database, and what it counted since it was opened."""

    @property
    def db(self) -> Database: ...

    def counters(self) -> dict[str, float]:
        """`database_queries` where galvo counts them, and the cache's `hits`, `misses`, `refused`, ..."""

    def verify(self, share: float) -> None:
        """Re-check this share (0 to 1) of all cache hits against the database."""


class Plain:
    """A pool exactly as an asyncpg user makes it. Each query the application issues goes to the database."""

    def __init__(self, pool: Any) -> None:
        self.db: Database = pool

    def counters(self) -> dict[str, float]:
        return {}

    def verify(self, share: float) -> None:
        raise ValueError("plain asyncpg has no cache whose hits could be checked")


class Galvo:
    def __init__(self, kernel: Any) -> None:
        self.db: Database = kernel
        self._kernel = kernel

    def counters(self) -> dict[str, float]:
        stats: Mapping[str, float] = self._kernel.plugin_stats("cache")
        found = {name: stats[name] for name in _CACHE if name in stats}
        return found | {"database_queries": self._kernel.plugin_stats("pool")["queries"]}

    def verify(self, share: float) -> None:
        cache = self._kernel.find_capability("cache")
        if cache is None:
            raise ValueError("no cache is running whose hits could be checked")
        cache.verify = share


_CACHE = ("hits", "misses", "refused", "verified", "wrong")


@asynccontextmanager
async def open_mode(mode: Mode, url: str) -> AsyncIterator[Backend]:
    """Open `url` (a DSN) in `mode`."""
    # Imported only where it is used: what galvo costs in memory must not be charged to plain asyncpg.
    if mode == "plain":
        import asyncpg

        async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
            yield Plain(pool)
    else:
        from galvo import Kernel, PluginError

        overrides: dict[str, dict[str, Any]] = {
            "pool": {"on": True, "url": url, "min_size": CONNECTIONS, "max_size": CONNECTIONS},
            "cache": {"on": mode == "full"},
            "embedded": {"on": False},
        }
        async with Kernel.from_settings(overrides=overrides) as kernel:
            for plugin in kernel.plugins():
                # An app runs on without its optional plugins; a comparison must not.
                if plugin["name"] in ("pool", "cache") and plugin["state"] == "failed":
                    raise PluginError(plugin["name"], plugin["reason"])
            yield Galvo(kernel)
