"""Statements too long to be parsed on the event loop: those who share a cache are told, and keep the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.situations.situation import Situation, shared, two, until
from tests.plugins.cache.stand import ALL, JOBS

pytestmark = pytest.mark.anyio
ROWS = 6000
JOB = ", ".join(f"(${2 * i + 1}::int, ${2 * i + 2})" for i in range(ROWS))
FOLDED = f"insert into job(id, material) values {JOB}"
UNREADABLE = f"insert into job values {', '.join(f'(-{i} - 1, 1)' for i in range(ROWS))} returning $$a$$"
READ = f"select count(*) from job where id not in ({', '.join(f'${i + 1}' for i in range(ROWS))})"


@asynccontextmanager
async def pair(dsn: str, url: str) -> AsyncIterator[tuple[Situation, Situation]]:
    """Two kernels that share a Redis."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(two(dsn, cache=shared(url)))
        other = await stack.enter_async_context(two(dsn, cache=shared(url), schema=None))
        for member in (one, other):
            await until(member.shares)
            await member.awake()
        yield one, other


async def test_huge_statements(dsn: str, own_redis: OwnRedis) -> None:
    async with pair(dsn, own_redis.url) as (writer, reader):

        async def known(count: int) -> None:
            """Both know how many jobs there are, and keep that."""
            for one in (reader, writer):
                assert await one.right(JOBS) == [(count,)]
                await one.right(ALL)
                await until(lambda one=one: one.hits(JOBS))
                assert await one.kept(JOBS) == [(count,)]
                await until(lambda one=one: one.hits(ALL))

        await known(5)
        for one in (writer, reader):
            for _ in range(2):
                before = one.ran(READ)
                assert await one.kernel.fetchval(READ, *range(3, ROWS + 3)) == 2
                assert one.ran(READ) == before + 1, "an answer as good as its statement is read"
            await one.still_kept(JOBS)
            assert one["refused_too_long"] == 2

        await writer.write(FOLDED, *(value for i in range(ROWS) for value in (i + 6, 1)))
        for one in (reader, writer):
            await one.still_kept(ALL)
        await known(ROWS + 5)

        async with writer.kernel.transaction() as session:
            await session.execute(FOLDED, *(value for i in range(ROWS) for value in (i + ROWS + 6, 1)))
            assert await reader.kept(JOBS) == [(ROWS + 5,)], "what is not committed is nobody's"
        for one in (reader, writer):
            await one.still_kept(ALL)
        await known(2 * ROWS + 5)

        flushes = writer["flushes"]
        async with writer.kernel.transaction() as session:
            await session.execute(UNREADABLE)
        assert writer["flushes"] > flushes
        await known(3 * ROWS + 5)
