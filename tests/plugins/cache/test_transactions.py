"""What a transaction does is its own until COMMIT, and everybody's before the caller gets control."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from typing import Any

import anyio
import asyncpg
import pytest

from galvo_embedded import Servers
from tests.plugins.cache.stand import JOBS, LOG, PRICE, RAISE, locked, standing

pytestmark = pytest.mark.anyio


class Rollback(Exception):
    pass


async def test_dirty_reads_are_the_sessions_own(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        for end in ("commit", "rollback"):
            before = await stand.truth(PRICE, 1)
            try:
                async with stand.kernel.transaction() as session:
                    await session.execute(RAISE, 1)
                    assert await session.fetchval(PRICE, 1) == before + 1
                    assert await stand.fresh(PRICE, 1) == before
                    assert await stand.warm(PRICE, 1) == before, "others read from the cache meanwhile"
                    if end == "rollback":
                        raise Rollback
            except Rollback:
                pass
            assert await stand.fresh(PRICE, 1) == before + (end == "commit")
            await stand.warm(PRICE, 1)
        assert stand["pending"] == 0


async def test_savepoints(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        await stand.warm(LOG)
        async with stand.kernel.transaction() as session:
            await session.execute("insert into log(line) values ('kept')")
            try:
                async with session.transaction():
                    await session.execute(RAISE, 1)
                    raise Rollback
            except Rollback:
                pass
            async with session.transaction():
                await session.execute("insert into log(line) values ('kept too')")
        assert await stand.fresh(LOG) == 2
        assert await stand.fresh(PRICE, 1) == Decimal("1.50")


async def test_writes_of_before_a_rolled_back_savepoint_count(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(LOG)
        async with stand.kernel.acquire() as session:
            for sql in (
                "begin", "insert into log(line) values ('a')", "savepoint s", "delete from log", "rollback to s",
                "release s", "commit",
            ):  # fmt: skip
                await session.execute(sql)
        assert await stand.fresh(LOG) == 1
        assert stand["flushes"] == 0


async def test_what_was_rolled_back_costs_nobody_a_hit(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        before = stand.ran(PRICE)
        async with stand.kernel.acquire() as session:
            for sql in ("begin", "update material set price = 9", "rollback and chain", "commit"):
                await session.execute(sql)
        await stand.fresh(PRICE, 1)
        assert stand.ran(PRICE) == before


@pytest.mark.parametrize("after", [False, True])
async def test_nobody_sees_the_old_after_the_caller_has_control(dsn: str, after: bool) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        stop = stand.gate.stop("COMMIT", after=after)
        committed = anyio.Event()

        async def transact() -> None:
            async with stand.kernel.transaction() as session:
                await session.execute(RAISE, 1)
            committed.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transact)
            await stop.reached.wait()
            stored = stand["stored"]
            assert await stand.fresh(PRICE, 1) == Decimal("2.50" if after else "1.50")
            assert stand["stored"] == stored
            stop.go.set()
            await committed.wait()
            assert await stand.fresh(PRICE, 1) == Decimal("2.50")
        await stand.warm(PRICE, 1)


async def test_a_reader_across_the_commit_is_not_kept(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 9)
        async with stand.kernel.transaction() as session:
            await session.execute(RAISE, 1)
            stop = stand.gate.stop(PRICE, after=True)
            read = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
            await stop.reached.wait()
        stop.go.set()
        assert await read == Decimal("1.50")
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")
        assert stand["overtaken"] == 1


async def test_a_commit_that_fails(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.other.execute(
            "alter table job drop constraint job_material_fkey;"
            "alter table job add foreign key (material) references material deferrable initially deferred"
        )
        await stand.warm(JOBS)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with stand.kernel.transaction() as session:
                await session.execute("insert into job values (9, 999)")
        assert await stand.fresh(JOBS) == 5
        assert stand["pending"] == 0
        async with stand.kernel.acquire() as session:
            await session.execute("begin")
            await session.execute("insert into job values (9, 999)")
            with pytest.raises(asyncpg.ForeignKeyViolationError):
                await session.execute("commit")
            await session.execute("insert into job values (9, 1)")
        assert await stand.fresh(JOBS) == 6


async def test_a_commit_of_a_broken_transaction_rolls_back(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        async with stand.kernel.acquire() as session:
            await session.execute("begin")
            await session.execute(RAISE, 1)
            with pytest.raises(asyncpg.DivisionByZeroError):
                await session.execute("select 1 / 0")
            with pytest.raises(asyncpg.InFailedSQLTransactionError):
                await session.fetch("select 1")
            assert await session.execute("commit") == "ROLLBACK"
            assert not session.in_transaction
            await session.execute(RAISE, 1)
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")


SCRIPTS = {
    "all in one": ["BEGIN; update material set price = 9; COMMIT"],
    "begin in a script": ["select 1; BEGIN; update material set price = 9", "COMMIT"],
    "begin with a write": ["BEGIN; update material set price = 9", "select 1", "COMMIT"],
    "commit in a script": ["BEGIN", "update material set price = 9", "select 1; COMMIT; select 2"],
    "commit and begin": ["BEGIN", "update material set price = 8", "COMMIT; BEGIN", RAISE.replace("$1", "1"), "COMMIT"],
    "end": ["START TRANSACTION", "update material set price = 9", "END"],
    "commit work": ["BEGIN WORK", "update material set price = 9", "COMMIT WORK"],
    "comment": ["/* hi */ BEGIN", "update material set price = 9", "-- now\nCOMMIT"],
    "and chain": ["BEGIN", "select 1", "COMMIT AND CHAIN", "update material set price = 9", "COMMIT"],
    "chain after a write": ["BEGIN", "update material set price = 9", "COMMIT AND CHAIN", "ROLLBACK"],
    "rollback and chain": ["BEGIN", "select 1", "ROLLBACK AND CHAIN", "update material set price = 9", "COMMIT"],
    "rollback first": ["BEGIN", "delete from log", "ROLLBACK", "BEGIN", "update material set price = 9", "COMMIT"],
    "second begin": ["BEGIN", "update material set price = 9", "BEGIN", "COMMIT"],
    "do in between": ["BEGIN", "do $$ begin update material set price = 9; end $$", "COMMIT"],
    "no transaction": ["update material set price = 9", "COMMIT"],
    "procedure that commits": ["call twice()"],
}


async def test_raw_scripts_on_a_session(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.other.execute(
            """create procedure twice() language plpgsql as $$ begin
               update material set price = 8; commit; update material set price = 9; end $$"""
        )
        notices: list[str] = []
        for name, script in SCRIPTS.items():
            await stand.other.execute("update material set price = 1.5")
            stand.kernel.find_capability("cache").clear()
            await stand.warm(PRICE, 1)
            async with stand.kernel.acquire() as session:
                for sql in script:
                    await session.execute(sql)
                    await stand.fresh(PRICE, 1)
                    await stand.kernel.fetchval(PRICE, 1)  # kept, if it may be
            assert await stand.fresh(PRICE, 1) == 9, name
            assert stand["pending"] == 0
            notices.append(name)
        assert len(notices) == len(SCRIPTS)


async def test_a_commit_and_chain_that_was_never_sent(dsn: str) -> None:
    """Another task of the session is at it: the COMMIT is refused, and the transaction is as dirty as before."""
    async with standing(dsn, {"unknown_outcome": 0}) as stand:
        await stand.warm(PRICE, 1)
        async with stand.kernel.acquire() as session:
            await session.execute("begin")
            await session.execute(RAISE, 1)
            await stand.other.execute("select pg_advisory_lock(1)")
            busy = asyncio.create_task(session.fetch("select pg_advisory_xact_lock(1)"))
            await locked(stand.other)
            with pytest.raises(asyncpg.InterfaceError):
                await session.execute("commit and chain")
            await stand.other.execute("select pg_advisory_unlock(1)")
            await busy
            assert await stand.warm(PRICE, 1) == Decimal("1.50")
            await session.execute("commit")
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")


async def test_a_session_that_ends_without_commit(dsn: str, recwarn: pytest.WarningsRecorder) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        loop = asyncio.get_running_loop()
        told: list[Any] = []
        loop.set_exception_handler(lambda _, context: told.append(context["message"]))
        async with stand.kernel.acquire() as session:
            await session.execute("begin")
            await session.execute(RAISE, 1)
        loop.set_exception_handler(None)
        assert [message[:39] for message in told] == ["Resetting connection with an active tra"]
        assert await stand.fresh(PRICE, 1) == Decimal("1.50")
        assert stand["pending"] == 0
        assert await stand.truth("select count(*) from pg_stat_activity where state like 'idle in%'") == 0


async def test_a_commit_cancelled_while_it_waits(dsn: str) -> None:
    """A deferred trigger of the COMMIT waits for a lock; its outcome is known once the server has ended it."""
    async with standing(dsn) as stand:
        await stand.other.execute(
            """create function wait() returns trigger language plpgsql as
               $$ begin perform pg_advisory_xact_lock(7); return null; end $$;
               create constraint trigger waits after update on material deferrable initially deferred
               for each row execute function wait()"""
        )
        await stand.warm(PRICE, 1)
        for end in ("cancel", "let go"):
            before = await stand.truth(PRICE, 1)
            await stand.other.execute("select pg_advisory_lock(7)")

            async def transact() -> None:
                async with stand.kernel.transaction() as session:
                    await session.execute(RAISE, 1)

            task = asyncio.create_task(transact())
            watch = await asyncpg.connect(dsn)
            await locked(watch)
            await watch.close()
            if end == "cancel":
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await stand.other.execute("select pg_advisory_unlock(7)")
            if end == "let go":
                await task
            assert await stand.fresh(PRICE, 1) == before + (end == "let go")
            assert stand["pending"] == 0
            await stand.warm(PRICE, 1)


@pytest.mark.parametrize("isolation", ["repeatable_read", "serializable"])
async def test_an_old_snapshot_is_not_published(dsn: str, isolation: Any) -> None:
    async with standing(dsn) as stand:
        async with stand.kernel.transaction(isolation=isolation, readonly=True) as session:
            assert await session.fetchval(PRICE, 1) == Decimal("1.50")
            await stand.kernel.execute(RAISE, 1)
            assert await stand.warm(PRICE, 1) == Decimal("2.50")
            assert await session.fetchval(PRICE, 1) == Decimal("1.50"), "and it does not see newer answers"
            assert await stand.fresh(PRICE, 1) == Decimal("2.50")
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")


async def test_a_schema_change_in_a_transaction_does_not_wait_for_itself(
    dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The catalog must be read again, and the only connection is this session's own."""
    async with standing(dsn, max_size=1, acquire_timeout=0.5) as stand:
        await stand.warm(PRICE, 1)
        async with stand.kernel.transaction() as session:
            await session.execute("alter table material add column extra int default 3")
            await session.execute("update material set extra = 4 where id = 1")
            assert await session.fetchval("select extra from material where id = 1") == 4
            await session.execute("insert into log(line) values ('x')")
        assert "cannot read the catalog" not in caplog.text
        assert await stand.fresh("select extra from material where id = 1") == 4
        assert await stand.fresh(LOG) == 1


async def test_prepared_transactions(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """COMMIT PREPARED may write anything, from whatever session it comes."""
    servers = Servers(_folder(tmp_path_factory), options={"fsync": "off", "max_prepared_transactions": "2"})
    try:
        async with standing(await servers.postgres()) as stand:
            await stand.warm(PRICE, 1)
            for number, end in enumerate(("COMMIT", "ROLLBACK")):
                before = await stand.truth(PRICE, 1)
                async with stand.kernel.acquire() as session:
                    await session.execute("BEGIN")
                    await session.execute(RAISE, 1)
                    await session.execute(f"PREPARE TRANSACTION 'p{number}'")
                assert await stand.warm(PRICE, 1) == before
                await stand.kernel.execute(f"{end} PREPARED 'p{number}'")
                assert await stand.fresh(PRICE, 1) == before + (end == "COMMIT")
    finally:
        servers.close()


def _folder(factory: pytest.TempPathFactory) -> Any:
    folder = factory.mktemp("prepared")
    for parent in (folder, *folder.parents):
        if re.match(r"/tmp/pytest", str(parent)):  # noqa: S108  # as root the server runs as nobody, who must get in
            parent.chmod(0o711)
    return folder
