"""Reads before BEGIN: which are answered by the chain, what reaches the server, and that nobody can tell otherwise."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.orm import selectinload

from tests.plugins.sqlalchemy.world import Item, Shop, World, world

pytestmark = pytest.mark.anyio
BY_NAME = select(Shop).options(selectinload(Shop.items)).order_by(Shop.name)


async def stocked(one: World) -> None:
    async with one.session() as session:
        session.add(Shop(name="north", items=[Item(name="oak", stock=3), Item(name="elm")]))
        session.add(Shop(name="south"))
        await session.commit()
    one.sent()


async def shown(one: World) -> list[tuple[str, list[tuple[str, int]]]]:
    async with one.session() as session:
        shops = (await session.scalars(BY_NAME)).all()
        return [(shop.name, [(item.name, item.stock) for item in shop.items]) for shop in shops]


async def test_orm_reads_are_hits_and_orm_writes_are_seen_at_once(dsn: str) -> None:
    async with world(dsn) as one:
        await stocked(one)
        expected = [("north", [("oak", 3), ("elm", 0)]), ("south", [])]
        assert await shown(one) == expected
        assert one.sent() == ["SELECT", "SELECT"]  # of shops and of items; no BEGIN, no ROLLBACK
        before = one.hits
        assert [await shown(one) for _ in range(3)] == [expected] * 3
        assert (one.sent(), one.hits - before) == ([], 6)

        async with one.session() as session:
            oak = await session.scalar(select(Item).where(Item.name == "oak"))
            assert oak is not None
            oak.stock += 4
            await session.flush()
            assert one.sent() == ["SELECT", "BEGIN", "UPDATE"]
            assert await session.scalar(select(Item.stock).where(Item.name == "oak")) == 7  # its own write
            assert await shown(one) == expected  # which nobody else sees yet
            one.sent()
            await session.commit()
            assert one.sent() == ["COMMIT"]
        assert await shown(one) == [("north", [("oak", 7), ("elm", 0)]), ("south", [])]
        assert one.sent() == ["SELECT"]  # only items have changed


async def test_a_rollback_leaves_what_was(dsn: str) -> None:
    async with world(dsn) as one:
        await stocked(one)
        before = await shown(one)
        async with one.session() as session:
            await session.execute(update(Item).values(stock=99))
            async with session.begin_nested() as savepoint:
                session.add(Shop(name="west"))
                await session.flush()
                await savepoint.rollback()
            names = select(Shop.name).order_by(Shop.name)
            assert (await session.scalars(names)).all() == ["north", "south"]
            await session.rollback()
        assert await shown(one) == before


@pytest.mark.parametrize("many", ["executemany", "values", "bulk", "stream"])
async def test_writes_of_many_rows(dsn: str, many: str) -> None:
    async with world(dsn) as one:
        await stocked(one)
        await shown(one)
        rows = [{"name": f"s{number:03}"} for number in range(30)]
        async with one.session() as session:
            if many == "executemany":
                await session.execute(insert(Shop).execution_options(render_nulls=True), rows)
            elif many == "values":
                made = await session.scalars(insert(Shop).returning(Shop.id, sort_by_parameter_order=True), rows)
                assert sorted(made) == list(range(3, 33))
            elif many == "bulk":
                session.add_all([Shop(**row) for row in rows])
            else:
                connection = await session.connection()
                sql = insert(Shop).values(rows).returning(Shop.name)
                assert [row.name async for row in await connection.stream(sql)] == [row["name"] for row in rows]
            await session.commit()
        assert [name for name, _ in await shown(one)] == ["north", *(row["name"] for row in rows), "south"]


BEGINS = [
    "select now()", "select * from shop for update", "select random()", "select txid_current()",
    "select nextval('shop_id_seq')", "set local work_mem = '4MB'", "create temp table t (a int)",
    "savepoint a", "declare c cursor for select 1", "select * from pg_class limit 1", "lock table shop",
    "select pg_advisory_xact_lock(1)", "show search_path", "explain select 1",
]  # fmt: skip


async def test_what_is_no_plain_read_begins(dsn: str) -> None:
    async with world(dsn) as one:
        await stocked(one)
        for sql in BEGINS:
            async with one.engine.connect() as connection:
                await connection.execute(text("select name from shop"))
                assert one.sent() in ([], ["select"])
                await connection.execute(text(sql))
                assert one.sent()[0] == "BEGIN", sql
                await connection.execute(text("select name from shop"))
                assert one.sent() == ["select"], sql  # from now on all goes there
            assert one.sent()[0] == "ROLLBACK", sql


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
async def test_a_level_that_sees_one_moment_begins_at_once(dsn: str, level: str) -> None:
    async with world(dsn) as one:
        await stocked(one)
        await shown(one)
        one.sent()
        async with one.engine.connect() as connection:
            await connection.execution_options(isolation_level=level)
            first = (await connection.execute(select(Item.stock).order_by(Item.id))).all()
            assert one.sent() == ["BEGIN", "SELECT"]
            async with one.session() as session:
                await session.execute(update(Item).values(stock=50))
                await session.commit()
            assert (await connection.execute(select(Item.stock).order_by(Item.id))).all() == first
            assert await connection.scalar(text("show transaction isolation level")) == level.lower()


async def test_the_servers_own_default_counts(dsn: str) -> None:
    settings = {"server_settings": {"default_transaction_isolation": "repeatable read"}}
    async with world(dsn, pool=settings) as one:
        await stocked(one)
        async with one.engine.connect() as connection:
            await connection.execute(select(Shop.name))
            assert one.sent() == ["BEGIN", "SELECT"]


async def test_autocommit_needs_no_transaction(dsn: str) -> None:
    async with world(dsn, isolation_level="AUTOCOMMIT") as one:
        async with one.engine.connect() as connection:
            await connection.execute(insert(Shop).values(name="east"))
        async with one.engine.connect() as connection:
            for _ in range(3):
                assert (await connection.scalars(select(Shop.name))).all() == ["east"]
        assert one.sent() == ["INSERT", "SELECT"]


class Outcome:
    """Of a transaction whose first statement fails, step by step."""

    @staticmethod
    async def of(engine: Any) -> list[object]:
        steps: list[object] = []
        async with engine.connect() as connection:
            for sql in ("select 1 / (stock - stock) from item", "select name from shop", "select now()"):
                try:
                    steps.append((await connection.execute(text(sql))).all())
                except DBAPIError as error:
                    steps.append((type(error), error.orig.sqlstate, str(error.orig)))  # type: ignore[union-attr]  # asyncpg's
            await connection.commit()
            steps.append((await connection.execute(text("select count(*) from shop"))).all())
            await connection.rollback()
            steps.append((await connection.execute(text("select name from shop order by 1"))).all())
        return steps


async def test_a_read_that_fails_aborts_the_transaction(dsn: str) -> None:
    """As it does on asyncpg's dialect, whether BEGIN was sent or not."""
    from sqlalchemy.ext.asyncio import create_async_engine

    async with world(dsn) as one:
        await stocked(one)
        theirs = create_async_engine(dsn.replace("postgresql:", "postgresql+asyncpg:"))
        expected = await Outcome.of(theirs)
        await theirs.dispose()
        said = [str(step).replace("asyncpg.", "") for step in expected]
        ours = [str(step).replace("asyncpg.", "") for step in await Outcome.of(one.engine)]
        assert "division by zero" in ours[0]
        assert ["25P02" in step for step in ours[1:3]] == [True, True]
        assert ours == said


