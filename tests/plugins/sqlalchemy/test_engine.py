"""Engines from their first statement to `dispose`, and what applications do beside statements."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event, exc, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, StaticPool

import galvo_sqlalchemy
from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin, create_pool
from tests.conftest import execute
from tests.plugins.sqlalchemy.world import Base, Item, Shop, world
from tests.sqlalchemy_suite.__main__ import kernel_of

pytestmark = pytest.mark.anyio
PASSWORD = "hush7"
ACTIVITY = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


def url(dsn: str, driver: str = "galvo") -> str:
    return dsn.replace("postgresql:", f"postgresql+{driver}:")


def of_its_own(dsn: str, **options: Any) -> AsyncEngine:
    """An engine with a pool of its own, and a kernel that lives as long."""
    kernel = Kernel.of({CachePlugin: {}, PoolPlugin: {}})
    return create_async_engine(url(dsn), connect_args={"kernel": kernel}, **options)


async def others(dsn: str) -> int:
    """Connections to the database."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(ACTIVITY))
    finally:
        await connection.close()


async def test_a_pool_of_its_own_from_settings(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel_of(tmp_path)
    monkeypatch.chdir(tmp_path)
    engine = create_async_engine(url(dsn), pool_size=2, max_overflow=1)
    assert await others(dsn) == 0  # nothing begins before the first statement
    for _ in range(2):  # an engine that was disposed of begins anew
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        for _ in range(3):
            async with engine.connect() as connection:
                assert (await connection.execute(select(Shop))).all() == []
        source = engine.dialect.dbapi.source
        assert source.kernel.plugin_stats("cache")["hits"] == 2
        assert source._pool.get_max_size() == 3
        await engine.dispose()
        assert not source.kernel
        assert await others(dsn) == 0


async def test_what_is_lent_at_dispose_comes_back_later(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    engine = of_its_own(dsn)
    async with engine.begin() as connection:
        await connection.execute(text("create table t (a int)"))
        assert "a second engine on" not in caplog.text
        await engine.dispose()
        await connection.execute(text("insert into t values (1)"))
        async with (second := of_its_own(dsn)).connect():  # while the first's pool is open
            assert "set redis under [cache], or use engine_on(kernel)" in caplog.text
        await second.dispose()
    assert await others(dsn) == 0
    async with asyncio.timeout(20):
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("select a from t") == 1
        await connection.close()


def test_one_engine_in_several_event_loops(dsn: str) -> None:
    engine = create_async_engine(url(dsn), connect_args={"kernel": None})

    async def ask() -> Any:
        async with engine.connect() as connection:
            return await connection.scalar(text("select 1"))

    async def end() -> None:
        assert await ask() == 1
        await engine.dispose()

    assert asyncio.run(ask()) == 1
    asyncio.run(end())
    with pytest.warns(ResourceWarning):
        gc.collect()  # the first pool, which was not disposed of in its loop


@pytest.mark.parametrize("poolclass", [NullPool, StaticPool])
async def test_pools_of_sqlalchemy(dsn: str, poolclass: Any) -> None:
    engine = of_its_own(dsn, poolclass=poolclass)
    for _ in range(2):
        async with engine.begin() as connection:
            assert await connection.scalar(text("select 1")) == 1
    await engine.dispose()
    assert await others(dsn) == 0


async def test_the_asyncpg_connection(dsn: str) -> None:
    async with world(dsn) as one:
        async with one.engine.connect() as connection:
            await connection.execute(select(Shop))
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw.is_closed() is raw.is_in_transaction() is False
            with pytest.raises(asyncpg.InterfaceError, match="await a method of the driver connection first"):
                raw.get_server_pid()
            await raw.copy_records_to_table("shop", records=[(1, "north")], columns=["id", "name"])
            async with raw.transaction():
                await raw.execute("insert into shop values (2, 'south')")
            assert raw.is_in_transaction()  # SQLAlchemy's: it has read
            assert isinstance(raw.get_server_pid(), int)
            await connection.rollback()
            assert (await connection.scalars(select(Shop.name))).all() == []
            raw = (await connection.get_raw_connection()).driver_connection
            assert isinstance(raw, asyncpg.Connection)
            await raw.execute("insert into shop values (3, 'west')")
            await connection.commit()
        async with one.session() as session:
            assert (await session.scalars(select(Shop.name))).all() == ["west"]
        assert one.lent == 0


async def test_a_transaction_of_the_asyncpg_connection_alone(dsn: str) -> None:
    async with world(dsn) as one, one.engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        with suppress(ZeroDivisionError):
            async with raw.transaction():
                await raw.execute("insert into shop values (1, 'north')")
                raise ZeroDivisionError
        assert await raw.fetchval("select count(*) from shop") == 0


WRONG = [
    insert(Shop).values(id=1, name="again"), insert(Item).values(id=1, shop_id=99, name="x", stock=0),
    insert(Item).values(id=1, shop_id=1, name=None), text("select nonsense"), text("select * from nowhere"),
    text("sel"),
    text("select 1/0"), text("insert into item (id) values ('x')"), text("select cast(:a as int)").bindparams(a="x"),
]  # fmt: skip


async def test_errors_have_the_classes_of_asyncpgs_dialect(dsn: str) -> None:
    theirs = create_async_engine(url(dsn, "asyncpg"))
    async with world(dsn) as one:
        async with one.session() as session:
            session.add(Shop(id=1, name="again"))
            await session.commit()
        for statement in WRONG:
            said = []
            for engine in (theirs, one.engine):
                async with engine.connect() as connection:
                    with pytest.raises(exc.DBAPIError) as caught:
                        await connection.execute(statement)
                    error = caught.value
                    said.append((type(error), str(error), type(error.orig.__cause__), error.connection_invalidated))
            assert said[0] == said[1], statement
    await theirs.dispose()


async def test_a_lost_connection(dsn: str) -> None:
    """Says so by the same class, and the next one is new."""
    theirs = create_async_engine(url(dsn, "asyncpg"))
    async with world(dsn) as one:
        said = []
        for engine in (theirs, one.engine):
            async with engine.connect() as connection:
                pid = await connection.scalar(text("select pg_backend_pid()"))
                await execute(dsn, f"select pg_terminate_backend({pid}, 5000)")
                with pytest.raises(exc.DBAPIError) as caught:
                    await connection.execute(text("select 1"))
                said.append((type(caught.value), caught.value.connection_invalidated))
                await connection.rollback()
                assert await connection.scalar(text("select pg_backend_pid()")) != pid
        assert said[0] == said[1]
        assert one.lent == 0
    await theirs.dispose()


async def test_connections_lost_in_transactions_keep_no_pool_open(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    engine = of_its_own(dsn)
    for _ in range(2):
        async with engine.connect() as connection:
            pid = await connection.scalar(text("select pg_backend_pid()"))
            await execute(dsn, f"select pg_terminate_backend({pid}, 5000)")
            with pytest.raises(exc.DBAPIError):
                await connection.execute(text("select now()"))
    source = engine.dialect.dbapi.source
    kernel = source.kernel
    await engine.dispose()
    assert not kernel.running
    assert source.kernel is None
    assert "Exception terminating connection" not in caplog.text


async def test_a_cancelled_statement(dsn: str) -> None:
    async with world(dsn) as one:
        async with asyncio.TaskGroup() as group:

            async def ask() -> None:
                async with one.engine.connect() as connection:
                    await connection.execute(text("select pg_sleep(60)"))

            task = group.create_task(ask())
            await one.passed.hears("pg_sleep")
            task.cancel()
        assert one.lent == 0
        async with one.engine.connect() as connection:
            assert await connection.scalar(text("select 1")) == 1


async def test_a_connection_that_nobody_closes(dsn: str) -> None:
    async with world(dsn, pool={"max_size": 1, "min_size": 1}) as one:
        connection = await one.engine.connect()
        await connection.execute(text("select now()"))
        del connection
        with pytest.warns(exc.SAWarning, match="garbage collector"):
            gc.collect()
        async with one.engine.connect() as connection, asyncio.timeout(20):
            assert await connection.scalar(text("select 1")) == 1


async def test_a_creator_of_the_application(dsn: str) -> None:
    """What it SETs stays, for reads and writes, as in asyncpg's dialect."""

    async def creator() -> Any:
        connection = await asyncpg.connect(dsn)
        await connection.execute("set search_path to elsewhere")
        return connection

    await execute(dsn, "create schema elsewhere; create table elsewhere.t (a int); create table t (a int)")
    await execute(dsn, "insert into elsewhere.t values (7)")
    engine = of_its_own(dsn, async_creator=creator)
    seen = []
    for statement in ("select a from t", "select a from t", "update t set a = a + 1 returning a", "select a from t"):
        async with engine.begin() as connection:
            seen.append(await connection.scalar(text(statement)))
    await engine.dispose()
    assert seen == [7, 7, 8, 8]


@pytest.mark.parametrize("given", [True, False])
async def test_setup_of_the_pool(dsn: str, given: bool) -> None:
    """It runs before each read, too: it may choose the schema of a tenant."""
    tenants = ["a", "a", "b", "b", "a"]
    tenant = ""

    async def setup(connection: Any) -> None:
        await connection.execute(f"set search_path to {tenant}")

    for name in "ab":
        await execute(dsn, f"create schema {name}; create table {name}.t (a text)")
        await execute(dsn, f"insert into {name}.t values ('{name}')")
    kernel = Kernel.of({CachePlugin: {}, PoolPlugin: {}})
    async with AsyncExitStack() as stack:
        if given:
            await stack.enter_async_context(create_pool(dsn, kernel=kernel, setup=setup, min_size=0))
            engine = galvo_sqlalchemy.engine_on(kernel)
        else:
            engine = create_async_engine(url(dsn), connect_args={"kernel": kernel, "setup": setup})
        seen = []
        for each in tenants:
            tenant = each
            async with engine.connect() as connection:
                seen.append(await connection.scalar(text("select a from t")))
        await engine.dispose()
    assert seen == tenants


async def test_handlers_of_connect_and_pre_ping(dsn: str) -> None:
    async with world(dsn, tables=False, pool_pre_ping=True) as one:

        @event.listens_for(one.engine.sync_engine, "connect")
        def set_path(connection: Any, _: Any) -> None:
            connection.cursor().execute("set search_path to elsewhere")

        await execute(dsn, "create schema elsewhere; create table elsewhere.t (a int)")
        for _ in range(2):
            async with one.engine.begin() as connection:
                await connection.execute(text("insert into t values (1)"))
                assert await connection.scalar(text("show search_path")) == "elsewhere"


async def test_none_becomes_free(dsn: str) -> None:
    few = {"max_size": 1, "min_size": 1, "acquire_timeout": 1}
    async with world(dsn, pool=few) as one, one.engine.begin() as connection, one.engine.begin() as other:
        await connection.execute(text("select now()"))
        with pytest.raises(exc.TimeoutError, match="no connection became free"):
            await other.execute(text("select now()"))


# -- what is wrong is one sentence ------------------------------------------------------------------------


async def says(engine: AsyncEngine) -> str:
    with pytest.raises((exc.SQLAlchemyError, OSError, TypeError)) as caught:
        await engine.connect()
    said = str(caught.value).split("\n(Background")[0]
    assert PASSWORD not in repr(caught.value) + said
    assert "\n" not in said
    return said


async def test_what_is_wrong_is_one_sentence(dsn: str) -> None:
    kernel = Kernel.of({CachePlugin: {}})
    assert "does not run: use the engine inside `async with kernel`" in await says(galvo_sqlalchemy.engine_on(kernel))
    async with kernel:
        assert "no pool that runs: set `on = true` under [pool]" in await says(galvo_sqlalchemy.engine_on(kernel))
        assert "under [pool]" in await says(galvo_sqlalchemy.engine_on(kernel, pool_size=3))
        given = create_async_engine(f"postgresql+galvo://u:{PASSWORD}@h/d", connect_args={"kernel": kernel})
        assert "let the URL be postgresql+galvo://" in await says(given)
    for there, sentence in [
        (f"u:{PASSWORD}@127.0.0.1:1/d", "Connect call failed"),
        (f"u:{PASSWORD}@127.0.0.1:1/d?nonsense=1", "unexpected keyword argument 'nonsense'"),
        (f"u:{PASSWORD}@no-such-host.invalid/d", "Name or service not known"),
    ]:
        engine = create_async_engine(f"postgresql+galvo://{there}", connect_args={"kernel": None})
        assert sentence in await says(engine)
    with pytest.raises(TypeError, match=r"a galvo\.Kernel that runs, got str"):
        galvo_sqlalchemy.engine_on("postgresql://")  # type: ignore[arg-type]  # that is what is tested
