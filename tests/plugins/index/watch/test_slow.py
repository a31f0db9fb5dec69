"""A slow statement is told, and its plan is looked at, without harm to anybody."""

from __future__ import annotations

import json
import logging
from typing import Any

import anyio
import asyncpg
import pytest

from galvo_index import IndexPlugin
from tests.plugins.index.watch.stand import until, watching

pytestmark = pytest.mark.anyio
EVERYTHING = 1e-9
"""Seconds: every statement is slow."""


async def event(index: IndexPlugin, part: str) -> dict[str, Any]:
    """The slow run of a statement that contains `part`."""
    found: dict[str, Any] = await until(lambda: next((one for one in index.slow() if part in one["statement"]), None))
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events as fast as they come; the pace has a test of its own."""
    monkeypatch.setattr("galvo_index.watch.slow.PACE", 0.0)


async def test_it_is_told_with_its_plan_and_without_values(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    async with watching(dsn, slow=EVERYTHING) as (kernel, index):
        with caplog.at_level(logging.WARNING, "galvo.index"):
            await kernel.fetch("select * from big where kind = $1 and note <> 'secret'", 7)
            found = await event(index, "from big")
            await kernel.fetch("select * from big where note like 'hush%' or id = 4711")
            await event(index, "like")
        assert found["plan"].startswith("its plan costs")
        (finding,) = found["findings"]
        assert (finding["rule"], finding["subject"]) == ("sequential-scan", "public.big")
        assert finding["sql"].startswith("create index concurrently galvo_")
        assert finding in [json.loads(json.dumps(one)) for one in map(_plain, index.findings())]
        told = caplog.text + json.dumps(index.slow()) + json.dumps(index.top()) + repr(index.findings())
        told += json.dumps(await kernel.explain("select * from big where kind = $1 and note <> 'secret'"))
        assert not any(value in told for value in ("secret", "hush", "4711", " 7)", "= 7"))
        assert kernel.plugin_stats("index")["plans"] >= 2


def _plain(finding: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(finding)


async def test_arguments_are_shown_when_the_settings_say_so(dsn: str) -> None:
    async with watching(dsn, slow=EVERYTHING, show_arguments=True) as (kernel, index):
        await kernel.fetch("select * from big where kind = $1 and note <> 'open'", 7)
        assert "note <> 'open' with (7,)" in (await event(index, "from big"))["statement"]


async def test_a_statement_that_fails_slowly_is_told(dsn: str) -> None:
    async with watching(dsn, slow=0.05) as (kernel, index):
        with pytest.raises(TimeoutError):
            await kernel.fetch("select pg_sleep(20)", timeout=0.1)
        assert (await event(index, "pg_sleep"))["error"] == "TimeoutError"


async def test_what_a_statement_would_do_is_not_done(dsn: str) -> None:
    """Neither by EXPLAIN itself, nor by functions that PostgreSQL runs while it plans."""
    async with watching(dsn, slow=EVERYTHING) as (kernel, index):
        await kernel.execute("""create table ran(n int); create sequence s;
            create function nosy() returns int language plpgsql immutable as $$
            begin perform pg_advisory_lock(4711); return 1; end $$""")
        await kernel.execute("insert into ran values (nextval('s'))")
        assert (await event(index, "into ran"))["plan"].startswith("its plan costs")
        await kernel.fetch("select * from big where id = nosy()")
        assert "function nosy" in (await event(index, "id = nosy"))["plan"]
        await kernel.execute("create table later as select 1 as a")
        assert "only a single SELECT" in (await event(index, "later"))["plan"]
        assert await kernel.fetchval("select count(*) from ran") == 1
        assert await kernel.fetchval("select last_value from s") == 1


async def test_a_session_s_names_are_its_own(dsn: str) -> None:
    """The plan is of the table that the session meant; when that is not known there is none."""
    async with watching(dsn, slow=EVERYTHING) as (kernel, index):
        await kernel.execute("create schema other; create table other.big as select 1 as id from generate_series(1, 9)")
        async with kernel.acquire() as session:
            await session.execute("set search_path = other")
            await session.fetch("select id as mine from big")
            assert (await event(index, "mine"))["plan"] == "its plan costs 36, 0 findings"
            await session.execute("reset search_path")
            await session.fetch("select id as theirs from big")
            found = await event(index, "theirs")
            assert found["plan"] != "its plan costs 36, 0 findings"
            assert found["plan"].startswith("its plan costs")
            async with session.transaction():
                await session.execute("set local search_path = other")
                await session.fetch("select id as local from big")
            assert (await event(index, "local from"))["plan"] == "its plan costs 36, 0 findings"
            await session.fetch("select id as global from big")
            assert (await event(index, "global"))["plan"] == found["plan"]
            await session.execute("select set_config('search_path', 'other', false)")
            await session.fetch("select id as hidden from big")
            assert (await event(index, "hidden"))[
                "plan"
            ] == "no plan: the session ran what may have changed its settings"
        async with kernel.transaction() as session:
            await session.execute("create temp table big(id int, own int)")
            await session.fetch("select own from big")
            assert "temporary table" in (await event(index, "own from"))["plan"]


async def test_a_locked_table_is_not_waited_for(dsn: str) -> None:
    async with watching(dsn, slow=EVERYTHING) as (kernel, index), kernel.transaction() as session:
        await session.execute("lock table big")
        await session.fetch("select count(*) as locked from big")
        assert (await event(index, "locked"))["plan"] == "no plan: somebody has locked a table"


async def test_nobody_waits_and_a_flood_is_bounded(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the watch cannot get a connection, queries go on; the queue has an end."""
    async with watching(dsn, slow=EVERYTHING) as (kernel, index):
        stuck = anyio.Event()

        async def connect() -> asyncpg.Connection:
            await stuck.wait()
            raise OSError

        monkeypatch.setattr(index._watch.slow, "_connect", connect)
        for number in range(100):
            await kernel.fetch(f"select {number} as c{number}")
        stats = kernel.plugin_stats("index")
        assert stats["slow"] >= 100
        assert stats["events_left_out"] >= 80
        stuck.set()
        await until(lambda: any("no connection" in one["plan"] for one in index.slow()))
        assert await kernel.fetchval("select 1") == 1


async def test_one_statement_s_plan_is_looked_at_now_and_then(dsn: str) -> None:
    async with watching(dsn, slow=EVERYTHING) as (kernel, index):
        sql = "select count(*) as often from big"
        await kernel.fetch(sql)
        await event(index, "often")
        plans = kernel.plugin_stats("index")["plans"]
        for _ in range(3):
            await kernel.fetch(sql)
        await until(lambda: any("a short time ago" in one["plan"] for one in index.slow()))
        assert sum("often" in one["statement"] and "costs" in one["plan"] for one in index.slow()) == 1
        assert kernel.plugin_stats("index")["plans"] == plans
        index._watch.statements.find(sql).plan = (float("-inf"), *index._watch.statements.find(sql).plan[1:])
        await kernel.fetch(sql)
        await until(lambda: any("same as before" in one["plan"] for one in index.slow()))


async def test_the_server_s_own_count_is_beside(debian_dsn: str) -> None:
    async with watching(debian_dsn, slow=EVERYTHING) as (kernel, index):
        await kernel.execute("create extension pg_stat_statements")
        await kernel.fetch("select count(*) as counted from big where id > $1", 5)
        found = await event(index, "counted")
        assert found["server"]["calls"] == 1
        assert found["server"]["hit"] > 100
