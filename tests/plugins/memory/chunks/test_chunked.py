"""Chunks have what fetch has, and leave nothing open."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, nullcontext
from typing import Any

import anyio
import asyncpg
import psutil
import pytest

from galvo_memory import chunked
from galvo_memory.budgets import MemoryBudgetExceeded, memory_budget
from galvo_memory.chunks import KeysetUnusable, NotEntered
from galvo_memory.chunks.measure import sizes
from tests.plugins.memory.chunks.targets import KINDS, kernel_of, reaching

pytestmark = pytest.mark.anyio
NUMBERS = "select n, repeat('x', 100) as text from generate_series(1, $1::int) n"
TABLE = """
    create table t (n int primary key, text text);
    alter table t alter text set storage external;
    insert into t select n, repeat('x', (n * 7919) % 3000) from generate_series(1, 20000) n;
    analyze t;
"""
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's, when the news comes while nothing runs
)
WAYS: dict[str, dict[str, Any]] = {"cursor": {}, "keyset": {"keyset": "n"}}


async def read(target: Any, sql: str, *args: Any, **options: Any) -> list[list[Any]]:
    async with chunked(target, sql, *args, **options) as chunks:
        return [chunk async for chunk in chunks]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
async def test_all_rows_in_order_from_every_target(dsn: str, kind: str, way: str) -> None:
    async with reaching(kind, dsn) as target:
        for rows in (0, 1, 32, 33, 5000):
            chunks = await read(target, NUMBERS, rows, max_bytes="64KiB", **WAYS[way])
            assert [row["n"] for chunk in chunks for row in chunk] == list(range(1, rows + 1))
            assert all(chunks)
        assert len(chunks) > 10
        assert chunks[0] == await target.fetch(NUMBERS, len(chunks[0]))
        assert await target.fetchval("show transaction_read_only") == "off"


@pytest.mark.parametrize("kind", KINDS)
async def test_who_stops_early_leaves_nothing_open(dsn: str, kind: str) -> None:
    async with reaching(kind, dsn) as target:
        async with chunked(target, NUMBERS, 5000, max_bytes="64KiB") as chunks:
            async for _ in chunks:
                break
        assert await clean(target)
        with pytest.raises(ZeroDivisionError):  # noqa: PT012
            async with chunked(target, NUMBERS, 5000, max_bytes="64KiB") as chunks:
                async for _ in chunks:
                    raise ZeroDivisionError
        assert await clean(target)
        async with aclosing(chunked(target, NUMBERS, 5000, max_bytes="64KiB")):
            pass  # not even begun
        assert await clean(target)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_break_without_async_with(dsn: str, kind: str) -> None:
    """What was lent goes back; on the caller's own connection it is refused, as only later could it be ended."""
    async with reaching(kind, dsn) as target:
        await target.execute("create table w (n int)")
        with nullcontext() if kind not in ("kernel session", "asyncpg connection") else pytest.raises(NotEntered):
            async for _ in chunked(target, NUMBERS, 5000, max_bytes="64KiB"):
                break
        assert await target.fetchval("select 1") == 1
        await target.execute("insert into w values (1)")
        assert await clean(target)


@pytest.mark.parametrize("kind", ["kernel session", "asyncpg connection"])
async def test_a_transaction_that_cannot_be_ended_ends_its_connection(dsn: str, kind: str) -> None:
    async with reaching(kind, dsn) as target:
        async with chunked(target, NUMBERS, 5000, max_bytes="64KiB") as chunks:
            async for _ in chunks:
                busy = asyncio.create_task(target.fetch("select pg_sleep(60)"))
                await anyio.wait_all_tasks_blocked()
                break
        with pytest.raises(LOST):
            await busy
        assert target.is_closed()


@pytest.mark.parametrize("kind", KINDS)
async def test_cancelled_while_it_waits_for_the_server(dsn: str, kind: str) -> None:
    # The request to cancel may come before the statement, and is lost then: it has to end by itself.
    sql = "select n, pg_sleep(case when n = 100 then 5 else 0 end) from generate_series(1, 5000) n"
    async with reaching(kind, dsn) as target:

        async def reading(began: anyio.Event) -> None:
            async with chunked(target, sql) as chunks:
                async for _ in chunks:
                    began.set()

        began = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reading, began)
            await began.wait()
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert await clean(target)

        began = anyio.Event()
        task = asyncio.create_task(reading(began))
        await began.wait()
        await anyio.wait_all_tasks_blocked()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await clean(target)


