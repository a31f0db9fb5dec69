"""Code of the user in sessions: what was declared of it holds in the usual state only; settings it changes count."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.cache.situations.situation import VISITS, Situation, two
from tests.plugins.cache.stand import ALL

pytestmark = pytest.mark.anyio

AT = "select at::text from visit"
SINCE = "select id from visit where at > '2026-03-29 03:00:00'"
"""Its literal means another moment in another time zone."""
TOKYO = "set_config('TimeZone', 'Asia/Tokyo', false)"

# -- what is declared of functions -------------------------------------------------------------------

RATES = """
create schema other;
create table rate(r int); insert into rate values (1);
create table other.rate(r int); insert into other.rate values (1);
create table other.log(line text);
"""
AUDIT = "create function audit() returns {} language plpgsql as $$begin {} return null; end$$;"
LINE = "insert into log(line) values ('x');"
ON_JOB = "create trigger t after insert on job for each row execute function audit();"
TAX = "create function tax() returns int language plpgsql stable as $$begin return {}; end$$;"
EFFECTS: dict[str, Any] = {"effects": {"audit": ["public.log"]}}
READS: dict[str, Any] = {"reads": {"tax": ["public.rate"]}}


@pytest.mark.parametrize(
    "setup, write",
    [
        (AUDIT.format("int", LINE), "select audit()"),
        (AUDIT.format("trigger", LINE) + ON_JOB, "insert into job values (7, 1)"),
    ],
    ids=["called", "triggered"],
)
async def test_a_declared_effect_under_another_path(dsn: str, setup: str, write: str) -> None:
    """The body's names are the session's."""
    async with two(dsn, RATES + setup, cache=EFFECTS) as s:
        lines = "select count(*) from other.log"
        await s.kept(lines)
        async with s.session("set search_path = other, public") as pair:
            await pair.right("select * from rate")
            await pair.session.execute(write)
        assert await s.right(lines) == [(1,)]


async def test_a_declared_effect_in_the_usual_path(dsn: str) -> None:
    """It is believed there, in a session, too."""
    async with two(dsn, AUDIT.format("int", LINE), cache=EFFECTS) as s:
        await s.kept(ALL)
        async with s.session() as pair:
            await pair.kept(ALL)
            await pair.session.execute("select audit()")
            assert await s.fresh("select count(*) from log") == 1
        await s.still_kept(ALL)


async def test_a_declared_read_under_another_path(dsn: str) -> None:
    async with two(dsn, RATES + TAX.format("(select r from rate)"), cache=READS) as s:
        await s.kept("select tax()")
        async with s.session("set search_path = other, public") as pair:
            await pair.right("select tax()")
            await s.write("update other.rate set r = 5")
            assert await pair.right("select tax()") == [(5,)]
        await s.kept("select tax()")


@pytest.mark.parametrize("asked", ["select tax()", "select * from taxes", "select id from material where tax() > 15"])
async def test_a_declared_read_of_a_setting(dsn: str, asked: str) -> None:
    """`reads` says nothing of the settings a function asks for, so two tenants share nothing."""
    body = "(select r from rate) + coalesce(nullif(current_setting('app.tenant', true), ''), '0')::int"
    setup = RATES + TAX.format(body) + "create view taxes as select tax() as t;"
    async with two(dsn, setup, cache=READS, min_size=2) as s:
        await s.kept(asked)
        async with s.session("set app.tenant = '10'") as a, s.session("set app.tenant = '20'") as b:
            for _ in range(2):
                await a.right(asked)
                await b.right(asked)
            await a.kept(ALL)
        async with s.session("select 1") as pair:
            await pair.kept(asked)


@pytest.mark.parametrize(
    "setup, write",
    [
        (AUDIT.format("int", f"perform {TOKYO};"), "select audit()"),
        (AUDIT.format("trigger", f"perform {TOKYO};") + ON_JOB, "insert into job values ($1, 1)"),
        (AUDIT.format("int", "create temp table visit as select date '2026-01-01' as at;"), "select audit()"),
    ],
    ids=["called", "triggered", "a temporary table"],
)
async def test_a_declared_effect_on_the_session(dsn: str, setup: str, write: str) -> None:
    """What is declared is tables; the session's state is asked for."""
    async with two(dsn, VISITS + setup, cache=EFFECTS) as s, s.session() as pair:
        await pair.right(AT)
        await pair.session.fetch(write, *([7] if "$1" in write else []))
        await pair.twin.fetch(write, *([8] if "$1" in write else []))
        await pair.right("select count(*) from visit")
        await pair.right(AT.replace("at::text", "at::text as x"))
        await pair.right(AT)


# -- what is prepared --------------------------------------------------------------------------------

LOCAL = "create function f() returns void language plpgsql as $$begin set {} timezone = 'Asia/Tokyo'; end$$;"


async def poisoned(s: Situation, orders: tuple[str, ...]) -> None:
    """In one session on the pool's only connection, then read without one."""
    async with s.session() as pair:
        for order in orders:
            if order == SINCE:
                await pair.session.fetch(SINCE)
            else:
                await pair.both(order)
        if not pair.session.in_transaction:
            await pair.right(SINCE)
    await s.right(SINCE)


@pytest.mark.parametrize(
    "orders",
    [
        ("set timezone = 'Asia/Tokyo'", "begin", SINCE),
        ("begin", "select f()", SINCE),
        ("begin", "select f()", SINCE, "rollback"),
        ("select 1", "begin", "select f()", SINCE, "commit"),
        ("select f()", "begin", SINCE, "rollback"),
        (SINCE, "select f()", SINCE),
    ],
    ids=["set first", "a function", "rolled back", "committed", "a function first", "without a transaction"],
)
@pytest.mark.parametrize("local", ["", "local"])
async def test_what_was_prepared_in_tokyo(dsn: str, orders: tuple[str, ...], local: str) -> None:
    """Its literals must not be read so by whoever comes next."""
    async with two(dsn, VISITS + LOCAL.format(local), max_size=1) as s:
        await poisoned(s, orders)


async def test_what_was_prepared_while_the_cache_was_off(dsn: str) -> None:
    async with two(dsn, VISITS, max_size=1) as s:
        async with s.kernel.acquire() as session:
            await session.fetch("select 1")
            s.hurry()
            await s.kernel.disable("cache")
            await session.execute("set timezone = 'Asia/Tokyo'")
            await s.kernel.enable("cache")
            async with session.transaction():
                await session.fetch(SINCE)
        await s.right(SINCE)
