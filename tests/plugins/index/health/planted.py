"""A real server with a problem for each rule: objects, sessions, and what queries and disks did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import asyncpg

from galvo_embedded import Servers

OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "1MB",
    "max_wal_size": "32MB",
    "wal_level": "logical",
    "max_prepared_transactions": "8",
    "random_page_cost": "4",
    "track_io_timing": "on",
    "autovacuum_naptime": "1d",  # what is planted stays
}
SETTINGS = ("enable_indexscan = off", "default_statistics_target = 10", "maintenance_work_mem = '64kB'")
READ = "do $$ declare n int; begin for i in 1..20000 loop select price into n from goods where id = i * 7919 % 50000; "
SPILL = "do $$ begin for i in 1..101 loop perform i from item_half order by at + i, id limit 1 offset 3000; "
WAL = "create table log as select repeat(md5(i::text), 30) as line from generate_series(1, 50000) i"


async def connect(stack: AsyncExitStack, dsn: str, name: str = "planting") -> asyncpg.Connection:
    connection = await asyncpg.connect(dsn, server_settings={"application_name": name})
    stack.push_async_callback(connection.close, timeout=10)
    return connection


@asynccontextmanager
async def planted(folder: Path) -> AsyncIterator[str]:
    """Yields the database's URL; all is in place as long as the context lasts."""
    servers = Servers(folder, options=OPTIONS)
    try:
        root = await servers.postgres()
        dsn = root.replace("/postgres?", "/ill?")
        async with AsyncExitStack() as stack:
            maintenance = await connect(stack, root)
            await maintenance.execute("create database ill")
            for setting in SETTINGS:
                await maintenance.execute(f"alter database ill set {setting}")
            await break_page(maintenance, root)
            await fill(dsn)
            async with sessions(dsn):
                yield dsn
    finally:
        servers.close()


async def fill(dsn: str) -> None:
    """Objects, and what was done to them."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("reset all; set enable_indexscan = on; set default_statistics_target = 100")
    for statement in (Path(__file__).parent / "plant.sql").read_text().strip().split(";\n"):
        await connection.execute(statement)
    try:
        await connection.execute("create unique index concurrently goods_failed on goods(kind)")
        raise AssertionError("kinds are not unique")
    except asyncpg.UniqueViolationError:
        pass
    await connection.execute("create index item_parts_maker on only item_parts(maker)")
    await connection.execute("set enable_seqscan = off; set enable_bitmapscan = off")
    await connection.execute(f"{READ} end loop; end $$")
    await connection.execute("set work_mem = '64kB'; set enable_seqscan = on")
    await connection.execute(f"{SPILL} end loop; end $$")
    await connection.execute(WAL)
    await connection.execute("select pg_create_logical_replication_slot('forgotten', 'pgoutput')")
    await connection.execute("insert into loose values (1, 1, 1)")
    await connection.close()
    async with AsyncExitStack() as stack:
        again = await connect(stack, dsn)
        await again.execute("select pg_stat_reset_single_table_counters('lost'::regclass)")


async def break_page(maintenance: asyncpg.Connection, root: str) -> None:
    """In a copy of a database that no session has looked at yet, so that the page comes from disk."""
    await maintenance.execute("create database source")
    source = await asyncpg.connect(root.replace("/postgres?", "/source?"))
    await source.execute("create table t as select i from generate_series(1, 1000) i")
    file = await source.fetchval("select pg_relation_filenode('t')")
    await source.close()
    await maintenance.execute("create database broken template source strategy file_copy")
    folder = await maintenance.fetchval(
        "select current_setting('data_directory') || '/base/' || oid from pg_database where datname = 'broken'"
    )
    with (Path(folder) / str(file)).open("r+b") as pages:
        pages.seek(4000)
        pages.write(b"not what it was")
    broken = await asyncpg.connect(root.replace("/postgres?", "/broken?"))
    try:
        await broken.fetch("select * from t")
        raise AssertionError("the page is whole")
    except asyncpg.DataCorruptedError:
        await broken.close()


@asynccontextmanager
async def sessions(dsn: str) -> AsyncIterator[None]:
    """One that works for long, one idle for which two wait in a row, a prepared transaction, and dead rows."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        names = ("worker", "root", "waiting", "behind", "writer")
        worker, root, waiting, behind, writer = [await connect(stack, dsn, name) for name in names]
        await worker.execute("begin isolation level repeatable read; select 1")
        await root.execute("begin; update loose set price = 2")
        await writer.execute("update fuller set n = n + 1")
        await writer.execute("begin; insert into loose values (2, 2, 2); prepare transaction 'left over'")
        tasks.create_task(until_ended(worker, "select pg_sleep(600)"))
        tasks.create_task(until_ended(waiting, "alter table loose add column more int"))
        await until_waiting(writer, 1)
        tasks.create_task(until_ended(behind, "select * from loose"))
        await until_waiting(writer, 2)
        await writer.close()
        yield
        ender = await connect(stack, dsn)
        await ender.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name <> 'planting'"
        )
        await ender.execute("rollback prepared 'left over'")


async def until_ended(connection: asyncpg.Connection, sql: str) -> None:
    with suppress(asyncpg.PostgresError, OSError):
        await connection.execute(sql)


async def until_waiting(connection: asyncpg.Connection, number: int) -> None:
    async with asyncio.timeout(20):
        while await connection.fetchval("select count(*) from pg_locks where not granted") < number:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.01)
