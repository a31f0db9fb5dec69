"""One place in the pool: the connection in it, whoever has it, and what must happen before the next one gets it."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any

import asyncpg

from galvo_pool import private
from galvo_pool.lend import RUNNING, Lend
from galvo_pool.proxy import Lent

if TYPE_CHECKING:
    from galvo_pool.pool import Pool


class Life:
    """What is known of one connection."""

    __slots__ = ("born", "codecs", "identity", "leaving", "until")

    def __init__(self, born: float, until: float) -> None:
        self.born = born
        self.until = until
        """It is closed when it comes back after this (loop time)."""
        self.identity = b""
        """What it leads to (`read_identity`); empty as long as that is unknown."""
        self.codecs: dict[tuple[str, str], str] = {}
        """What its user has set for the types of these schemas and names."""
        self.leaving = False
        """It is closed on purpose; else it is lost."""


class Holder(private.PoolConnectionHolder):  # type: ignore[misc]  # see `private`
    """asyncpg's, without a task, a timer and a reset for each borrower where none is needed."""

    _con: Any
    _generation: int | None
    _inactive_callback: asyncio.TimerHandle | None
    _in_use: Any
    _pool: Pool

    def __init__(self, pool: Pool, **options: Any) -> None:
        super().__init__(pool, **options)
        self._in_use = None
        self._freed: asyncio.Future[None] | None = None
        self.proxy: weakref.ref[Lent] | None = None
        self.life = Life(0, 0)
        self.idle_since = self.heard = 0.0
        """When its last user gave it back, and when the server answered last (loop time)."""
        self.dirty = True
        """Its session's state may have been changed, so it is to be reset."""
        self.expected = False
        """It runs a statement, or is expected to run one."""
        self.unknown = False
        """It is in a state of the application's making."""

    # -- to the borrower ------------------------------------------------------------------------------

    def ready(self, now: float) -> bool:
        """Whether it can be used as it is."""
        con = self._con
        return (
            con is not None
            and not con._aborted
            and con._protocol.is_connected()
            and self._generation == self._pool._generation
            and now < self.heard + self._pool.options.check_after_idle
            and now < self.life.until
        )

    async def open(self) -> None:
        """Make it ready: connect, or look whether the connection still lives. Raises what connecting raises."""
        con, pool = self._con, self._pool
        if con is not None and not con.is_closed():
            now = pool._loop.time()
            if self._generation == pool._generation and now < self.life.until and await self.answers():
                return
            self._part(con)
        self._con = None
        await self.connect(insist=False)

    async def connect(self, *, insist: bool = True) -> None:
        """`insist`: also right after it has failed for others."""
        if self._con is not None:
            raise asyncpg.InternalClientError("Holder.connect() called while another connection already exists")
        pool, generation = self._pool, self._pool._generation
        con = await pool.gate.open(lambda: pool._connect_one(self), insist=insist)
        if pool.is_closing():
            await con.close()
            raise asyncpg.InterfaceError("pool is closing")
        if con.is_closed():
            raise asyncpg.ConnectionDoesNotExistError("connection was closed during pool initialization")
        self._con = con
        con._pool_holder = weakref.ref(self)
        self._generation = generation
        self.idle_since = self.heard = pool._loop.time()
        self._rest()

    async def answers(self) -> bool:
        """Whether the server still answers; an idle connection can be cut without a word to us."""
        con, limit = self._con, self._pool.options.check_timeout
        try:
            await con._protocol.query("select", limit)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if self._con is con:
                con.terminate()
            return False
        self.heard = self._pool._loop.time()
        return not con.is_closed()

    def _part(self, con: Any) -> None:
        """Close `con` in the background; it is no longer this holder's."""
        self.life.leaving = True
        self._con = con._pool_holder = None
        self._pool.spawn(con.close(timeout=self._timeout or 5))

    def lend(self, lend: Lend) -> Lent:
        """What a borrower uses in place of the connection."""
        self._in_use = lend
        proxy = Lent(self, self._con, lend)
        self.proxy = weakref.ref(proxy)
        return proxy

    async def set_up(self, lend: Lend) -> Lent:
        """`lend`, with what the application wants done before."""
        proxy = self.lend(lend)
        try:
            await self._setup(proxy)
        except BaseException:
            self.proxy = None  # it says that it is closed, as asyncpg's does
            if self._con is not None:  # nobody knows what state it is in
                await self._con.close()
            raise
        return proxy

    def end(self) -> None:
        """What comes now is the pool's own."""
        lend = self._in_use
        if lend is not None and lend.session is not None:
            if lend.session.pin is not None:
                lend.session.pin.part()
            lend.session.end()
        self._in_use = RUNNING

    # -- and back -------------------------------------------------------------------------------------

    def give(self) -> bool:
        """Take it back, if there is nothing to wait for; else it is to be cleaned (`release`)."""
        con = self._con
        if (
            self.dirty
            or con is None
            or con._aborted
            or not con._protocol.is_connected()
            or con._protocol.is_in_transaction()
            or con._protocol._is_cancelling()
            or con._top_xact is not None
            or con._listeners
            or con._log_listeners
            or con._protocol.queries_count >= self._max_queries
            or self._generation != self._pool._generation
        ):
            return False
        self._release()
        return True

    async def release(self, timeout: float | None) -> None:
        """asyncpg's: close what is to be closed, wait for a cancelled statement, reset."""
        if self._in_use is None:
            raise asyncpg.InternalClientError("Holder.release() called on a free connection holder")
        if self._pool._loop.time() >= self.life.until and self._con is not None and not self._con.is_closed():
            await self._con.close(timeout=timeout)
            return
        await super().release(timeout)

    def _release(self) -> None:
        if self._in_use is None:
            return
        self._in_use = None
        if self._freed is not None:
            self._freed.set_result(None)
            self._freed = None
        proxy = self.proxy() if self.proxy is not None else None
        if proxy is not None:
            proxy._detach()
        self.proxy = None
        self.dirty = self._pool.always_reset
        self.unknown = self._pool.custom_reset
        self.idle_since = self.heard = self._pool._loop.time()
        if self.is_connected():
            self._rest()
        self._pool._queue.put_nowait(self)

    async def wait_until_released(self) -> None:
        if self._in_use is not None:
            if self._freed is None:
                self._freed = self._pool._loop.create_future()
            await asyncio.shield(self._freed)

    # -- while nobody has it --------------------------------------------------------------------------

    def _setup_inactive_callback(self) -> None:
        """asyncpg arms a timer after each release; here `_release` does, when none is running."""

    def _rest(self) -> None:
        limit = self._max_inactive_time
        if limit and self._inactive_callback is None:
            self._inactive_callback = self._pool._loop.call_later(limit, self._deactivate_inactive_connection)

    def _deactivate_inactive_connection(self) -> None:
        self._inactive_callback = None
        if self._in_use is not None or self._con is None or self._pool._queue is None:
            return  # its release starts another timer
        pool = self._pool
        left = self.idle_since + self._max_inactive_time - pool._loop.time()
        if left > 0.001:
            self._inactive_callback = pool._loop.call_later(left, self._deactivate_inactive_connection)
        elif not self.is_connected() or pool.is_closing() or pool.get_size() > pool.get_min_size():
            self.life.leaving = True
            self._con.terminate()
