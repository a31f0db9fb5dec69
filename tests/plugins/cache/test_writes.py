"""After a write was acknowledged nobody sees what was before, whatever the write was and however it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import anyio
import asyncpg
import pytest

from tests.plugins.cache.stand import ALL, JOBS, LOG, PRICE, RAISE, Stand, locked, standing

pytestmark = pytest.mark.anyio
Write = Callable[[Stand], Awaitable[Any]]
WRITES: dict[str, Write] = {
    "update": lambda s: s.kernel.execute(RAISE, 1),
    "without arguments": lambda s: s.kernel.execute("update material set price = 9 where id = 1"),
    "by fetch": lambda s: s.kernel.fetch(RAISE + " returning price", 1),
    "by fetchrow": lambda s: s.kernel.fetchrow(RAISE + " returning *", 1),
    "by fetchval": lambda s: s.kernel.fetchval(RAISE + " returning price", 1),
    "executemany": lambda s: s.kernel.executemany("update material set price = $1 where id = $2", [(8, 2), (9, 1)]),
    "script": lambda s: s.kernel.execute("select 1; update material set price = 9 where id = 1; select 2"),
    "script of a transaction": lambda s: s.kernel.execute("BEGIN; update material set price = 9; COMMIT"),
    "cte": lambda s: s.kernel.fetch("with x as (update material set price = 9 returning id) select id from x"),
    "upsert": lambda s: s.kernel.execute(
        "insert into material values (1, 'x', 9, '{}') on conflict (id) do update set price = excluded.price"
    ),
    "merge": lambda s: s.kernel.execute(
        "merge into material m using (values (1)) v(id) on v.id = m.id when matched then update set price = 9"
    ),
    "delete": lambda s: s.kernel.execute("delete from material where id = 1"),
    "truncate": lambda s: s.kernel.execute("truncate material, job"),
    "do": lambda s: s.kernel.execute("do $$ begin update material set price = 9; end $$"),
    "explain analyze": lambda s: s.kernel.fetch("explain analyze update material set price = 9"),
    "prepared": lambda s: s.kernel.execute("prepare p as update material set price = 9; execute p; deallocate p"),
    "comment first": lambda s: s.kernel.execute("/* select */ -- select\nupdate material set price = 9"),
    "other schema spelling": lambda s: s.kernel.execute('update "public"."material" set price = 9'),
}


async def test_every_kind_of_write(dsn: str) -> None:
    async with standing(dsn) as stand:
        for name, write in WRITES.items():
            await stand.other.execute(
                "truncate material, job; insert into material values (1, 'm', 1.5, '{}'), (2, 'n', 3, '{}')"
            )
            stand.kernel.find_capability("cache").clear()
            assert await stand.warm(PRICE, 1) == Decimal("1.50"), name
            await write(stand)
            after = await stand.kernel.fetchval(PRICE, 1)
            assert after == await stand.truth(PRICE, 1), name
            assert after != Decimal("1.50"), f"{name} has written nothing, so nothing was tested"
            await stand.warm(PRICE, 1)
            assert stand["pending"] == 0


async def test_effects_in_tables_that_the_write_does_not_name(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(JOBS)
        await stand.kernel.execute("delete from material where id = 1")
        assert await stand.fresh(JOBS) == 4
        await stand.kernel.execute("truncate material cascade")
        assert await stand.fresh(JOBS) == 0
        await stand.other.execute(
            """create function note() returns trigger language plpgsql as
               $$ begin insert into log(line) values ('x'); return null; end $$;
               create function count_log() returns bigint language sql volatile as
               $$ insert into log(line) values ('y'); select count(*) from log $$;
               create view shown as select id, price from material where price > 0"""
        )
        await stand.kernel.execute("create trigger noted after insert on material for each row execute function note()")
        await stand.warm(LOG)
        await stand.kernel.execute("insert into material values (1, 'a', 1, '{}')")
        assert await stand.fresh(LOG) == 1
        await stand.warm(LOG)
        await stand.kernel.fetch("select count_log()")
        assert await stand.fresh(LOG) == 2
        await stand.warm(PRICE, 1)
        await stand.kernel.execute("update shown set price = 7 where id = 1")
        assert await stand.fresh(PRICE, 1) == 7


async def test_a_write_leaves_other_tables_alone(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        await stand.kernel.execute("insert into log(line) values ('x')")
        before = stand.ran(PRICE)
        await stand.kernel.fetchval(PRICE, 1)
        assert stand.ran(PRICE) == before
        assert (stand["writes"], stand["flushes"]) == (1, 0)


async def test_a_failed_write(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        with pytest.raises(asyncpg.UniqueViolationError):
            await stand.kernel.execute("insert into material values (1, 'a', 1, '{}')")
        assert stand["pending"] == 0
        await stand.fresh(PRICE, 1)
        await stand.warm(PRICE, 1)


# -- races ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
async def test_a_reader_that_read_before_and_stores_after(dsn: str, after: bool) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(PRICE, 2)
        stop = stand.gate.stop(PRICE, after=after)
        early = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
        await stop.reached.wait()
        await stand.kernel.execute(RAISE, 1)
        stop.go.set()
        await early
        assert (stand["overtaken"], stand["entries"]) == (1, 1)
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")


async def test_a_reader_between_a_write_and_its_end(dsn: str) -> None:
    """The write is in the database, and nobody knows yet: what is read then is not kept, or it is new."""
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        for after in (False, True):
            stop = stand.gate.stop("update material", after=after)
            write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
            await stop.reached.wait()
            assert stand["pending"] > 0
            stored = stand["stored"]
            await stand.fresh(PRICE, 1)
            assert stand["stored"] == stored
            stop.go.set()
            await write
            await stand.fresh(PRICE, 1)
            assert stand["pending"] == 0
        assert stand["bypassed"] == 2
        await stand.warm(PRICE, 1)


async def test_a_read_that_began_during_a_write_and_ends_after_it(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        writing = stand.gate.stop("update material")
        write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
        await writing.reached.wait()
        reading = stand.gate.stop(PRICE, after=True)
        read = asyncio.create_task(stand.kernel.fetchval(PRICE, 1))
        await reading.reached.wait()
        writing.go.set()
        await write
        reading.go.set()
        assert await read == Decimal("1.50")
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")


async def test_two_writes_at_once(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        first, second = stand.gate.stop("update material", after=True), stand.gate.stop("update material", after=True)
        tasks = [asyncio.create_task(stand.kernel.execute(RAISE, 1)) for _ in range(2)]
        await first.reached.wait()
        await second.reached.wait()
        both = stand["pending"]
        first.go.set()
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert stand["pending"] == both / 2 > 0
        stored = stand["stored"]
        await stand.fresh(PRICE, 1)
        assert stand["stored"] == stored
        second.go.set()
        await asyncio.gather(*tasks)
        assert await stand.warm(PRICE, 1) == Decimal("3.50")


async def test_a_write_cancelled_while_it_waits_for_a_row(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        await stand.other.execute("begin; select 1 from material where id = 1 for update")
        write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
        watch = await asyncpg.connect(dsn)
        await locked(watch)
        await watch.close()
        write.cancel()
        with pytest.raises(asyncio.CancelledError):
            await write
        await stand.other.execute("rollback")
        assert await stand.fresh(PRICE, 1) == Decimal("1.50")
        assert stand["pending"] == 0, "the server has ended it, so its outcome is known"
        await stand.warm(PRICE, 1)


async def test_a_write_that_times_out(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        await stand.other.execute("begin; select 1 from material where id = 1 for update")
        for scope in (False, True):
            with pytest.raises(TimeoutError), anyio.fail_after(0.05 if scope else None):
                await stand.kernel.execute(RAISE, 1, timeout=None if scope else 0.05)
        await stand.other.execute("rollback")
        assert await stand.fresh(PRICE, 1) == Decimal("1.50")
        assert stand["pending"] == 0
        await stand.warm(PRICE, 1)


async def test_a_write_cancelled_after_the_database_ran_it(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        stop = stand.gate.stop("update material", after=True)
        write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
        await stop.reached.wait()
        write.cancel()
        with pytest.raises(asyncio.CancelledError):
            await write
        assert await stand.fresh(PRICE, 1) == Decimal("2.50")


async def test_a_connection_lost_in_the_middle_of_a_write(dsn: str) -> None:
    """Nobody knows whether it committed: for a while nothing of its tables is kept, then all is as before."""
    async with standing(dsn, {"unknown_outcome": 2.0}) as stand:
        await stand.warm(PRICE, 1)
        await stand.warm(LOG)
        await stand.other.execute("begin; select 1 from material where id = 1 for update")
        write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
        watch = await asyncpg.connect(dsn)
        await locked(watch)
        await watch.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database()"
        )
        await watch.close()
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)):
            await write
        await stand.other.execute("rollback")
        with anyio.fail_after(10):  # until a new connection has told where it leads, nothing is served
            while not await stand.hits(LOG):
                pass
        assert stand["pending"] > 0, "other tables are served meanwhile"
        for _ in range(3):
            stored = stand["stored"]
            await stand.fresh(PRICE, 1)
            assert stand["stored"] == stored
        with anyio.fail_after(10):
            while stand["pending"]:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        await stand.warm(PRICE, 1)


# -- schema changes ------------------------------------------------------------------------------------


async def test_ddl_through_galvo(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm("select * from material order by id")
        await stand.warm(JOBS)
        await stand.kernel.execute("alter table material add column extra int default 7")
        row = await stand.kernel.fetchrow("select * from material order by id")
        assert row["extra"] == 7
        await stand.kernel.execute("drop table job cascade")
        with pytest.raises(asyncpg.UndefinedTableError):
            await stand.kernel.fetchval(JOBS)
        await stand.kernel.execute("create table job(id int)")
        assert await stand.warm(JOBS) == 0
        await stand.kernel.execute("insert into job values (1)")
        assert await stand.fresh(JOBS) == 1
        await stand.kernel.execute("alter table job rename to work; create view job as select random() as id")
        assert (await stand.kernel.explain(JOBS))["cache"]["cacheable"] is False


async def test_a_statement_analysed_before_a_trigger_came_and_run_after(dsn: str) -> None:
    """The write waits in the pool while another task adds the trigger: its own analysis is out of date."""
    async with standing(dsn) as stand:
        await stand.other.execute(
            """create function note() returns trigger language plpgsql as
               $$ begin insert into log(line) values ('x'); return null; end $$"""
        )
        trigger = "create trigger noted after update on material for each row execute function note()"
        stop = stand.gate.stop("update material")
        write = asyncio.create_task(stand.kernel.execute(RAISE, 1))
        await stop.reached.wait()
        await stand.kernel.execute(trigger)
        assert await stand.warm(LOG) == 0
        stop.go.set()
        await write
        assert await stand.fresh(LOG) == 1


async def test_the_same_within_a_transaction(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.other.execute(
            """create function note() returns trigger language plpgsql as
               $$ begin insert into log(line) values ('x'); return null; end $$"""
        )
        trigger = "create trigger noted after update on material for each row execute function note()"
        stop = stand.gate.stop("update material")

        async def transact() -> None:
            async with stand.kernel.transaction() as session:
                await session.execute(RAISE, 1)

        write = asyncio.create_task(transact())
        await stop.reached.wait()
        await stand.kernel.execute(trigger)
        assert await stand.warm(LOG) == 0
        stop.go.set()
        await write
        assert await stand.fresh(LOG) == 1


async def test_a_catalog_read_while_the_schema_changes(dsn: str) -> None:
    """It shows what was before, and is forgotten when the change has been made."""
    async with standing(dsn) as stand:
        await stand.other.execute(
            """create function note() returns trigger language plpgsql as
               $$ begin insert into log(line) values ('x'); return null; end $$"""
        )
        stop = stand.gate.stop("create trigger")
        trigger = "create trigger noted after update on material for each row execute function note()"
        change = asyncio.create_task(stand.kernel.execute(trigger))
        await stop.reached.wait()
        assert (await stand.kernel.explain(RAISE))["cache"]["effect"] == "write"
        stop.go.set()
        await change
        await stand.warm(LOG)
        await stand.kernel.execute(RAISE, 1)
        assert await stand.fresh(LOG) == 1


async def test_a_read_analysed_before_ddl_and_kept_after(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.kernel.fetchval(LOG)
        stop = stand.gate.stop(ALL, after=True)
        read = asyncio.create_task(stand.kernel.fetch(ALL))
        await stop.reached.wait()
        await stand.kernel.execute("alter table material alter name type varchar(1) using 'z'")
        stop.go.set()
        assert (await read)[0]["name"] == "m1"
        assert (await stand.kernel.fetch(ALL))[0]["name"] == "z"


async def test_the_catalog_cannot_be_read(dsn: str) -> None:
    """Then nothing is kept, every statement may do anything, and the queries run."""
    role = "reader_of_" + dsn.split("/")[3].split("?")[0]
    setup = f"""create role {role}; grant all on all tables in schema public to {role};
                grant all on all sequences in schema public to {role}; revoke all on pg_proc from public"""
    async with standing(dsn, setup=setup, server_settings={"role": role}) as stand:
        for _ in range(2):
            assert await stand.kernel.fetchval(PRICE, 1) == Decimal("1.50")
            await stand.kernel.execute("insert into log(line) values ('x')")
            async with stand.kernel.transaction() as session:
                await session.execute("insert into log(line) values ('y')")
        assert await stand.fresh(LOG) == 4
        assert (stand["entries"], stand["hits"], stand["pending"]) == (0, 0, 0)
        assert (await stand.kernel.explain(PRICE))["cache"]["reason"] == "catalog_unavailable"
        await stand.other.execute("grant select on pg_proc to public")
        await stand.kernel.execute("analyze log")  # it looks again
        await stand.warm(PRICE, 1)
        await stand.other.execute(f"drop owned by {role}; drop role {role}")