async def test_a_read_that_takes_too_long_aborts_the_transaction(dsn: str) -> None:
    async with world(dsn, pool={"command_timeout": 0.2}) as one:
        await stocked(one)
        slow = text("select count(*) from generate_series(1, 30000) a, generate_series(1, 30000) b, shop")
        async with one.engine.connect() as connection:
            with pytest.raises(TimeoutError):
                await connection.execute(slow)
            assert "BEGIN" not in one.sent()
            with pytest.raises(PendingRollbackError):
                await connection.execute(select(Shop.name))
            await connection.rollback()
            assert await connection.scalar(select(func.count()).select_from(Shop)) == 2


async def test_others_writes_are_seen_between_two_reads_of_a_transaction(dsn: str) -> None:
    async with world(dsn) as one:
        await stocked(one)
        async with one.session() as session:
            oak = select(Item.stock).where(Item.name == "oak")
            assert await session.scalar(oak) == 3
            async with one.session() as other:
                await other.execute(update(Item).values(stock=8))
                await other.commit()
            assert await session.scalar(oak) == 8
            await session.execute(update(Item).values(stock=Item.stock + 1))
            assert await session.scalar(oak) == 9
            await session.commit()
        assert await asyncpg_says(dsn, "select stock from item where name = 'oak'") == 9


async def asyncpg_says(dsn: str, sql: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_pool_of_one_connection_is_enough(dsn: str) -> None:
    """Nobody waits for a second connection while holding the last."""
    few = {"max_size": 1, "min_size": 1, "acquire_timeout": 5}
    async with world(dsn, pool=few) as one, one.session() as session:
        session.add(Shop(name="north"))
        await session.flush()
        for sql in ("select name from shop", "select id from shop", "select 1 from item"):
            await session.execute(text(sql))
        await session.commit()
        assert (await session.scalars(select(Shop.name))).all() == ["north"]
