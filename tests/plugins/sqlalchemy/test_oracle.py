"""Random programs of two sessions, on galvo's dialect and on asyncpg's side by side: nobody can tell which is which."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import selectinload

from tests.conftest import execute
from tests.plugins.sqlalchemy.world import Base, Item, Shop, World, world
from tests.thorough import THOROUGH

LEVELS = ["READ COMMITTED", "READ COMMITTED", "REPEATABLE READ", "AUTOCOMMIT"]
STEPS = [
    "read", "read", "read", "item", "names", "count", "add", "change", "bulk", "many", "delete", "raw", "savepoint",
    "fails", "clash", "commit", "commit", "rollback", "new", "stream", "now",
]  # fmt: skip
PROGRAMS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(STEPS), st.integers(0, 3)), min_size=3, max_size=25)


class Program:
    """Session n writes the items of shop n + 1 only, so that none waits for the other's locks."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.sessions: list[AsyncSession] = []

    async def run(self, steps: list[tuple[int, str, int]]) -> list[object]:
        async with self.engine.begin() as connection:
            await connection.execute(text("truncate item, shop restart identity"))
            await connection.execute(insert(Shop), [{"name": "s0"}, {"name": "s1"}])
            await connection.execute(insert(Item), [{"shop_id": 1, "name": "a"}, {"shop_id": 2, "name": "b"}])
        self.sessions = [AsyncSession(self.engine) for _ in range(2)]
        said: list[object] = [await self.read(0, self.sessions[0], 0)]
        await self.sessions[0].rollback()
        try:
            for who, step, number in steps:
                try:
                    said.append(await getattr(self, step)(who, self.sessions[who], number))
                except (SQLAlchemyError, asyncpg.PostgresError) as error:
                    said.append((type(error).__name__, getattr(getattr(error, "orig", error), "sqlstate", None)))
        finally:
            for session in self.sessions:
                await session.close()
        async with AsyncSession(self.engine) as session:
            return [*said, await self.read(0, session, 0)]

    async def read(self, _: int, session: AsyncSession, __: int) -> object:
        query = select(Shop).options(selectinload(Shop.items)).order_by(Shop.id)
        shops = (await session.scalars(query.execution_options(populate_existing=True))).all()
        return [(shop.name, [(item.id, item.name, item.stock) for item in shop.items]) for shop in shops]

    async def item(self, _: int, session: AsyncSession, number: int) -> object:
        found = await session.get(Item, number, populate_existing=True)
        return found and (found.name, found.stock)

    async def names(self, _: int, session: AsyncSession, number: int) -> object:
        query = select(Item.name, Shop.name).join(Shop).where(Item.stock >= number).order_by(Item.id)
        return [tuple(row) for row in await session.execute(query)]

    async def count(self, _: int, session: AsyncSession, __: int) -> object:
        return await session.scalar(select(func.count(), func.sum(Item.stock)).select_from(Item))

    async def add(self, who: int, session: AsyncSession, number: int) -> object:
        item = Item(shop_id=who + 1, name=f"n{number}", stock=number)
        session.add(item)
        await session.flush()
        return item.id

    async def change(self, who: int, session: AsyncSession, number: int) -> object:
        found = await session.scalar(select(Item).where(Item.shop_id == who + 1).order_by(Item.id).limit(1))
        if found is not None:
            found.stock += number
        return found and found.stock

    async def bulk(self, who: int, session: AsyncSession, number: int) -> object:
        sql = update(Item).where(Item.shop_id == who + 1).values(stock=Item.stock + number).returning(Item.stock)
        return sorted(await session.scalars(sql.execution_options(synchronize_session=False)))

    async def many(self, who: int, session: AsyncSession, number: int) -> object:
        rows = [{"shop_id": who + 1, "name": f"m{n}", "stock": n} for n in range(number + 1)]
        return [*await session.scalars(insert(Item).returning(Item.id, sort_by_parameter_order=True), rows)]

    async def delete(self, who: int, session: AsyncSession, number: int) -> object:
        sql = delete(Item).where(Item.shop_id == who + 1, Item.stock == number)
        return (await session.execute(sql.execution_options(synchronize_session=False))).rowcount  # type: ignore[attr-defined]  # a cursor's

    async def raw(self, who: int, session: AsyncSession, number: int) -> object:
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
        return await raw.execute("update item set stock = $1 where shop_id = $2", number, who + 1)

    async def savepoint(self, who: int, session: AsyncSession, number: int) -> object:
        async with session.begin_nested() as inner:
            await self.bulk(who, session, number)
            seen = await self.count(who, session, 0)
            if number % 2:
                await inner.rollback()
        return seen

    async def fails(self, _: int, session: AsyncSession, __: int) -> object:
        return await session.scalar(text("select 1 / (id - id) from shop"))

    async def clash(self, who: int, session: AsyncSession, number: int) -> object:
        await session.execute(insert(Item).values(id=1 + who, shop_id=1 + who, name=f"c{number}"))

    async def commit(self, _: int, session: AsyncSession, __: int) -> object:
        await session.commit()

    async def rollback(self, _: int, session: AsyncSession, __: int) -> object:
        await session.rollback()

    async def new(self, who: int, session: AsyncSession, number: int) -> object:
        await session.close()
        self.sessions[who] = session = AsyncSession(self.engine)
        connection = await session.connection(execution_options={"isolation_level": LEVELS[number]})
        return await connection.get_isolation_level()

    async def stream(self, _: int, session: AsyncSession, __: int) -> object:
        return [row.name async for row in await session.stream(select(Item.name).order_by(Item.id))]

    async def now(self, _: int, session: AsyncSession, __: int) -> object:
        return await session.scalar(text("select now() = (select now())"))


@pytest.fixture
def pair(server_dsn: str, dsn: str) -> Iterator[tuple[asyncio.Runner, World, AsyncEngine]]:
    twin = dsn.split("?")[0].rsplit("/", 1)[1] + "_twin"
    with asyncio.Runner() as runner:
        runner.run(execute(server_dsn, f'create database "{twin}"'))
        theirs = create_async_engine(
            server_dsn.replace("postgresql:", "postgresql+asyncpg:").replace("/postgres?", f"/{twin}?")
        )
        ready: asyncio.Future[World] = runner.get_loop().create_future()
        stop = asyncio.Event()

        async def live() -> None:
            async with world(dsn) as one:
                ready.set_result(one)
                await stop.wait()

        async def begin() -> tuple[World, asyncio.Task[None]]:
            async with theirs.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            task = asyncio.create_task(live())
            await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
            return ready.result(), task

        async def end() -> None:
            stop.set()
            await task
            await theirs.dispose()

        one, task = runner.run(begin())
        yield runner, one, theirs
        runner.run(end())
        runner.run(execute(server_dsn, f'drop database "{twin}" with (force)'))


def test_programs(pair: tuple[asyncio.Runner, World, AsyncEngine]) -> None:
    runner, one, theirs = pair
    hits = begun = 0

    @settings(
        max_examples=400 if THOROUGH else 25, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    @given(PROGRAMS)
    def same(steps: list[tuple[int, str, int]]) -> None:
        nonlocal hits, begun
        before = one.hits
        said = runner.run(Program(one.engine).run(steps))
        assert said == runner.run(Program(theirs).run(steps))
        assert one.lent == 0
        hits, begun = hits + one.hits - before, begun + one.sent().count("BEGIN")
        event(f"hits: {min(one.hits - before, 5)}")

    same()
    assert hits > 20
    assert begun > 20
