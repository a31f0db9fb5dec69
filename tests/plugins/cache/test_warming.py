"""What saved most is read again after a start and a flush, by the ordinary way, and never anything but a read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
import redis.asyncio

from galvo import Kernel
from galvo_cache import warming
from galvo_cache.warming import Again
from galvo_embedded import Servers
from tests.plugins.cache.situations.situation import shared, two, until
from tests.plugins.cache.stand import ALL, JOBS, LOG, PRICE, RAISE, Stand, standing

pytestmark = pytest.mark.anyio
FLUSH = "do $$ begin end $$"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "SETTLE", 0.01)
    monkeypatch.setattr(warming, "GAP", 0.01)


@asynccontextmanager
async def shop(dsn: str, **cache: Any) -> AsyncIterator[Stand]:
    async with standing(dsn, cache) as stand:
        yield stand


async def read(stand: Stand, sql: str, *args: Any, times: int = 1) -> None:
    for _ in range(times):
        await stand.kernel.fetch(sql, *args)


async def warmed(stand: Stand, count: int) -> None:
    """Wait until so many answers were read again."""

    async def counted() -> bool:
        return stand["warmed"] + stand["warm_failed"] >= count

    await until(counted)
    assert stand["warmed"] == count


def again(stand: Stand) -> list[tuple[str, tuple[Any, ...], int]]:
    """What the gate saw of it, in order."""
    return [(query.sql, query.args, query.limit) for query in stand.gate.seen if type(query) is Again]


def cache_of(stand: Stand) -> Any:
    return stand.kernel.find_capability("cache")


# -- after a flush ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["clear", "everything"])
async def test_those_that_saved_most_are_read_again(dsn: str, how: str) -> None:
    async with shop(dsn, warm=3) as stand:
        await stand.kernel.fetchrow(ALL)
        for sql, args, times in ((JOBS, (), 2), (PRICE, (1,), 9), (PRICE, (2,), 30), (LOG, (), 1)):
            await read(stand, sql, *args, times=times)
        for _ in range(12):
            await stand.kernel.fetchrow(ALL)
        for plan in (stand.plan(sql) for sql in (ALL, JOBS, PRICE, LOG)):
            plan.cost.value = 0.001
        before = {name: stand[name] for name in ("hits", "misses", "joined")}
        if how == "clear":
            cache_of(stand).clear()
        else:
            await stand.kernel.execute(FLUSH)
        await warmed(stand, 3)
        assert again(stand) == [(PRICE, (2,), 0), (ALL, (), 1), (PRICE, (1,), 0)]
        assert {name: stand[name] for name in before} == before, "nobody asked for it"
        ran = len(stand.gate.seen)
        await stand.fresh(PRICE, 3)
        await read(stand, PRICE, 1)
        await read(stand, PRICE, 2)
        await stand.kernel.fetchrow(ALL)
        assert len(stand.gate.seen) == ran + 1, "the others are kept"
        assert stand["hits"] == before["hits"] + 3


async def test_a_schema_change_warms_nothing(dsn: str) -> None:
    """Whoever makes one holds locks, and more may come. What was known before it is not forgotten."""
    async with shop(dsn) as stand:
        await until_idle(stand)
        await read(stand, PRICE, 1, times=3)
        await stand.kernel.execute("create table other()")
        assert not cache_of(stand)._warming._woken.is_set()
        cache_of(stand).clear()
        await warmed(stand, 1)
        assert again(stand) == [(PRICE, (1,), 0)]


async def test_many_flushes_are_one_round(dsn: str) -> None:
    async with shop(dsn) as stand:
        await read(stand, PRICE, 1, times=3)
        for _ in range(20):
            cache_of(stand).clear()
        await until(lambda: true(stand["warm_rounds"] == 1))
        await until_idle(stand)
        assert (stand["warmed"], len(again(stand))) == (1, 1)


async def test_only_so_many_at_a_time(dsn: str) -> None:
    async with shop(dsn, warm_concurrency=2) as stand:
        for number in range(5):
            await read(stand, PRICE, number, times=2)
        stops = [stand.gate.stop(PRICE) for _ in range(5)]
        cache_of(stand).clear()
        for number, stop in enumerate(stops):
            with anyio.fail_after(10):
                await stop.reached.wait()
            if number:
                assert len(again(stand)) == number + 1, "the next one begins when one has ended"
                stops[number - 1].go.set()
        stops[-1].go.set()
        await warmed(stand, 5)


async def test_off(dsn: str) -> None:
    async with shop(dsn, warm=0) as stand:
        await read(stand, PRICE, 1, times=3)
        cache_of(stand).clear()
        assert cache_of(stand)._warming._favourites.top() == []
        await read(stand, PRICE, 1)
        assert again(stand) == []


async def test_redis_was_in_doubt(dsn: str, servers: Servers) -> None:
    """It has lost everything, so all answers go, and come back once this process may serve them."""
    url = await servers.redis()
    async with two(dsn, cache=shared(url, l2=False)) as stand:
        await stand.awake()
        await read(stand, PRICE, 1, times=30)
        async with redis.asyncio.from_url(url) as client:
            await client.flushall()

        async def back() -> bool:
            return (PRICE, (1,), 0) in again(stand)

        await until(back)
        await stand.awake()
        await stand.fresh(PRICE, 1)


# -- the ordinary way ---------------------------------------------------------------------------------


async def test_who_asks_meanwhile_joins(dsn: str) -> None:
    async with shop(dsn) as stand:
        await read(stand, PRICE, 1, times=3)
        stop = stand.gate.stop(PRICE)
        cache_of(stand).clear()
        await stop.reached.wait()
        before = stand.ran(PRICE)
        reader = asyncio.create_task(stand.kernel.fetch(PRICE, 1))
        await asyncio.sleep(0)
        stop.go.set()
        assert (await reader)[0]["price"] == Decimal("1.50")
        assert (stand["joined"], stand.ran(PRICE)) == (1, before)


async def test_a_write_comes_first(dsn: str) -> None:
    """What was read before it is not kept."""
    async with shop(dsn) as stand:
        await read(stand, PRICE, 1, times=3)
        stop = stand.gate.stop(PRICE, after=True)
        cache_of(stand).clear()
        await stop.reached.wait()
        await stand.kernel.execute(RAISE, 1)
        stop.go.set()
        await warmed(stand, 1)
        assert (stand["overtaken"], stand["entries"]) == (1, 0)
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")


async def test_what_somebody_has_read_is_not_read_again(dsn: str) -> None:
    async with shop(dsn, warm_concurrency=1) as stand:
        await read(stand, PRICE, 1, times=3)
        await read(stand, PRICE, 2, times=2)
        stop = stand.gate.stop(PRICE)
        cache_of(stand).clear()
        await stop.reached.wait()
        await read(stand, PRICE, 2)
        stop.go.set()
        await until(lambda: true(stand["warm_rounds"] == 1))
        assert again(stand) == [(PRICE, (1,), 0)]
        assert (stand["warmed"], stand["hits"]) == (1, 3)


async def test_a_read_fails(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    """The others are read, and no value is told."""
    async with shop(dsn, warm_concurrency=1) as stand:
        await stand.other.execute("create table word as select '1' as t")
        word = "select t::int from word"
        await read(stand, word, times=9)
        await read(stand, PRICE, 1, times=2)
        await stand.other.execute("update word set t = 'geheim'")
        cache_of(stand).clear()

        async def failed() -> bool:
            return stand["warm_failed"] == 1 and stand["warmed"] == 1

        await until(failed)
        assert "geheim" not in caplog.text
        assert "warming a read failed: InvalidTextRepresentationError" in caplog.text


async def test_it_ends_with_the_cache(dsn: str) -> None:
    async with shop(dsn) as stand:
        await read(stand, PRICE, 1, times=3)
        stop = stand.gate.stop(PRICE)
        cache_of(stand).clear()
        await stop.reached.wait()
        stand.hurry()
        with anyio.fail_after(10):
            await stand.kernel.disable("cache")
        assert stand.kernel.plugin_stats("pool")["lent"] == 0
        assert len(again(stand)) == 1


@pytest.mark.parametrize(
    "sql", ["delete from material", "select setval('log_id_seq', 99)", "select id from material for update"]
)
async def test_nothing_else_than_a_cacheable_read_is_run(dsn: str, sql: str) -> None:
    async with shop(dsn) as stand:
        assert (await stand.kernel.run(Again(sql, origin="cache"))).records == ()
        assert stand.ran(sql, origin="cache") == 0


# -- from one instance to the next --------------------------------------------------------------------


async def test_a_new_instance_goes_on(dsn: str, tmp_path: Path) -> None:
    """A reload starts it before the old one stops."""
    calls: list[str] = []

    async def domain() -> None:
        calls.append("domain")

    base: dict[str, Any] = {"pool": {"url": dsn}, "cache": {"on": True}}
    async with Kernel.from_settings(tmp_path, overrides=base) as kernel:
        await kernel.execute("create table thing as select 7 as id")
        take_back = kernel.find_capability("cache").warm_with("domain", domain)
        await until(lambda: true(calls == ["domain"]))
        for _ in range(5):
            await kernel.fetchval("select id from thing where id = $1", 7)
        await kernel.reload({**base, "cache": {"on": True, "ttl": 59}})
        await until(lambda: true(kernel.plugin_stats("cache")["warmed"] == 1 and calls == ["domain"] * 2))
        assert await kernel.fetchval("select id from thing where id = $1", 7) == 7
        stats = kernel.plugin_stats("cache")
        assert (stats["hits"], stats["misses"]) == (1, 0)
        take_back()
        kernel.find_capability("cache").clear()
        await until(lambda: true(kernel.plugin_stats("cache")["warmed"] == 2))
        assert calls == ["domain"] * 2


# -- what a domain plugin adds ------------------------------------------------------------------------


async def test_a_domain_plugin_warms_its_own(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[str] = []

    async with shop(dsn) as stand:

        async def catalogue() -> None:
            calls.append("catalogue")
            await stand.kernel.fetch(ALL)

        async def broken() -> None:
            calls.append("broken")
            raise ValueError("geheim")

        cache = cache_of(stand)
        cache.warm_with("broken", broken)
        cache.warm_with("catalogue", broken)
        take_back = cache.warm_with("catalogue", catalogue)
        await until(lambda: true(sorted(calls) == ["broken", "catalogue"]))
        await until(lambda: true(stand.ran(ALL) == 1))
        await stand.kernel.execute(FLUSH)
        await until(lambda: true(sorted(calls) == ["broken"] * 2 + ["catalogue"] * 2))
        await until_idle(stand)
        take_back()
        cache.clear()
        await until(lambda: true(calls.count("broken") == 3))
        await until_idle(stand)
        assert calls.count("catalogue") == 2
        assert "warming broken failed: ValueError" in caplog.text
        assert "geheim" not in caplog.text
        assert stand.kernel.plugins()[0]["faults"] == 0


async def test_a_domain_plugin_that_never_comes_back(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    entered = anyio.Event()

    async def endless() -> None:
        entered.set()
        await anyio.sleep_forever()

    async with shop(dsn) as stand:
        cache_of(stand).warm_with("endless", endless)
        await entered.wait()
        with anyio.fail_after(10):
            await stand.kernel.disable("cache")
        assert stand.kernel.plugins()[0]["state"] == "stopped"
    assert not caplog.records


async def test_a_domain_plugin_that_is_cancelled_itself(dsn: str) -> None:
    async with shop(dsn) as stand:
        calls: list[int] = []

        async def cancelled() -> None:
            calls.append(1)
            raise asyncio.CancelledError

        cache_of(stand).warm_with("cancelled", cancelled)
        await until(lambda: true(len(calls) == 1))
        await read(stand, PRICE, 1, times=3)
        cache_of(stand)._warming._added.clear()
        cache_of(stand).clear()
        await warmed(stand, 1)
        assert stand.kernel.plugins()[0]["state"] == "active"


async def true(value: bool) -> bool:
    return value


async def until_idle(stand: Stand) -> None:
    """No round is due."""

    async def idle() -> bool:
        own = cache_of(stand)._warming
        return not (own._woken.is_set() or own._list_due or own._due)

    await until(idle)
