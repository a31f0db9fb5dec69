"""A share of the hits is run again: what is found, what is blamed on the cache, and what it costs the caller."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import anyio
import asyncpg
import pytest

from galvo_cache.verifying import AT_A_TIME
from tests.plugins.cache.situations.situation import until
from tests.plugins.cache.stand import ALL, PRICE, RAISE, Stand, standing

pytestmark = pytest.mark.anyio
NEARLY_ALL = 0.999999999
"""In the background, yet every hit of a test."""
OUTCOMES = ("verified", "wrong", "unverified_error", "unverified_overtaken", "verify_skipped")


@asynccontextmanager
async def checking(dsn: str, *, setup: str = "", verify: float = NEARLY_ALL) -> AsyncIterator[Stand]:
    async with standing(dsn, {"verify": verify, "warm": 0}, setup=setup) as stand:
        yield stand
        assert stand["wrong"] == stand["wrong_values"] + stand["wrong_rows"] + stand["wrong_shape"]


async def checked(stand: Stand, count: int = 1) -> None:
    """Wait until so many checks have ended, which all went through the gate."""

    async def ended() -> bool:
        return stand["verified"] + stand["unverified_error"] + stand["unverified_overtaken"] == count

    await until(ended)
    assert sum(query.origin == "cache" and "material" in query.sql for query in stand.gate.seen) >= 1


def outcome(stand: Stand) -> dict[str, float]:
    return {name: stand[name] for name in OUTCOMES if stand[name]}


# -- in the background --------------------------------------------------------------------------------


async def test_the_caller_does_not_wait(dsn: str) -> None:
    async with checking(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 1)
        stop = stand.gate.stop(PRICE)
        with anyio.fail_after(10):
            assert await stand.kernel.fetchval(PRICE, 1) == Decimal("1.50")
            await stop.reached.wait()
        assert (stand["hits"], outcome(stand)) == (1, {})
        stop.go.set()
        await checked(stand)
        assert outcome(stand) == {"verified": 1}
        assert stand.ran(PRICE) == 1
        assert stand.ran(PRICE, origin="cache") == 1
        assert stand["entries"] == 1


async def test_only_so_many_at_a_time(dsn: str) -> None:
    """They take connections from the application's pool."""
    async with checking(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 1)
        stops = [stand.gate.stop(PRICE) for _ in range(AT_A_TIME)]
        for _ in range(AT_A_TIME + 3):
            await stand.kernel.fetchval(PRICE, 1)
        for stop in stops:
            await stop.reached.wait()
        assert outcome(stand) == {"verify_skipped": 3}
        for stop in stops:
            stop.go.set()
        await checked(stand, AT_A_TIME)
        assert stand.ran(PRICE, origin="cache") == AT_A_TIME
        await stand.kernel.fetchval(PRICE, 1)
        await checked(stand, AT_A_TIME + 1)
        assert outcome(stand) == {"verified": AT_A_TIME + 1, "verify_skipped": 3}


async def test_a_check_ends_with_the_cache(dsn: str) -> None:
    async with checking(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 1)
        stop = stand.gate.stop(PRICE)
        await stand.kernel.fetchval(PRICE, 1)
        await stop.reached.wait()
        stand.hurry()
        with anyio.fail_after(10):
            await stand.kernel.disable("cache")
        assert stand.kernel.plugins()[0]["state"] == "stopped"
        assert stand.kernel.plugin_stats("pool")["lent"] == 0


async def test_hits_of_a_session_are_checked_too(dsn: str) -> None:
    """In the pool's own state without it; in another state only by itself, and then its owner waits."""
    name = "select name from material where id = $1"
    hour = "select (timestamptz '2026-01-01 00:00+00' + id * interval '1 hour')::text from material where id = $1"
    async with checking(dsn) as stand, stand.kernel.acquire() as session:
        for _ in range(2):
            await session.fetchval(name, 1)
        await checked(stand)
        assert (stand.ran(name), stand.ran(name, origin="cache")) == (1, 1)
        await session.execute("set timezone = 'Asia/Tokyo'")
        for _ in range(2):
            assert await session.fetchval(hour, 1) == "2026-01-01 10:00:00+09"
        assert (stand["hits"], outcome(stand)) == (2, {"verified": 2})
        assert (stand.ran(hour), stand.ran(hour, origin="cache")) == (2, 0)


# -- what is found ------------------------------------------------------------------------------------

FOUND = {
    "values": (PRICE, (1,), "update material set price = 9 where id = 1"),
    "rows": (ALL, (), "insert into material values (6, 'm6', 1, '{}')"),
    "shape": ("select * from material where id = $1", (1,), "alter table material rename column price to cost"),
}


@pytest.mark.parametrize("verify", [NEARLY_ALL, 1.0])
@pytest.mark.parametrize("kind", FOUND)
async def test_a_wrong_answer_is_counted_by_kind_and_dropped(dsn: str, kind: str, verify: float) -> None:
    sql, args, write = FOUND[kind]
    async with checking(dsn, verify=verify) as stand:
        kept = await stand.kernel.fetch(sql, *args)
        await stand.other.execute(write)
        got = await stand.kernel.fetch(sql, *args)
        await until_counted(stand, "wrong")
        assert stand[f"wrong_{kind}"] == stand["verified"] == stand["wrong"] == 1
        assert stand["entries"] == 0
        now = await stand.other.fetch(sql, *args)
        assert [dict(row) for row in got] == [dict(row) for row in (now if verify == 1 else kept)]
        assert [dict(row) for row in await stand.kernel.fetch(sql, *args)] == [dict(row) for row in now]
        assert stand["hits"] == 1


