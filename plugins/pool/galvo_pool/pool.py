"""A drop-in for asyncpg.Pool: cheap to take from, fair to those who wait, its statements in the kernel's chain."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from galvo import Isolation, Proceed, Query
from galvo_pool import private
from galvo_pool.codecs import salted
from galvo_pool.connection import PLAIN, keep_alive, open_one
from galvo_pool.errors import PoolBusy
from galvo_pool.gate import Gate
from galvo_pool.growth import Growth, begin, follow
from galvo_pool.holder import Holder, Life
from galvo_pool.housekeeping import Housekeeping
from galvo_pool.idle import Idle
from galvo_pool.lend import RUNNING, Lend, LentSession
from galvo_pool.metering import Meter
from galvo_pool.options import taken
from galvo_pool.proxy import Lent
from galvo_pool.retry import Budget, transact
from galvo_pool.sizing import Limit
from galvo_pool.traced import Traced, traced

if TYPE_CHECKING:
    from galvo_pool.fleet import Fleet

log = logging.getLogger("galvo.pool")
T = TypeVar("T")


class Pool(private.Pool):  # type: ignore[misc]  # see `private`
    """Made by `create_pool`; has all that asyncpg.Pool has, and the keywords of `Options`."""

    _connection_class: Any
    _initializing: bool
    _queue: Any
    _holders: list[Holder]

    def __init__(self, *connect_args: Any, **keywords: Any) -> None:
        """Raises what asyncpg.Pool does, ValueError for an option that cannot be."""
        self.options = taken(keywords)
        self._custom_init = keywords.pop("init", None)
        self.auto = begin(keywords)
        super().__init__(*connect_args, **keywords)
        self.plain = self._connection_class is PLAIN and not self._setup and self._record_class is asyncpg.Record
        """All connections are alike and nobody has a say when one is taken, so any will do for a statement."""
        self.custom_reset = self._reset is not None or any(
            getattr(self._connection_class, name) is not getattr(PLAIN, name)
            for name in ("reset", "_reset", "get_reset_query")
        )
        """What a connection is like after its reset is the application's matter."""
        self.record_class = None if self._record_class is asyncpg.Record else self._record_class
        self._connection_class = traced(self._connection_class)
        self.codecs: dict[tuple[str, str], str] = {}
        """Those of the newest connection when it was opened."""
        self.runs: Proceed | None = None
        """Where the statements of lent connections go; None: straight to the server."""
        self.chained = False
        """It runs the statements of a kernel."""
        self.fleet: Fleet | None = None
        self.traceless: Callable[[Query], bool] | None = None
        """Whether a statement is known to leave no trace in the session that runs it."""
        self.pin: Callable[[LentSession], object] | None = None
        """Tells the plugin that a session has a connection whose state is not known."""
        self.gate = Gate(self._loop)
        self.housekeeping = Housekeeping(self)
        self.growth = Growth(self)
        self.load: Limit | None = None
        """Says how many connections may be busy at once; None: all."""
        self.meter = Meter()
        self.budget = Budget()
        self._background: set[asyncio.Task[Any]] = set()

    # -- a whole transaction ---------------------------------------------------------------------------

    async def transact(
        self,
        work: Callable[[Any], Awaitable[T]],
        *,
        isolation: Isolation | None = None,
        readonly: bool = False,
        attempts: int = 5,
    ) -> T:
        """`await work(connection)` in a transaction, again where that is safe: see `retry.transact`."""
        return await transact(self, work, isolation=isolation, readonly=readonly, attempts=attempts, budget=self.budget)

    # -- opening --------------------------------------------------------------------------------------

    @property
    def always_reset(self) -> bool:
        return self.traceless is None or self.custom_reset or self.options.reset_when == "always"

    def prepare(self) -> None:
        """Make the places for connections; nothing is opened."""
        self._queue = Idle(self._loop, self._maxsize)
        self._add(self._maxsize)

    def _add(self, places: int) -> None:
        for _ in range(places):
            holder = Holder(
                self,
                max_queries=self._max_queries,
                max_inactive_time=self._max_inactive_connection_lifetime,
                setup=self._setup,
            )
            self._holders.append(holder)
            self._queue.add(holder)

    async def _initialize(self) -> None:
        if self._queue is None:
            self.prepare()
        if self._initsize:
            await open_one(self)  # alone, so that what is wrong is seen early
            if self.auto:
                await self.growth.measure()
        follow(self)
        if self._initsize:
            rest = (open_one(self) for _ in range(self._initsize - 1))
            for error in await asyncio.gather(*rest, return_exceptions=True):
                if error is not None:
                    raise error
        self.housekeeping.start()

    def bound(self, most: int) -> None:
        """At most so many connections from now on; what is lent beyond them is closed when it comes back."""
        self._add(most - len(self._holders))
        self._maxsize = self._queue.most = most
        if self.load is None:
            self._queue.limit = most
        self._queue.wake()

    def resize(self) -> None:
        """Follow the load."""
        if self.load is not None:
            waiting, busy = self._queue.peak()
            self._queue.limit = self.load.tick(
                now=self._loop.time(), waiting=waiting, busy=busy, failing=self.gate.failing
            )
            self._queue.wake()

    async def ask(self, sql: str, *args: Any) -> list[Any]:
        """For the pool itself, past the chain."""
        holder = self.take() or await self.wait(self.options.check_timeout)
        holder._in_use = RUNNING
        try:
            return list(await PLAIN.fetch(holder._con, sql, *args, timeout=self.options.check_timeout))
        finally:
            await self.give(holder, self.options.check_timeout)

    async def _connect_one(self, holder: Holder) -> Any:
        """A new connection for `holder`. Raises what connecting, or the application's `init`, raises."""
        while True:
            now = self._loop.time()
            life = holder.life = Life(now, self.options.ends(now))
            con = await self._get_new_connection()
            try:
                if Traced not in type(con).__mro__:  # isinstance says yes to all of asyncpg's
                    kind: Any = type(con)
                    con.__class__ = traced(kind)
                con._pool_holder = weakref.ref(holder)
                keep_alive(con)
                identity = await self.fleet.read(con) if self.fleet is not None else b""
                seen = self.fleet.seen if self.fleet is not None else None
                if self._custom_init is not None:
                    await self._custom_init(con)
                if self.fleet is not None and seen != self.fleet.seen:
                    await con.close()  # what it said may have been true before only
                    continue
            except BaseException:
                life.leaving = True
                await con.close()
                raise
            self.codecs = dict(life.codecs)
            holder.unknown = self._custom_init is not None or self.custom_reset
            holder.dirty = self.always_reset or holder.unknown
            if self.fleet is not None:
                self.fleet.enter(life, con, salted(identity, life.codecs))
            self.meter.created(self._loop.time() - now)
            return con

    def differs(self, holder: Holder) -> bool:
        """Whether its answers look otherwise than those of the others."""
        return holder.life.codecs != self.codecs

    # -- taking and giving back -----------------------------------------------------------------------

    def take(self) -> Holder | None:
        """A holder that can be used as it is, at once; None: `wait` for one."""
        queue = self._queue
        if queue.waiters:
            return None
        holder: Holder | None = queue.take()
        if holder is not None and not holder.ready(self._loop.time()):
            queue.put_nowait(holder)
            return None
        return holder

    async def wait(self, timeout: float | None, *, own: bool = False) -> Holder:
        """`own`: for a plugin, not for the application. Raises TimeoutError, PoolBusy, and what connecting raises."""
        most = self.options.max_waiting
        if most is not None and self._queue.full and self._queue.waiting >= most:
            raise PoolBusy(
                f"{self._queue.waiting} wait for one of {self._queue.limit} connections already (max_waiting): "
                f"{self.holders()}"
            )
        scope, began = asyncio.timeout(timeout), self._loop.time()
        try:
            async with scope:
                holder: Holder = await self._queue.get()
                if own:
                    self._queue.own(holder)
                try:
                    if not holder.ready(self._loop.time()):
                        await holder.open()
                except BaseException:
                    self._queue.put_nowait(holder)
                    self._schedule_min_size_maintenance()
                    raise
                return holder
        except TimeoutError:
            if not scope.expired():
                raise
            self.meter.timeouts += 1
            raise TimeoutError(
                f"no connection became free within {timeout:g} s (acquire_timeout), and there are "
                f"{self._queue.limit} (max_size): {self.holders()}"
            ) from None
        finally:
            self.meter.waited(self._loop.time() - began)

    def _check_init(self) -> None:
        """Raises InterfaceError when it is not open, or not this event loop's."""
        running = asyncio._get_running_loop()
        if running is not self._loop and running is not None and self._initialized and not self._closed:
            raise asyncpg.InterfaceError("this pool belongs to another event loop: make one in each loop that uses it")
        super()._check_init()

    async def _acquire(self, timeout: float | None) -> Any:
        if self._closing:
            raise asyncpg.InterfaceError("pool is closing")
        self._check_init()
        lend = Lend(self._loop.time(), self.runs)
        if self._setup is None:
            limit = self.options.acquire_timeout if timeout is None else timeout
            holder = self.take() or await self._waited(limit)
            holder._timeout = timeout
            return holder.lend(lend)
        async with asyncio.timeout(timeout):
            holder = self.take() or await self._waited(self.options.acquire_timeout)
            holder._timeout = timeout
            return await holder.set_up(lend)

    async def _waited(self, timeout: float | None) -> Holder:
        holder = await self.wait(timeout)
        if self.is_closing():  # meanwhile, and without it
            self._queue.put_nowait(holder)
            raise asyncpg.InterfaceError("pool is closing")
        return holder

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """asyncpg's. A cancellation does not keep the connection from being cleaned."""
        if type(connection) is not Lent or connection._holder._pool is not self:
            raise asyncpg.InterfaceError(
                f"Pool.release() received invalid connection: {connection!r} is not a member of this pool"
            )
        con, holder = connection._con, connection._holder
        if con is None or holder._in_use is RUNNING:
            return  # it is back, or on its way
        self._check_init()
        if con._listeners or con._log_listeners:
            con._on_release()
        else:
            con._pool_release_ctr += 1
        await self.give(holder, holder._timeout if timeout is None else timeout)

    async def give(self, holder: Holder, timeout: float | None = None) -> None:
        holder.end()
        if not holder.give():
            cleaned = self._loop.create_task(self._clean(holder, holder._con, timeout))
            cleaned.add_done_callback(_heard)
            await asyncio.shield(cleaned)

    async def _clean(self, holder: Holder, con: Any, timeout: float | None) -> None:
        if holder._con is con:  # else it was lost meanwhile, and the holder has another borrower
            await holder.release(timeout)

    async def once(self, call: Callable[[Any], Awaitable[T]]) -> T:
        """Run `call` on any connection. Raises what it and `wait` raise.

        Without a task of its own for the reset; a reset that is cancelled closes its connection.
        """
        if self._closing:
            raise asyncpg.InterfaceError("pool is closing")
        self._check_init()
        holder = self.take() or await self._waited(self.options.acquire_timeout)
        holder._in_use = RUNNING
        con: Any = holder._con
        holder._timeout = None
        try:
            result = await call(con)
        except BaseException:
            if holder._con is con:
                con._pool_release_ctr += 1
                await self.give(holder)
            raise
        if holder._con is con:
            con._pool_release_ctr += 1
            if not holder.give():
                await holder.release(None)
        return result

    def new_session(self, run: Proceed, holder: Holder) -> LentSession:
        session = LentSession(run, holder)
        if holder.unknown and self.pin is not None:
            self.pin(session)
        return session

    def forgotten(self, holder: Holder, lend: Lend) -> None:
        """Nobody can give this one back any more."""
        if holder._in_use is not lend or self._loop.is_closed():
            return
        log.warning("a connection was never given back and is reclaimed: it was taken at %s", lend.site())
        self._loop.call_soon_threadsafe(self._reclaim, holder, lend)

    def _reclaim(self, holder: Holder, lend: Lend) -> None:
        if holder._in_use is lend and not self._closed:
            holder._con._pool_release_ctr += 1
            self.spawn(self.give(holder, 5))

    @property
    def lent(self) -> int:
        """Connections that somebody has."""
        return sum(holder._in_use is not None for holder in self._holders)

    def holders(self) -> str:
        """Who has connections, those first that have them longest."""
        now = self._loop.time()
        lends = sorted((h._in_use for h in self._holders if h._in_use not in (None, RUNNING)), key=lambda x: x.since)
        running = sum(h._in_use is RUNNING for h in self._holders)
        parts = [f"{lend.site()} for {now - lend.since:.1f} s" for lend in lends[:3]]
        parts += [f"{len(lends) - 3} more"] * (len(lends) > 3) + [f"{running} statements"] * bool(running)
        return "they are with " + ", ".join(parts) if parts else "none is in use"

    # -- the end --------------------------------------------------------------------------------------

    async def close(self) -> None:
        await super().close()
        self.housekeeping.stop()

    def terminate(self) -> None:
        super().terminate()
        self.housekeeping.stop()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let `work` end in the background."""
        task: asyncio.Task[Any] = self._loop.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.debug("closing a connection: %s", task.exception())


def _heard(task: asyncio.Task[None]) -> None:
    """Whoever waited for it may have been cancelled, and then nobody asks how it ended."""
    if not task.cancelled():
        task.exception()
