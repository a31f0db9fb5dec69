"""The pool with a kernel of its own: its statements travel the chain, where others may answer them."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterable
from typing import Any

import asyncpg

from galvo import Kernel
from galvo_pool.connection import PLAIN
from galvo_pool.hosting import Host
from galvo_pool.pool import Pool, log

LONG = 60.0
"""Seconds after which closing is worth a warning; asyncpg's."""


class ChainedPool(Pool):
    """What `create_pool` makes."""

    def __init__(self, *connect_args: Any, kernel: Kernel | None = None, **keywords: Any) -> None:
        if kernel is not None and not isinstance(kernel, Kernel):
            raise TypeError(f"kernel is expected to be a galvo.Kernel that does not run yet, or None, got {kernel!r}")
        super().__init__(*connect_args, **keywords)
        self._host = Host(kernel, self) if kernel is not None else None
        self.kernel = kernel
        if kernel is not None and self._host is not None:
            self.chained = True
            self.runs = kernel.run
            weakref.finalize(self, self._host.abandon).atexit = False

    async def _async__init__(self) -> Any:
        if self._host is None or self._initialized or self._initializing or self._closed:
            return await super()._async__init__()
        self.prepare()  # plugins may ask the database as soon as they start
        self._initializing = True
        try:
            await self._host.start()
        finally:
            self._initializing = False
        try:
            return await super()._async__init__()
        except BaseException:
            await self._host.stop()
            raise

    # -- statements that any connection can run -------------------------------------------------------

    @property
    def _straight(self) -> Kernel | None:
        """The kernel, if any. Raises InterfaceError like asyncpg's `acquire`."""
        if self.kernel is not None:
            if self._closing:
                raise asyncpg.InterfaceError("pool is closing")
            self._check_init()
        return self.kernel

    async def fetch(
        self, query: str, *args: Any, timeout: float | None = None, record_class: type | None = None
    ) -> list[Any]:
        options: dict[str, Any] = {"timeout": timeout, "record_class": record_class}
        if not self.plain:
            return list(await super().fetch(query, *args, **options))
        if kernel := self._straight:
            return await kernel.fetch(query, *args, **options)
        return list(await self.once(lambda con: PLAIN.fetch(con, query, *args, **options)))

    async def fetchrow(
        self, query: str, *args: Any, timeout: float | None = None, record_class: type | None = None
    ) -> Any:
        options: dict[str, Any] = {"timeout": timeout, "record_class": record_class}
        if not self.plain:
            return await super().fetchrow(query, *args, **options)
        if kernel := self._straight:
            return await kernel.fetchrow(query, *args, **options)
        return await self.once(lambda con: PLAIN.fetchrow(con, query, *args, **options))

    async def fetchval(self, query: str, *args: Any, column: int = 0, timeout: float | None = None) -> Any:
        if not self.plain:
            return await super().fetchval(query, *args, column=column, timeout=timeout)
        if kernel := self._straight:
            return await kernel.fetchval(query, *args, column=column, timeout=timeout)
        return await self.once(lambda con: PLAIN.fetchval(con, query, *args, column=column, timeout=timeout))

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        if not self.plain:
            return str(await super().execute(query, *args, timeout=timeout))
        if kernel := self._straight:
            return await kernel.execute(query, *args, timeout=timeout)
        return str(await self.once(lambda con: PLAIN.execute(con, query, *args, timeout=timeout)))

    async def executemany(self, command: str, args: Iterable[Any], *, timeout: float | None = None) -> None:
        kernel = self._straight
        if kernel is not None and self.plain and isinstance(args, list | tuple):
            await kernel.executemany(command, args, timeout=timeout)
        else:
            await super().executemany(command, args, timeout=timeout)

    # -- the end --------------------------------------------------------------------------------------

    async def close(self) -> None:
        """asyncpg's: wait for lent connections, then close all; the kernel stops between the two."""
        if self._closed or self._host is None:
            await super().close()
            return
        self._check_init()
        self._closing = True
        warning = self._loop.call_later(LONG, self._warn_on_long_close)
        try:
            await asyncio.gather(*(holder.wait_until_released() for holder in self._holders))
            await self._host.stop()
        except BaseException:
            self._closing = False
            self.terminate()
            raise
        finally:
            warning.cancel()
        self._closing = False
        await super().close()

    def terminate(self) -> None:
        super().terminate()
        if self._host is not None:
            self._host.abandon()

    def _warn_on_long_close(self) -> None:
        super()._warn_on_long_close()
        log.warning("Pool.close() waits for connections: %s", self.holders())
