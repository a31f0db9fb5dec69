"""Connections that are lost: a doubt, and then all that was kept, or nothing of it."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from galvo import is_open
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.identity.stage import PID, end, refusing, trusted
from tests.plugins.cache.situations.situation import LOST, Situation, shared, two, until
from tests.plugins.cache.stand import ALL, PRICE, RAISE

pytestmark = pytest.mark.anyio


async def test_one_lost_connection_costs_no_answer(dsn: str) -> None:
    async with two(dsn) as s:
        await s.kept(PRICE, 1)
        await s.kept(ALL)
        for _ in range(10):
            entries = s["entries"]
            await end(s, await s.kernel.fetchval(PID))
            await until(lambda: trusted(s))
            await s.still_kept(PRICE, 1)
            await s.still_kept(ALL)
            assert s["entries"] == entries


@pytest.mark.parametrize("redis", [False, True])
async def test_in_doubt_nothing_is_served_or_kept(dsn: str, server_dsn: str, own_redis: OwnRedis, redis: bool) -> None:
    """One connection is lost, and no other can be opened that says why; those that are left answer.

    Other processes extend the lease meanwhile.
    """
    cache = {"max_misses_untrusted": 1, **(shared(own_redis.url) if redis else {})}
    async with two(dsn, min_size=2, max_size=2, cache=cache) as s:
        await s.awake()
        await s.kept(PRICE, 1)
        async with s.kernel.acquire() as session:
            pid = await session.fetchval(PID)
            async with refusing(s, server_dsn):
                await end(s, pid)
                await s.never_kept(PRICE, 1)
                await s.never_kept(ALL)
                if redis:
                    await extended(s)
                    await s.never_kept(PRICE, 1)
                await s.write(RAISE, 1)
                await s.never_kept(PRICE, 1)
                stop, untrusted = s.gate.stop(ALL), s["misses_untrusted"]
                asked = [asyncio.create_task(s.kernel.fetch(ALL)) for _ in range(5)]
                await stop.reached.wait()
                with anyio.fail_after(20):
                    while s["misses_untrusted"] < untrusted + 5:
                        await anyio.lowlevel.checkpoint()
                before = s.ran(ALL)
                stop.go.set()
                await asyncio.gather(*asked)
                assert s.ran(ALL) == before + 4, "one at a time"
            await until(lambda: trusted(s))
        await s.awake()
        await s.kept(PRICE, 1)
        await s.kept(ALL)


async def extended(s: Situation) -> None:
    """The lease has been extended again."""
    lease = s.kernel.find_capability("cache")._sharing.coherence._lease
    before = lease.until

    async def again() -> bool:
        return bool(lease.until > before)

    await until(again)


async def test_a_lost_transaction_reads_nothing_from_memory(dsn: str) -> None:
    """It has written; the answer of before would hide that from it, and that it cannot be committed."""
    async with two(dsn, max_size=2) as s:
        await s.kept(PRICE, 1)
        async with s.kernel.acquire() as session:
            await session.execute("begin")
            await session.execute(RAISE, 1)
            await end(s, await session.fetchval(PID))
            await until(lambda: trusted(s))
            for sql in (PRICE, PRICE, RAISE):
                with pytest.raises(LOST) as caught:
                    await session.fetch(sql, 1)
                assert not is_open(caught.value)
            with pytest.raises(LOST) as caught:
                await session.execute("commit")
            assert not is_open(caught.value)
        assert s["pending"] == 0, "COMMIT was never sent, so it is not waited for"
        await s.kept(PRICE, 1)


async def test_what_a_lost_transaction_wrote_is_not_taken_for_somebody_else_s(dsn: str) -> None:
    """The server counts what it has rolled back."""
    async with two(dsn, max_size=2, cache={"watch": 0.05}) as s:
        await s.right(ALL)
        await looks(s, 2)
        counted = "select n_tup_upd from pg_stat_user_tables where relname = 'material'"
        before = await s.truth(counted)
        async with s.kernel.acquire() as session:
            await session.execute("begin")
            await session.execute(RAISE, 1)
            await end(s, await session.fetchval(PID))
            with pytest.raises(LOST):
                await session.execute("commit")

        async def moved() -> bool:
            return bool(await s.truth(counted) > before)

        await until(moved)
        await looks(s, 2)
        assert s["unannounced_writes"] == 0


async def looks(s: Situation, number: int) -> None:
    """The cache has looked at the statistics so many times from now on."""

    def seen() -> int:
        return sum("mark.counting" in query.sql for query in s.gate.seen)

    before = seen()

    async def enough() -> bool:
        return seen() > before + number

    await until(enough)
