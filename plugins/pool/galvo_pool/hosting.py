"""The kernel that lives as long as a pool, for applications that know of the pool only."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any

import asyncpg

from galvo import Kernel, PluginError

if TYPE_CHECKING:
    from galvo_pool.pool import Pool

POOL = "host_pool"
"""The capability by which the plugin finds the pool."""


class Host:
    """Starts a kernel for a pool, in a task of its own: whoever awaits `create_pool` need not be who closes it."""

    def __init__(self, kernel: Kernel, pool: Pool) -> None:
        self.kernel = kernel
        kernel.given[POOL] = weakref.ref(pool)  # a pool that nobody has any more is to be collected
        self._loop = pool._loop
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def start(self) -> None:
        """Raises what the kernel raises, InterfaceError when it runs already or has no pool."""
        if self.kernel.running:
            raise asyncpg.InterfaceError("the kernel of a pool is started by the pool: hand over one that does not run")
        ready: asyncio.Future[None] = self._loop.create_future()
        self._task = self._loop.create_task(self._live(ready), name="galvo kernel of a pool")
        self._task.add_done_callback(lambda task: _told(task, ready))
        try:
            await asyncio.shield(ready)
        except BaseException:
            await self.stop()
            raise

    async def _live(self, ready: asyncio.Future[None]) -> None:
        async with self.kernel as kernel:
            plugin = kernel.find_capability("pool")
            if plugin is None or not getattr(plugin, "hosted", False):
                raise PluginError("pool", "does not run in the kernel of `create_pool`: set `on = true` under [pool]")
            ready.set_result(None)
            await self._stop.wait()

    async def stop(self) -> None:
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    def abandon(self) -> None:
        """Have it end without waiting for it; may be called again, while it stops its plugins in order."""
        self._stop.set()
        task = self._task
        if task is not None and not task.done() and not task.cancelling() and not self._loop.is_closed():
            task.cancel()


def _told(task: asyncio.Task[None], ready: asyncio.Future[Any]) -> None:
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if not ready.done():
        if isinstance(error, asyncio.CancelledError) or error is None:
            ready.cancel()
        else:
            ready.set_exception(error)
