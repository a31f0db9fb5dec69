"""The same work on copies of one database, by turns: what a set of indexes changes, in CPU of the server.

Copies, because the work writes. The first lane is the baseline and is there twice; the difference is the noise (A/A).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
import msgspec

from galvo_bench.index.backend import Backend, connect
from galvo_bench.method.interval import interval
from galvo_bench.method.rounds import AGAIN
from galvo_engraving.demo.databases import with_database
from galvo_index.workload import Statement

SAMPLES = 8
"""Argument lists that are kept of a statement."""


class Single:
    """One connection that looks like a pool, so that one backend does all the work. It keeps what it ran."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.backend = Backend(connection)
        self._connection = connection
        self._calls: dict[str, list[tuple[float, tuple[Any, ...]]]] = {}

    async def fetch(self, query: str, /, *args: Any) -> Any:
        return await self._timed(self._connection.fetch, query, args)

    async def fetchrow(self, query: str, /, *args: Any) -> Any:
        return await self._timed(self._connection.fetchrow, query, args)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        return await self._timed(self._connection.fetchval, query, args)

    async def execute(self, query: str, /, *args: Any) -> Any:
        return await self._timed(self._connection.execute, query, args)

    def transaction(self) -> Any:
        return self._connection.transaction()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Single]:
        yield self

    def statements(self) -> list[Statement]:
        """What it ran since it was made, as a watch in the driver sees it."""
        return [
            Statement(
                sql,
                calls=len(calls),
                seconds=sum(seconds for seconds, _ in calls),
                arguments=tuple(arguments for _, arguments in calls[-SAMPLES:]),
            )
            for sql, calls in self._calls.items()
        ]

    async def _timed(self, method: Callable[..., Awaitable[Any]], query: str, args: tuple[Any, ...]) -> Any:
        began = perf_counter()
        answer = await method(query, *args)
        self._calls.setdefault(query, []).append((perf_counter() - began, args))
        return answer


class Change(msgspec.Struct, frozen=True):
    """A lane against the first one."""

    seconds: float
    """CPU of the server for one turn, median."""
    ratio: float
    low: float
    high: float
    """The ratio's interval, 95 % sure."""
    pages: float
    """Read or written in one turn, median: counted, so that no other load disturbs it."""


@asynccontextmanager
async def lanes(url: str, template: str, names: list[str]) -> AsyncIterator[dict[str, Single]]:
    """A copy of the database `template` for each of `names`, and one for AGAIN; dropped at the end."""
    async with AsyncExitStack() as stack:
        top = await connect(url)
        stack.push_async_callback(top.close)
        found: dict[str, Single] = {}
        for number, name in enumerate([*names, AGAIN]):
            copy = f"{template}_{number}"
            await top.execute(f"drop database if exists {copy} with (force)")
            await top.execute(f"create database {copy} template {template}")
            stack.push_async_callback(top.execute, f"drop database if exists {copy} with (force)")
            connection = await asyncpg.connect(with_database(url, copy))
            stack.push_async_callback(connection.close)
            found[name] = Single(connection)
        yield found


async def compare(
    crew: Mapping[str, Single],
    work: Callable[[Single, int], Awaitable[object]],
    rounds: int,
    each: Callable[[str], object],
) -> dict[str, Change]:
    """`work` gets a lane and the number of the round, which is to make it the same work in every lane."""
    names = list(crew)
    times: dict[str, list[float]] = {name: [] for name in names}
    pages: dict[str, list[int]] = {name: [] for name in names}
    for number in range(-1, rounds):  # the first one warms up
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            each(f"round {number + 1} of {rounds}: {name}")
            backend = crew[name].backend
            touched, cpu = await backend.pages(), backend.cpu()
            await work(crew[name], number)
            cpu = backend.cpu() - cpu
            if number >= 0:
                times[name].append(cpu)
                pages[name].append(await backend.pages() - touched)
    return {name: _change(times[name], times[names[0]], pages[name]) for name in names}


def _change(mine: list[float], base: list[float], pages: list[int]) -> Change:
    ratios = [one / other for one, other in zip(mine, base, strict=True)]
    return Change(median(mine), median(ratios), *interval(ratios), median(pages))
