"""What runs during a flight asks the database, too: it joins other flights, and never waits for what waits for it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import anyio
import pytest

from galvo import GalvoError, Query, Rows
from tests.plugins.cache.loading import LoaderPlugin, again, loader
from tests.plugins.cache.stand import ALL, JOBS, LOG, PRICE, standing

pytestmark = pytest.mark.anyio


async def test_a_loader_asks_through_its_context(dsn: str) -> None:
    async with standing(dsn, more=(LoaderPlugin,)) as stand:
        with anyio.fail_after(30):
            loader(stand).ask = again(stand)
            assert await stand.kernel.fetchval(LOG, timeout=20) == 0
            assert (loader(stand).asked, stand.ran(LOG, origin="loader")) == ([LOG], 1)

            loader(stand).ask = again(stand, ALL)  # which the loader is asked for, too
            assert await stand.kernel.fetchval(JOBS) == 1, "what the loader says"
            assert loader(stand).asked == [LOG, JOBS, ALL]
        loader(stand).ask = None
        assert [await stand.hits(sql) for sql in (LOG, JOBS, ALL)] == [False, False, False], "of all rows"
        assert [await stand.kernel.fetchval(sql) for sql in (LOG, JOBS, ALL)] == [0, 1, 1]
        assert [stand.ran(sql) for sql in (LOG, JOBS, ALL)] == [1, 1, 1], "they are kept"
        assert {plugin["faults"] for plugin in stand.kernel.plugins()} == {0}


async def test_two_loaders_that_ask_for_each_others(dsn: str) -> None:
    async with standing(dsn, more=(LoaderPlugin,)) as stand:
        both = anyio.Event()

        async def ask(query: Query) -> Rows | None:
            if query.origin:
                return None
            if len(loader(stand).asked) == 2:
                both.set()
            await both.wait()
            return await again(stand, LOG if query.sql == JOBS else JOBS)(query)

        loader(stand).ask = ask
        with anyio.fail_after(10):
            answers = await asyncio.gather(stand.kernel.fetchval(LOG), stand.kernel.fetchval(JOBS))
        assert answers in ([0, 0], [5, 5]), "one of them had to read for itself"
        assert stand["joined"] == 1


async def test_what_is_inside_of_the_cache_asks_through_it(dsn: str) -> None:
    async with standing(dsn, more=(LoaderPlugin,)) as stand:
        loader(stand).within = again(stand, LOG)
        with anyio.fail_after(10):
            assert await stand.kernel.fetchval(LOG) == 0
            assert await stand.kernel.fetchval(JOBS) == 5


async def test_a_slow_loader_keeps_the_time_of_each(dsn: str) -> None:
    async with standing(dsn, more=(LoaderPlugin,)) as stand:
        ends = anyio.Event()
        cancelled: list[str] = []

        async def ask(query: Query) -> Rows | None:
            try:
                await ends.wait()
            except BaseException:
                cancelled.append(query.sql)
                raise
            return None

        loader(stand).ask = ask
        patient = asyncio.create_task(stand.kernel.fetchval(LOG))
        await asyncio.sleep(0)
        with anyio.fail_after(10):
            for sql in (LOG, JOBS):  # the first joins
                with pytest.raises(TimeoutError):
                    await stand.kernel.fetchval(sql, timeout=0.05)
        assert cancelled == [JOBS]
        ends.set()
        assert await patient == 0
        assert await stand.kernel.fetchval(JOBS, timeout=30) == 5
        seen = [query.timeout for query in stand.gate.seen if query.sql == JOBS]
        assert [timeout is not None and timeout < 30 for timeout in seen] == [True], "what the loader has left of it"
        assert [plugin["faults"] for plugin in stand.kernel.plugins()] == [0] * 4


async def test_a_value_that_needs_itself_says_so(dsn: str) -> None:
    async with standing(dsn) as stand:
        needs = {"one": "one", "two": "three", "three": "two"}

        async def value(name: str) -> Any:
            async def load() -> Any:
                await stand.kernel.fetchval(PRICE, 1)
                return await value(needs[name])

            return await stand.kernel.cached(name, load, depends_on=["material"])

        with anyio.fail_after(20):
            for name in needs:
                with pytest.raises(GalvoError, match=rf"computing the value '{name}' asks for that value itself"):
                    await value(name)
            ends = await asyncio.gather(value("two"), value("three"), return_exceptions=True)
        assert {type(error) for error in ends} == {GalvoError}
        assert {plugin["faults"] for plugin in stand.kernel.plugins()} == {0}
        assert not stand.kernel.find_capability("cache")._known_value(("material",)).flights


async def test_values_share_what_they_need(dsn: str) -> None:
    """A wait within a flight is a wait like any other, if it can end."""
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 9)
        stop = stand.gate.stop(PRICE)

        async def load() -> Decimal:
            return await stand.kernel.fetchval(PRICE, 1)

        async def nested() -> Decimal:
            return await stand.kernel.cached("inner", load, depends_on=["material"])

        before = stand.ran(PRICE)
        tasks = [
            asyncio.create_task(stand.kernel.cached(f"v{n}", load if n % 2 else nested, depends_on=["material"]))
            for n in range(10)
        ]
        await stop.reached.wait()
        with anyio.fail_after(10):
            stop.go.set()
            assert await asyncio.gather(*tasks) == [Decimal("1.50")] * 10
        assert stand.ran(PRICE) == before + 1
