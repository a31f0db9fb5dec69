"""Clients of a pool that read and write all the time, and remember what was acknowledged."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from random import Random
from typing import Any

import asyncpg

from galvo_pool import Pool
from tests.plugins.pool.faults.where import where

TIMEOUT = 1.5
"""Seconds: of acquiring, of connecting and of each statement."""
HUNG = 8 * TIMEOUT + 5
"""A call is at most so many of those: acquire, connect, BEGIN, two statements, their cancellation, the end, a reset."""
FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What a client hears of a fault."""
TABLE = "create table kept(id int not null)"
TIMES = {"command_timeout": TIMEOUT, "timeout": TIMEOUT, "acquire_timeout": TIMEOUT}
"""Of the pool."""


class Load:
    def __init__(self, pool: Pool, seed: int = 1) -> None:
        self.pool = pool
        self.acknowledged: set[int] = set()
        self.errors: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.done = 0
        self._ids = itertools.count()
        self._chance = Random(seed)
        self._stop = False
        self._waiting: list[tuple[float, asyncio.Future[float]]] = []

    # -- what clients do ------------------------------------------------------------------------------

    async def read(self) -> None:
        """What was acknowledged is there, for every reader."""
        if not self.acknowledged:
            return
        known = self._chance.choice(tuple(self.acknowledged)[-50:])
        sql = "select count(*) from kept where id = $1"
        if self._chance.random() < 0.5:
            found = await self.pool.fetchval(sql, known)
        else:
            async with self.pool.acquire() as con:
                found = await con.fetchval(sql, known)
        if found != 1:
            self.wrong.append(f"{known} was read {found} times")

    async def execute(self) -> None:
        new = next(self._ids)
        await self.pool.execute("insert into kept values ($1)", new)
        self.acknowledged.add(new)

    async def transaction(self) -> None:
        new = [next(self._ids), next(self._ids)]
        async with self.pool.acquire() as con, con.transaction():
            await con.execute("insert into kept values ($1)", new[0])
            await con.execute("insert into kept values ($1)", new[1])
        self.acknowledged.update(new)

    async def many(self) -> None:
        new = [next(self._ids) for _ in range(3)]
        await self.pool.executemany("insert into kept values ($1)", [(one,) for one in new])
        self.acknowledged.update(new)

    async def copy(self) -> None:
        new = [next(self._ids) for _ in range(3)]
        async with self.pool.acquire() as con:
            await con.copy_records_to_table("kept", records=[(one,) for one in new])
        self.acknowledged.update(new)

    async def trace(self) -> None:
        """What the next one must not see."""
        async with self.pool.acquire() as con:
            await con.execute("set application_name = 'left behind'")
            await con.execute("select pg_advisory_lock_shared(7)")

    # -- and how --------------------------------------------------------------------------------------

    async def _client(self) -> None:
        while not self._stop:
            acts: tuple[Callable[[], Awaitable[None]], ...]
            acts = (self.read, self.read, self.execute, self.transaction, self.many, self.copy, self.trace)
            act = self._chance.choice(acts)
            began = asyncio.get_running_loop().time()
            task = asyncio.ensure_future(act())
            await asyncio.wait([task], timeout=HUNG)
            if not task.done():
                self.wrong.append(f"{act.__name__} hangs: {where(task)}")
                task.cancel()
                return
            error = task.exception()
            if error is None:
                self._succeeded(began)
            elif isinstance(error, FAILURES):
                self.errors[f"{type(error).__name__}: {error}"[:90]] += 1
            else:
                self.wrong.append(f"{act.__name__}: {error!r}")
            await asyncio.sleep(0.005)

    def _succeeded(self, began: float) -> None:
        self.done += 1
        now = asyncio.get_running_loop().time()
        for since, waiting in self._waiting:
            if began >= since and not waiting.done():
                waiting.set_result(now - since)

    async def recovers(self) -> float:
        """Seconds until the next call that begins now or later has succeeded."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[float] = loop.create_future()
        self._waiting.append((loop.time(), future))
        async with asyncio.timeout(10):
            return await future

    async def runs(self, count: int) -> None:
        """Wait until so many more calls have succeeded."""
        before = self.done
        async with asyncio.timeout(30):
            while self.done < before + count:  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.005)

    @asynccontextmanager
    async def clients(self, count: int = 12) -> AsyncIterator[None]:
        with self.listening():
            tasks = [asyncio.create_task(self._client()) for _ in range(count)]
            try:
                await self.runs(50)
                yield
            finally:
                self._stop = True
                await asyncio.gather(*tasks)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """To what the loop complains of."""
        loop = asyncio.get_running_loop()
        handler = loop.get_exception_handler()
        loop.set_exception_handler(self._complained)
        try:
            yield
        finally:
            gc.collect()  # what nobody retrieved is complained of now
            loop.set_exception_handler(handler)

    def _complained(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if type(context.get("future")) is asyncio.Future and isinstance(context.get("exception"), FAILURES):
            return  # asyncpg 0.32 leaves a future behind when a connection breaks before a statement is sent
        if context["message"].startswith("Resetting connection with an active transaction"):
            return  # a ROLLBACK was cancelled; asyncpg does one more
        self.wrong.append(f"complaint: {context}")

    async def survived(self, other: asyncpg.Connection) -> None:
        """All of it holds. `other` is a plain connection to the server."""
        assert not self.wrong, "\n".join(self.wrong)
        rows: list[Any] = await other.fetch("select id, count(*) from kept group by id")
        found = {row[0]: row[1] for row in rows}
        assert {one: count for one, count in found.items() if count != 1} == {}, "nothing is done twice"
        assert self.acknowledged - found.keys() == set(), "nothing acknowledged is lost"