async def clean(target: Any) -> bool:
    """No transaction and no cursor is open on the one connection, and it can be had."""
    with anyio.fail_after(40):
        while hasattr(target, "is_in_transaction") and target.is_in_transaction():  # noqa: ASYNC110
            await asyncio.sleep(0.001)  # the loop closes what was dropped
        with pytest.raises(asyncpg.NoActiveSQLTransactionError):
            await target.execute("savepoint outside")
        return not await target.fetch("select from pg_cursors where statement not like '%pg_cursors%'")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["kernel", "asyncpg pool"])
async def test_a_server_process_that_is_killed_is_no_end(dsn: str, kind: str, way: str) -> None:
    sql = "select n, pg_backend_pid() as pid, text from t"
    other = await asyncpg.connect(dsn)
    await other.execute(TABLE, timeout=60)
    async with reaching(kind, dsn) as target:
        seen = 0
        if way == "cursor":
            with pytest.raises(LOST):  # noqa: PT012
                async for chunk in chunked(target, sql, max_bytes="64KiB"):
                    seen += len(chunk)
                    if seen == len(chunk):
                        await other.execute("select pg_terminate_backend($1)", chunk[0]["pid"])
            assert 0 < seen < 20000
        else:  # there is no connection to lose between two pages
            async for chunk in chunked(target, sql, max_bytes="1MiB", keyset="n"):
                if not seen:
                    await other.execute("select pg_terminate_backend($1)", chunk[0]["pid"])
                    await gone(other, chunk[0]["pid"])
                seen += len(chunk)
            assert seen == 20000
        assert await target.fetchval("select 1") == 1
    await other.close()


async def gone(other: Any, pid: int) -> None:
    """Until its client can know."""
    while psutil.pid_exists(pid):
        await other.fetchval("select pg_sleep(0.001)")
    await other.fetchval("select 1")


async def test_an_error_of_the_server_in_the_middle_passes_through(dsn: str) -> None:
    seen: list[Any] = []
    async with reaching("kernel", dsn) as target:
        with pytest.raises(asyncpg.DivisionByZeroError):  # noqa: PT012
            async for chunk in chunked(target, "select 1 / (1000 - n) from generate_series(1, 2000) n"):
                seen += chunk
        assert len(seen) < 1000
        assert await clean(target)


async def test_only_reads(dsn: str) -> None:
    async with reaching("kernel", dsn) as target:
        await target.execute("create table t (n int)")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await read(target, "insert into t select generate_series(1, 10) returning n")


@pytest.mark.parametrize("kind", ["kernel session", "asyncpg connection"])
async def test_inside_a_transaction_of_the_callers(dsn: str, kind: str) -> None:
    """It sees what that has written, and what it writes between two chunks stays."""
    async with reaching(kind, dsn) as target:
        async with target.transaction():
            await target.execute("create table t as select n from generate_series(1, 1000) n")
            await target.execute("create table seen (n int)")
            async with chunked(target, "select n from t order by n", max_bytes="16KiB") as chunks:
                async for chunk in chunks:
                    await target.execute("insert into seen select unnest($1::int[])", [row[0] for row in chunk])
                    if chunk[-1][0] > 500:
                        break
            assert await target.fetchval("select count(*) from pg_cursors where statement like 'select n from t%'") == 0
        assert await target.fetchval("select count(*) from seen") > 500


async def test_chunks_travel_the_chain_and_are_not_kept(dsn: str) -> None:
    async with kernel_of(dsn) as kernel:
        await kernel.execute("create table t as select n from generate_series(1, 1000) n")
        recording = kernel.find_capability("recording")
        recording.seen.clear()
        sql = "select n from t where n <= $1"
        before = kernel.plugin_stats("cache")
        assert sum(map(len, await read(kernel, sql, 900, max_bytes="16KiB"))) == 900
        kinds = [(query.sql, query.args, query.kind) for query in recording.seen if not query.origin]
        assert kinds[0] == ("BEGIN READ ONLY", (), "status")
        assert kinds[-1] == ("COMMIT", (), "status")
        assert set(kinds[1:-1]) == {(sql, (900,), "status")}
        after = kernel.plugin_stats("cache")
        assert after["entries"] == before["entries"]
        await kernel.execute("delete from t where n > 10")
        assert sum(map(len, await read(kernel, sql, 900))) == 10
        assert sum(map(len, await read(kernel, sql, 900, keyset="n"))) == 10
        assert kernel.plugin_stats("cache")["entries"] == before["entries"]


