"""15 and 16: what a name means."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.plugins.cache.situations.situation import connected, two
from tests.plugins.cache.stand import RAISE

pytestmark = pytest.mark.anyio


ELSEWHERE = """
create schema elsewhere; create table elsewhere.material(id int primary key, price numeric);
insert into elsewhere.material values (1, 100);
"""
PATH = "set search_path = elsewhere, public"
PRICES = "select price from material where id = 1"


async def test_15_one_text_two_tables(dsn: str) -> None:
    """search_path: the same text in two sessions means two tables; writes reach the one that is meant."""
    async with two(dsn, ELSEWHERE) as s:
        assert await s.kept(PRICES) == [(Decimal("1.50"),)]
        async with s.session(PATH, fresh=True) as pair:
            assert await pair.right(PRICES) == [(Decimal(100),)]
            await s.kept(PRICES)
            qualified = "select price from elsewhere.material where id = 1"
            await s.kept(qualified)
            await pair.session.execute(RAISE, 1)
            await s.right(qualified)
            assert await pair.right(PRICES) == [(Decimal(101),)]
        assert await s.kept(PRICES) == [(Decimal("1.50"),)]


async def test_15_each_search_path_has_its_answers(dsn: str) -> None:
    """Two sessions with two paths both hit, and neither gets what is the other's."""
    async with two(dsn, ELSEWHERE) as s:
        await s.kept(PRICES)
        async with s.session(PATH, fresh=True) as pair:
            await pair.kept(PRICES)
            await s.still_kept(PRICES)
            await pair.session.execute(RAISE, 1)
            await pair.kept(PRICES)
        await s.still_kept(PRICES)


@pytest.mark.parametrize(
    "ddl",
    [
        "create table postgres.material as select 1 as id, 9::numeric as price",
        "create view postgres.material as select 1 as id, 9::numeric as price",
        "alter table elsewhere.material set schema postgres",
        "do $$ begin create table postgres.material as select 1 as id, 9::numeric as price; end $$",
        "begin; create table postgres.material as select 1 as id, 9::numeric as price; commit",
    ],
)
async def test_15_a_new_table_earlier_in_the_path(dsn: str, ddl: str) -> None:
    """It takes the name over."""
    async with two(dsn, ELSEWHERE + "create schema postgres;") as s:
        await s.kept(PRICES)
        await s.write(ddl)
        await s.reconnect()  # what a connection has prepared keeps its meaning, in PostgreSQL itself
        async with connected(dsn) as s.other:
            assert await s.right(PRICES) in ([(9,)], [(100,)])
        await s.write("drop schema postgres cascade")
        async with connected(dsn) as s.other:
            await s.kept(PRICES)


async def test_15_a_schema_renamed_into_the_path(dsn: str) -> None:
    """ "$user" names it now."""
    async with two(dsn, ELSEWHERE) as s:
        await s.kept(PRICES)
        await s.write("alter schema elsewhere rename to postgres")
        await s.reconnect()
        async with connected(dsn) as s.other:
            assert await s.right(PRICES) == [(100,)]


async def test_15_connections_with_different_paths(dsn: str) -> None:
    """Two kernels on one database, each with a path of its own."""
    async with two(dsn, ELSEWHERE) as s:
        async with two(dsn, schema=None, server_settings={"search_path": "elsewhere, public"}) as t:
            assert await s.kept(PRICES) == [(Decimal("1.50"),)]
            assert await t.kept(PRICES) == [(100,)]
            await t.kernel.execute(RAISE, 1)
            assert await t.kept(PRICES) == [(101,)]
            assert await t.kept("select m.id from material m join job on m.id = job.id") == [(1,)]
        await s.still_kept(PRICES)


TEMP = "create temp table material as select 1 as id, 7::numeric as price"


async def test_16_a_temporary_table_shadows(dsn: str) -> None:
    """pg_temp comes first, even when it is not in the path; others see the permanent table."""
    async with two(dsn, min_size=2) as s:
        await s.kept(PRICES)
        async with s.session(TEMP) as one, s.session(TEMP) as two_:
            await one.both("update material set price = 8")
            assert await one.right(PRICES) == [(8,)]
            assert await two_.right(PRICES) == [(7,)]
            assert await s.kept(PRICES) == [(Decimal("1.50"),)]
            await s.write(RAISE, 1)
            assert await s.kept(PRICES) == [(Decimal("2.50"),)]
            for _ in range(2):
                await one.both("update material set price = price + 1")
                await one.right(PRICES)
            await one.both("drop table material")
            assert await one.right(PRICES) == [(Decimal("2.50"),)]
            await two_.both("discard temp")
            assert await two_.right(PRICES) == [(Decimal("2.50"),)]
        assert await s.kept(PRICES) == [(Decimal("2.50"),)]


@pytest.mark.parametrize(
    "made",
    [
        "create temporary table material (like public.material)",
        "create table pg_temp.material (like public.material)",
        "select * into temp material from public.material where id = 2",
        "create temp view material as select 1 as id, 3::numeric as price",
        "do $$ begin create temp table material as select 1 as id, 4::numeric as price; end $$",
        "create temp table material on commit drop as select 1 as id, 5::numeric as price",
    ],
)
async def test_16_however_it_is_made(dsn: str, made: str) -> None:
    """In a transaction or not, rolled back or not."""
    async with two(dsn) as s:
        await s.kept(PRICES)
        async with s.session(fresh=True) as pair:
            for sql in ("begin", made):
                await pair.both(sql)
            await pair.right(PRICES)
            await s.kept(PRICES)
            for sql in ("rollback", made):
                await pair.both(sql)
            await pair.right(PRICES)
            await pair.session.execute("insert into public.material values (8, 'm8', 8, '{}')")
            await s.kept("select count(*) from material")
        await s.kept(PRICES)
