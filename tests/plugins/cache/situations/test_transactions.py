"""41 to 47: what is not committed, not yet, not any more, or only partly read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from galvo_embedded import Servers
from tests.plugins.cache.situations.situation import LOST, Situation, connected, two, until
from tests.plugins.cache.stand import ALL, JOBS, LOG, PRICE, RAISE

pytestmark = pytest.mark.anyio

OLD, NEW = [(Decimal("1.50"),)], [(Decimal("2.50"),)]


@pytest.mark.parametrize("end", ["commit", "rollback", "rollback to s", "rollback and chain", "lost"])
async def test_41_uncommitted_data_is_nobodys(dsn: str, end: str) -> None:
    """The writer has read its own rows; others never see them before COMMIT, and after ROLLBACK nobody does."""
    async with two(dsn) as s:
        assert await s.kept(PRICE, 1) == OLD
        async with s.kernel.acquire() as session:
            for sql in ("begin", "savepoint s"):
                await session.execute(sql)
            await session.execute(RAISE, 1)
            for _ in range(3):
                assert await session.fetchval(PRICE, 1) == Decimal("2.50")
                assert await s.kept(PRICE, 1) == OLD, "others hit meanwhile"
            if end == "lost":
                await s.admin.execute(
                    "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                    " where state = 'idle in transaction' and datname = current_database()"
                )
                await s.other.fetch("select 1")  # by now the loop knows
                with pytest.raises(LOST):
                    await session.execute("commit")
            elif end == "rollback to s":
                await session.execute(end)
                assert await session.fetchval(PRICE, 1) == Decimal("1.50")
                await session.execute("commit")
            elif end != "rollback and chain":
                await session.execute(end)
            else:
                await session.execute(end)
                await session.execute("commit")
            assert await s.right(PRICE, 1) == (NEW if end == "commit" else OLD)
        await s.reconnect()
        assert await s.right(PRICE, 1) == (NEW if end == "commit" else OLD)
        await until(lambda: quiet(s))
        await s.awake()
        await s.kept(PRICE, 1)


async def quiet(s: Situation) -> bool:
    return not s["pending"]


async def test_41_an_insert_that_was_rolled_back(dsn: str) -> None:
    """The empty answer of before is right again."""
    async with two(dsn) as s:
        assert await s.kept(PRICE, 9) == []
        with pytest.raises(LookupError):  # noqa: PT012  # the transaction's own end is what is tested
            async with s.kernel.transaction() as session:
                await session.execute("insert into material values (9, 'm9', 9, '{}')")
                assert await session.fetchval(PRICE, 9) == 9
                assert await s.kept(PRICE, 9) == []
                raise LookupError
        await s.still_kept(PRICE, 9)


async def test_42_the_writer_sees_its_own_writes(dsn: str) -> None:
    """What was cached before does not hide them, in any statement of the transaction."""
    asked = ("select price from material where id = 1", "select sum(price) from material", ALL, JOBS)
    async with two(dsn) as s:
        for sql in asked:
            await s.kept(sql)
        async with s.session("begin") as pair:
            await pair.both("set local lock_timeout = '1s'")
            await pair.both("savepoint only_here")
            for write in (
                "update material set price = price + 1 where id = 1", "delete from material where id = 2",
                "insert into material values (9, 'm9', 9, '{}')",
            ):  # fmt: skip
                await pair.session.execute(write)
                told = [[tuple(row) for row in await pair.session.fetch(sql)] for sql in asked]
                await pair.session.execute("rollback to only_here")
                await pair.twin.execute(write)
                assert told == [[tuple(row) for row in await pair.twin.fetch(sql)] for sql in asked]
                await pair.twin.execute("rollback to only_here")
            await pair.both("rollback")
        for sql in asked:
            await s.still_kept(sql)


@pytest.mark.parametrize("held", ["update material", "COMMIT"])
@pytest.mark.parametrize("after", [False, True])
async def test_43_somebody_reads_between_write_and_commit(dsn: str, held: str, after: bool) -> None:
    """The answer of before the COMMIT is stored again by another reader: it must not outlive the COMMIT."""
    async with two(dsn) as s:
        await s.kept(PRICE, 1)
        stop = s.gate.stop(held, after=after)

        async def transact() -> None:
            async with s.kernel.transaction() as session:
                await session.execute(RAISE, 1)

        writer = asyncio.create_task(transact())
        await stop.reached.wait()
        s.kernel.find_capability("cache").clear()
        for _ in range(3):
            await s.right(PRICE, 1)
        stop.go.set()
        await writer
        assert await s.right(PRICE, 1) == NEW
        await s.kept(PRICE, 1)


@pytest.mark.parametrize("isolation", ["repeatable_read", "serializable"])
async def test_44_a_snapshot_neither_reads_nor_publishes(dsn: str, isolation: Any) -> None:
    """It does not see newer answers, and its old ones do not become anybody's."""
    async with two(dsn) as s:
        async with s.kernel.transaction(isolation=isolation) as session:
            assert await session.fetchval(PRICE, 1) == Decimal("1.50")
            await s.write(RAISE, 1)
            assert await s.kept(PRICE, 1) == NEW
            for _ in range(3):
                assert await session.fetchval(PRICE, 1) == Decimal("1.50")
                assert await session.fetchval("select sum(price) from material") == Decimal("22.50")
                assert await s.kept("select sum(price) from material") == [(Decimal("23.50"),)]
            s.kernel.find_capability("cache").clear()
            await session.fetchval(PRICE, 1)
            assert await s.kept(PRICE, 1) == NEW
        assert await s.kept(PRICE, 1) == NEW


