"""What this plugin does, on a real kernel."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin

from galvo_tagger import TaggerPlugin, tagged

pytestmark = pytest.mark.anyio
SEEN = "select query from pg_stat_activity where pid = pg_backend_pid()"
TRACE = "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2"


def kernel_of(dsn: str, settings: Mapping[str, Any] | None = None) -> Kernel:
    return Kernel.of({CachePlugin: {}, TaggerPlugin: settings or {}, PoolPlugin: {"url": dsn}})


async def test_the_server_sees_who_asks(dsn: str) -> None:
    async with kernel_of(dsn, {"application": "shop"}) as kernel:
        with tagged(route="/jobs/{id}", traceparent=f"{TRACE}-01"):
            sent = f"{SEEN} /*application='shop',route='%2Fjobs%2F%7Bid%7D',traceparent='{TRACE}-01'*/"
            assert await kernel.fetchval(SEEN) == sent
            assert (await kernel.explain(SEEN))["tagger"] == {"sent": sent}
            async with kernel.transaction() as session:
                assert await session.fetchval(SEEN) == sent
        assert await kernel.fetchval(SEEN) == f"{SEEN} /*application='shop'*/"


async def test_each_task_has_its_own_tags(dsn: str) -> None:
    async with kernel_of(dsn) as kernel:

        async def ask(route: str) -> str:
            with tagged(route=route):
                return str(await kernel.fetchval(SEEN))

        routes = [f"r{number}" for number in range(20)]
        assert await asyncio.gather(*map(ask, routes)) == [f"{SEEN} /*route='{route}'*/" for route in routes]


async def test_arguments_are_not_in_the_text_nor_are_tags_that_nobody_allowed(dsn: str) -> None:
    async with kernel_of(dsn) as kernel:
        with tagged(route="/jobs", customer="4711"):
            sent = await kernel.fetchval(f"{SEEN} and $1::text is not null", "hunter2")
        assert sent == f"{SEEN} and $1::text is not null /*route='%2Fjobs'*/"


async def test_a_trace_that_nobody_records_leaves_the_text_as_it_is(dsn: str) -> None:
    async with kernel_of(dsn) as kernel:
        with tagged(traceparent=f"{TRACE}-00", tracestate="a=b"):
            assert await kernel.fetchval(SEEN) == SEEN


async def test_a_statement_with_a_comment_is_left_alone(dsn: str) -> None:
    async with kernel_of(dsn) as kernel:
        with tagged(route="/jobs"):
            for sql in (f"{SEEN} /* mine */", f"{SEEN} -- mine"):
                assert await kernel.fetchval(sql) == sql


async def test_the_cache_answers_whatever_the_tags(dsn: str) -> None:
    """And so it does when the plugin is listed outside of it: the cache's keys have no comments."""
    plugins: list[tuple[Any, Mapping[str, Any]]] = [(CachePlugin, {}), (TaggerPlugin, {})]
    for order in (plugins, plugins[::-1]):
        async with Kernel.of({**dict(order), PoolPlugin: {"url": dsn}}) as kernel:
            for route in ("/a", "/b", "/c"):
                with tagged(route=route, traceparent=f"{TRACE}-01"):
                    assert await kernel.fetchval("select 6 * 7") == 42
            assert kernel.plugin_stats("cache")["hits"] == 2
            assert kernel.plugin_stats("tagger")["tagged"] == (1 if order is plugins else 3)


async def test_all_kinds_of_queries_are_answered(dsn: str) -> None:
    async with kernel_of(dsn) as kernel:
        with tagged(route="/jobs"):
            async with kernel.acquire() as session:
                await session.execute("create temp table t (n int); insert into t values (1);")
                await session.executemany("insert into t values ($1)", [(2,), (3,)])
                assert await session.fetchval("select sum(n) from t;") == 6

            async def load() -> int:
                return 7

            assert await kernel.cached("key", load) == 7
        assert kernel.plugin_stats("tagger")["tagged"] == 3