async def test_it_is_logged_once_per_statement_and_without_values(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    sql = "select price from material where id = $1 and name <> 'geheim' -- geheim"
    async with checking(dsn, verify=1.0) as stand:
        for number in range(1, 4):
            await stand.kernel.fetchval(sql, number)
            await stand.other.execute(RAISE, number)
            await stand.kernel.fetchval(sql, number)
        assert stand["wrong"] == 3
        lines = [record.getMessage() for record in caplog.records]
        expected = "a cached answer was wrong (values): select price from material where id = $1 and name <> ?"
        assert lines == [expected]
        await stand.kernel.fetch(ALL)
        await stand.other.execute("delete from material where id = 5")
        await stand.kernel.fetch(ALL)
        assert len(caplog.records) == 2, "another statement is told, too"


# -- what is not blamed on the cache ------------------------------------------------------------------


@pytest.mark.parametrize("sql, args", [(PRICE, (1,)), ("select sum(price) from material", ())])
@pytest.mark.parametrize("after", [False, True])
async def test_a_write_that_began_meanwhile(dsn: str, sql: str, args: tuple[Any, ...], after: bool) -> None:
    """To the row or to the table; the check has run before or after it."""
    async with checking(dsn) as stand:
        await stand.kernel.fetchval(sql, *args)
        stop = stand.gate.stop(sql, after=after)
        before = await stand.kernel.fetchval(sql, *args)
        await stop.reached.wait()
        await stand.kernel.execute(RAISE, 1)
        stop.go.set()
        await checked(stand)
        assert outcome(stand) == ({"verified": 1} if after else {"unverified_overtaken": 1})
        assert await stand.fresh(sql, *args) == before + 1


async def test_a_write_that_is_not_sent_yet(dsn: str) -> None:
    """It is announced, and may take effect at any moment."""
    async with checking(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 1)
        stop = stand.gate.stop(PRICE)
        await stand.kernel.fetchval(PRICE, 1)
        await stop.reached.wait()
        write = stand.gate.stop("update")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stand.kernel.execute, RAISE, 1)
            await write.reached.wait()
            await stand.other.execute(RAISE, 1)
            stop.go.set()
            await checked(stand)
            assert outcome(stand) == {"unverified_overtaken": 1}
            write.go.set()


@pytest.mark.parametrize("verify", [NEARLY_ALL, 1.0])
async def test_an_error_says_nothing(dsn: str, verify: float) -> None:
    async with checking(dsn, verify=verify) as stand:
        await stand.kernel.fetchval(PRICE, 1)
        await stand.other.execute("alter table material rename to gone")
        if verify == 1:
            with pytest.raises(asyncpg.UndefinedTableError):
                await stand.kernel.fetchval(PRICE, 1)
        else:
            assert await stand.kernel.fetchval(PRICE, 1) == Decimal("1.50")
        await until_counted(stand, "unverified_error")
        assert outcome(stand) == {"unverified_error": 1}
        assert stand["entries"] == 1
        assert stand.kernel.plugins()[0]["faults"] == 0


async def test_an_answer_that_leaves_while_it_is_checked(dsn: str) -> None:
    """It was wrong all the same."""
    async with checking(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 1)
        await stand.kernel.fetchval(PRICE, 2)
        await stand.other.execute(RAISE, 1)
        stop = stand.gate.stop(PRICE, after=True)
        await stand.kernel.fetchval(PRICE, 1)
        await stop.reached.wait()
        stand.kernel.find_capability("cache")._sieve.shrink(0)
        stop.go.set()
        await checked(stand)
        assert (stand["bytes"], stand["entries"], stand["wrong_values"]) == (0, 0, 1)


# -- all of them --------------------------------------------------------------------------------------


async def test_every_hit(dsn: str) -> None:
    """The caller waits, and gets what the database says."""
    async with checking(dsn, verify=1.0) as stand:
        for _ in range(4):
            await stand.kernel.fetchval(PRICE, 1)
        assert (stand["hits"], stand.ran(PRICE), stand.ran(PRICE, origin="cache")) == (3, 4, 0)
        assert outcome(stand) == {"verified": 3}
        await stand.other.execute(RAISE, 1)
        assert await stand.kernel.fetchval(PRICE, 1) == Decimal("2.50")
        assert (stand["verified"], stand["wrong"], stand["entries"]) == (4, 1, 0)


async def test_a_share_of_them(dsn: str) -> None:
    """As many as the gate sees."""
    async with checking(dsn, verify=0.1) as stand:
        for _ in range(400):
            await stand.kernel.fetchval(PRICE, 1)

        async def ended() -> bool:
            return stand["verified"] == stand.ran(PRICE, origin="cache")

        await until(ended)
        assert 0 < stand["verified"] + stand["verify_skipped"] < 200
        assert (stand["hits"], stand.ran(PRICE)) == (399, 1)


async def until_counted(stand: Stand, name: str) -> None:
    async def counted() -> bool:
        return stand[name] > 0

    await until(counted)