async def test_44_a_snapshot_taken_from_elsewhere(dsn: str) -> None:
    """SET TRANSACTION SNAPSHOT, and a default isolation level that no BEGIN names."""
    async with two(dsn, min_size=2) as s:
        async with s.session("set default_transaction_isolation = 'repeatable read'", "begin") as pair:
            await pair.right(PRICE, 1)
            await s.write(RAISE, 1)
            await s.kept(PRICE, 1)
            assert await pair.right(PRICE, 1) == OLD
            snapshot = await pair.twin.fetchval("select pg_export_snapshot()")
            async with s.kernel.acquire() as late:
                await late.execute("begin isolation level repeatable read")
                await late.execute(f"set transaction snapshot '{snapshot}'")
                assert await late.fetchval(PRICE, 1) == Decimal("1.50")
                assert await s.kept(PRICE, 1) == NEW
                await late.execute("commit")
            await pair.both("commit")
        await s.kept(PRICE, 1)


async def test_45_commit_prepared(folder: Path) -> None:
    """From whatever session it comes; until then others hit what was before."""
    own = Servers(folder, options={"fsync": "off", "max_prepared_transactions": "4"})
    try:
        async with two(await own.postgres(), min_size=2) as s:
            for number, (how, end) in enumerate(
                (how, end) for how in ("session", "kernel") for end in ("commit", "rollback")
            ):
                before = await s.kept(PRICE, 1)
                async with s.kernel.acquire() as session:
                    await session.execute("begin")
                    await session.execute(RAISE, 1)
                    await session.execute(f"prepare transaction 'p{number}'")
                    assert await s.kept(PRICE, 1) == before
                    if how == "session":
                        await session.execute(f"{end} prepared 'p{number}'")
                if how == "kernel":
                    assert await s.kept(PRICE, 1) == before
                    await s.write(f"{end} prepared 'p{number}'")
                after = await s.kept(PRICE, 1)
                assert (after == before) is (end == "rollback")
    finally:
        own.close()


@asynccontextmanager
async def losing(dsn: str, folder: Path, word: bytes) -> AsyncIterator[str]:
    """The DSN of a proxy that hangs up when the server has answered what held `word`."""
    path = parse_qs(urlsplit(dsn).query)["host"][0]
    pipes: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(f"{path}/.s.PGSQL.5432")
        doomed = asyncio.Event()

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, up: bool) -> None:
            try:
                while chunk := await source.read(65536):
                    if up and word in chunk:
                        doomed.set()
                    elif not up and doomed.is_set():
                        break
                    target.write(chunk)
            finally:
                for each in (target, writer, there_writer):
                    each.close()

        tasks = [
            asyncio.ensure_future(copy(reader, there_writer, True)),
            asyncio.ensure_future(copy(there_reader, writer, False)),
        ]
        pipes.update(tasks)
        await asyncio.gather(*tasks, return_exceptions=True)

    server = await asyncio.start_unix_server(serve, folder / ".s.PGSQL.5432")
    try:
        yield dsn.replace(f"host={path}", f"host={folder}")
    finally:
        server.close()
        for pipe in pipes:
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)