# -- sizes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_chunks_fit_and_the_first_is_small(dsn: str, way: str) -> None:
    async with reaching("asyncpg pool", dsn) as target:
        await target.execute(TABLE)
        chunks = await read(target, "select n, text, null as nothing from t", max_bytes="1MiB", **WAYS[way])
    weights = [sum(sizes(chunk)) for chunk in chunks]
    assert len(chunks[0]) <= 32
    assert max(weights) <= 512 << 10
    assert min(weights[1:-1]) > 400 << 10
    assert sum(map(len, chunks)) == 20000


@pytest.mark.parametrize("way", WAYS)
async def test_a_row_that_is_too_large_comes_alone(dsn: str, way: str) -> None:
    sql = "select n, repeat('x', case when n % 100 = 0 then 2000000 else 10 end) as text from generate_series(1, 300) n"
    async with reaching("asyncpg pool", dsn) as target:
        chunks = await read(target, sql, max_bytes="1MiB", **WAYS[way])
    assert [row["n"] for chunk in chunks for row in chunk] == list(range(1, 301))
    assert [chunk[0]["n"] for chunk in chunks if len(chunk[0]["text"]) > 10] == [100, 200, 300]
    assert all(len(chunk) == 1 for chunk in chunks if any(len(row["text"]) > 10 for row in chunk))


async def test_a_chunk_is_a_checkpoint_of_the_budget(dsn: str) -> None:
    kept: list[Any] = []
    async with reaching("asyncpg pool", dsn) as target:
        with pytest.raises(MemoryBudgetExceeded):  # noqa: PT012
            async with memory_budget("16MiB"):
                async for chunk in chunked(target, NUMBERS, 1_000_000):
                    kept += chunk
        assert await clean(target)
    assert len(kept) < 200_000


# -- keyset -----------------------------------------------------------------------------------------------


async def test_a_keyset_of_several_columns(dsn: str) -> None:
    sql = 'select n, n % 7 as "the ""day""", n::text collate "C" as name from generate_series(1, 3000) n'
    async with reaching("galvo pool", dsn) as target:
        keyset = ('the "day"', "name")
        chunks = await read(target, f"{sql};", max_bytes="64KiB", keyset=keyset)
        expected = await target.fetch(f'select * from ({sql}) t order by "the ""day""", name')
    assert [row for chunk in chunks for row in chunk] == expected
    assert len(chunks) > 2


async def test_keys_that_do_not_tell_rows_apart_are_refused(dsn: str) -> None:
    async with reaching("asyncpg pool", dsn) as target:
        with pytest.raises(KeysetUnusable, match=r"several rows have day = 0.*add a column to keyset"):
            await read(target, "select n, n % 3 as day from generate_series(1, 300) n", keyset="day")
        with pytest.raises(KeysetUnusable, match="several rows have f = NaN"):
            await read(target, "select n, 'nan'::float8 as f from generate_series(1, 300) n", keyset=["f"])
        with pytest.raises(KeysetUnusable, match="n, m is null in some rows"):
            await read(target, "select n, nullif(n, 250) as m from generate_series(1, 300) n", keyset=["n", "m"])
        with pytest.raises(asyncpg.UndefinedColumnError):
            await read(target, "select 1 as n", keyset="m")
    with pytest.raises(ValueError, match="names no column"):
        chunked(asyncpg.create_pool(dsn), "select 1", keyset=[])


async def test_pages_keep_no_transaction(dsn: str) -> None:
    async with reaching("kernel", dsn) as target:
        await target.execute("create table t as select n, 0 as seen from generate_series(1, 1000) n")
        async for chunk in chunked(target, "select n from t where seen = 0", max_bytes="16KiB", keyset="n"):
            await target.execute("update t set seen = 1 where n = any($1::int[])", [row["n"] for row in chunk])
        assert await target.fetchval("select count(*) from t where seen = 1") == 1000


async def test_bad_input(dsn: str) -> None:
    async with reaching("asyncpg pool", dsn) as target:
        with pytest.raises(ValueError, match="is not a size"):
            chunked(target, "select 1", max_bytes="much")
        with pytest.raises(ValueError, match="positive"):
            chunked(target, "select 1", max_bytes=0)
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await read(target, "selec 1")
        assert await clean(target)
    with pytest.raises(TypeError, match=r"from a galvo\.Kernel, a pool or a connection, not from 'postgresql"):
        chunked("postgresql://", "select 1")
