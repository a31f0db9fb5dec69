"""Where an engine's connections come from: a pool of its own, or that of a kernel which runs already."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from typing import Any

import asyncpg
from sqlalchemy import exc

from galvo import Kernel
from galvo_pool import Pool, create_pool

log = logging.getLogger("galvo.sqlalchemy")


class Source:
    """Lends connections whose statements travel the chain of `kernel`."""

    kernel: Kernel | None

    async def ready(self) -> Kernel | None:
        """`kernel`, when it runs. Raises what starting it raises."""
        raise NotImplementedError

    @property
    def alike(self) -> bool:
        """Whether a statement sees the same on any connection of the pool, which is open."""
        raise NotImplementedError

    async def lend(self) -> Any:
        """asyncpg's proxy of a connection. Raises sqlalchemy.exc.TimeoutError when none becomes free in time."""
        raise NotImplementedError

    async def give(self, lent: Any) -> None:
        await lent._holder._pool.release(lent)

    def gone(self) -> None:
        """A lent one was terminated."""

    async def close(self) -> None:
        """Nobody asks for another connection; those that are lent come back later."""

    def abandon(self) -> None:
        """`close`, where nobody can wait for it."""


def _alike(pool: Pool | None) -> bool:
    """The application has no hook that may SET something for whoever takes a connection."""
    return pool is None or (pool._setup is None and not pool.custom_reset and pool._connect is asyncpg.connect)


class Given(Source):
    """The kernel is the application's, and so is its pool."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    async def ready(self) -> Kernel | None:
        if not self.kernel or not self.kernel.running:
            raise exc.ArgumentError("the engine's kernel does not run: use the engine inside `async with kernel`")
        return self.kernel

    @property
    def alike(self) -> bool:
        plugin: Any = self.kernel and self.kernel.find_capability("pool")
        return plugin is None or not hasattr(plugin, "lend") or _alike(plugin._pool())

    async def lend(self) -> Any:
        kernel: Any = await self.ready()
        plugin = kernel.find_capability("pool")
        if plugin is None or not hasattr(plugin, "lend"):
            raise exc.ArgumentError("the engine's kernel has no pool that runs: set `on = true` under [pool]")
        try:
            return await plugin.lend(kernel.run)
        except TimeoutError as error:
            raise exc.TimeoutError(str(error)) from error


class Own(Source):
    """A pool for this engine: opened with the first statement, closed when the engine is disposed of and the last
    connection is back.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        """`options` are those of `galvo_pool.create_pool`."""
        self.options = options
        self._opening = asyncio.Lock()
        self._pool: Pool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = os.getpid()
        self._lent = 0
        self._retired = False

    @property
    def lost(self) -> bool:
        """It belongs to a process, or an event loop, that is not here any more."""
        return self._process != os.getpid() or (self._loop is not None and self._loop.is_closed())

    @property
    def kernel(self) -> Kernel | None:  # type: ignore[override]  # it is one kernel at a time
        return self._pool.kernel if self._pool is not None else None

    @property
    def alike(self) -> bool:
        return _alike(self._pool)

    def renew(self, options: dict[str, Any]) -> None:
        """New connections are made with what this call says; a password may be a token that expires."""
        if options != self.options:
            self.options = options
            if self._pool is not None:
                self._pool._connect_kwargs |= {
                    name: options[name] for name in self._pool._connect_kwargs.keys() & options.keys()
                }

    async def ready(self) -> Kernel | None:
        return (self._pool or await self._open()).kernel

    async def _open(self) -> Pool:
        async with self._opening:
            if self._pool is None:
                pool = create_pool(**self.options)
                await pool
                self._pool, self._loop = pool, asyncio.get_running_loop()
                self._warn()
            return self._pool

    def _warn(self) -> None:
        """Of a second cache in this process which hears nothing of what is written past it."""
        cache = self.kernel.find_capability("cache") if self.kernel is not None else None
        if cache is None or getattr(cache.settings, "redis", None):
            return
        database = self.options.get("database")
        if any(other._pool and not other.lost and other.options.get("database") == database for other in _alone):
            log.warning(
                "a second engine on database %r has a cache of its own, and sees writes of the first up to ttl seconds "
                "late: set redis under [cache], or use engine_on(kernel) of one kernel for both",
                database,
            )
        _alone.add(self)

    async def lend(self) -> Any:
        pool = self._pool or await self._open()
        try:
            lent = await pool.acquire()
        except asyncpg.InterfaceError:
            raise  # too many wait, or it is closing
        except TimeoutError as error:
            raise exc.TimeoutError(str(error)) from error
        self._lent += 1
        return lent

    async def give(self, lent: Any) -> None:
        try:
            await super().give(lent)
        finally:
            await self._back()

    def gone(self) -> None:
        self._lent -= 1
        if self._retired and not self._lent:
            self.abandon()

    async def _back(self) -> None:
        self._lent -= 1
        if self._retired and not self._lent:
            await self._end()

    async def close(self) -> None:
        self._retired = True
        if self.lost:
            self._pool = None
        elif not self._lent:
            await self._end()

    async def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    def abandon(self) -> None:
        self._retired = True
        pool, self._pool = self._pool, None
        if pool is not None and not self.lost:
            pool.terminate()


_alone: weakref.WeakSet[Own] = weakref.WeakSet()
"""Those of this process whose caches share nothing."""