@pytest.mark.parametrize("word", [b"COMMIT", b"m1"])
async def test_45_the_answer_to_commit_never_came(dsn: str, folder: Path, word: bytes) -> None:
    """The connection is lost after the server has committed: it counts as committed."""
    by_name = "update material set price = price + 1 where name = $1"
    async with losing(dsn, folder, word) as url, two(dsn, cache={"unknown_outcome": 0.3}, url=url) as s:
        assert await s.kept(PRICE, 1) == OLD
        await s.write(by_name, "nobody")  # from now on it is sent without its text
        assert await s.kept(PRICE, 1) == OLD
        await s.kept(LOG)
        with pytest.raises(LOST):  # noqa: PT012  # at the COMMIT
            if word == b"COMMIT":
                async with s.kernel.transaction() as session:
                    await session.execute(RAISE, 1)
            else:
                await s.write(by_name, "m1")
        await until(lambda: committed(s))
        assert await s.right(PRICE, 1) == NEW
        await until(lambda: quiet(s))
        assert await s.kept(PRICE, 1) == NEW
        await s.kept(LOG)


async def committed(s: Situation) -> bool:
    return bool(await s.truth(PRICE, 1) == Decimal("2.50"))


async def test_46_errors_do_not_end_the_caching(dsn: str) -> None:
    """A unique violation, alone and in a transaction, a broken transaction, a lost connection: then hits again."""
    again = "insert into material values (1, 'm1', 1, '{}')"
    async with two(dsn, max_size=1) as s:
        await s.kept(PRICE, 1)
        for _ in range(2):
            with pytest.raises(asyncpg.UniqueViolationError):
                await s.write(again)
            await s.kept(PRICE, 1)
            with pytest.raises(asyncpg.UniqueViolationError):  # noqa: PT012  # and it rolls back
                async with s.kernel.transaction() as session:
                    await session.execute(RAISE, 1)
                    await session.execute(again)
            assert await s.kept(PRICE, 1) == OLD
            async with s.kernel.acquire() as session:
                await session.execute("begin")
                with pytest.raises(asyncpg.UniqueViolationError):
                    await session.execute(again)
                with pytest.raises(asyncpg.InFailedSQLTransactionError):
                    await session.fetch("select 1")
                await session.execute("rollback")
            await s.kept(PRICE, 1)
            await s.reconnect()
            await s.kept(PRICE, 1)
            await s.kept(LOG)
        await s.write(RAISE, 1)
        assert await s.kept(PRICE, 1) == NEW


async def test_47_cursors_and_partial_reads(dsn: str) -> None:
    """One row fetched is not the whole answer; FETCH gives other rows each time."""
    async with two(dsn) as s:
        sql = "select id from material order by id"
        for _ in range(3):
            assert (await s.kernel.fetchrow(sql))["id"] == 1
            assert await s.kernel.fetchval(sql) == 1
        assert len(await s.kept(sql)) == 5
        async with s.kernel.transaction() as session:
            await session.execute(f"declare c cursor for {sql}")
            told = [[row["id"] for row in await session.fetch("fetch 2 from c")] for _ in range(4)]
            assert told == [[1, 2], [3, 4], [5], []]
            await session.execute("close c")
        assert len(await s.kept(sql)) == 5
        async with s.kernel.transaction() as session:
            await session.execute("declare c cursor for select id from material for update")
            await session.fetch("fetch 1 from c")
            await session.execute("update material set price = 99 where current of c")
        await s.right("select id, price from material")


async def test_47_a_name_that_means_another_relation_now(dsn: str) -> None:
    """The dependencies are those of the statement today, not those of when it was first parsed."""
    sql = "select * from thing"
    async with two(dsn, "create table thing(id int); insert into thing values (1);") as s:
        await s.kept(sql)
        await s.write("alter table thing rename to was; create view thing as select id from job")
        await s.reconnect()
        async with connected(dsn) as s.other:
            await s.right(sql)
            await s.write("insert into job values (9, 1)")
            assert len(await s.right(sql)) == 6
            await s.write("insert into was values (2)")
            assert len(await s.right(sql)) == 6
