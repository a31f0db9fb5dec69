"""48, 49, 53 and 61 to 65: readers, writers and waiters of one process."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import anyio
import asyncpg
import pytest

from tests.plugins.cache.situations.situation import two
from tests.plugins.cache.stand import ALL, JOBS, LOG, PRICE, RAISE, locked

pytestmark = pytest.mark.anyio

OLD, NEW = [(Decimal("1.50"),)], [(Decimal("2.50"),)]
WRITES = {
    "a row": RAISE.replace("$1", "1"),
    "the table": "update material set price = price + 1",
    "a script": "begin; update material set price = price + 1 where id = 1; commit",
    "unknown code": "do $$ begin update material set price = price + 1 where id = 1; end $$",
    "schema": "alter table material add column more int; update material set price = price + 1 where id = 1",
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("after", [False, True])
async def test_48_read_populates_stale(dsn: str, write: str, after: bool) -> None:
    """A misses, A reads, B writes and invalidates, A stores: what A stored is never served."""
    async with two(dsn) as s:
        await s.kernel.fetch(PRICE, 9)
        stop = s.gate.stop(PRICE, after=after)
        early = asyncio.create_task(s.kernel.fetch(PRICE, 1))
        await stop.reached.wait()
        await s.write(write)
        stop.go.set()
        await early
        assert await s.right(PRICE, 1) == NEW
        await s.kept(PRICE, 1)


async def test_48_a_write_elsewhere_does_not_spoil_the_read(dsn: str) -> None:
    """The read that ran meanwhile is kept."""
    async with two(dsn) as s:
        await s.kernel.fetch(PRICE, 9)
        stop = s.gate.stop(PRICE, after=True)
        read = asyncio.create_task(s.kernel.fetch(PRICE, 1))
        await stop.reached.wait()
        await s.write("insert into log(line) values ('x')")
        stop.go.set()
        await read
        await s.still_kept(PRICE, 1)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_49_a_flight_from_before_the_write(dsn: str, write: str) -> None:
    """A reader that starts after the write does not join the read that began before it; others do join."""
    async with two(dsn) as s:
        await s.kernel.fetch(PRICE, 9)
        stop = s.gate.stop(PRICE, after=True)
        early = asyncio.create_task(s.kernel.fetch(PRICE, 1))
        await stop.reached.wait()
        before = s.ran(PRICE)
        friends = [asyncio.create_task(s.kernel.fetch(PRICE, 1)) for _ in range(5)]
        await asyncio.sleep(0)
        assert s.ran(PRICE) == before, "readers of one moment share one query"
        await s.write(write)
        with anyio.fail_after(20):
            assert await s.right(PRICE, 1) == NEW
        stop.go.set()
        await asyncio.gather(early, *friends)
        assert await s.kept(PRICE, 1) == NEW


async def test_53_entries_that_come_while_others_go(dsn: str) -> None:
    """Keys are added while their table is being invalidated: at rest each one is right, and hits."""
    async with two(dsn, max_size=8) as s:

        async def write() -> None:
            for number in range(60):
                await s.write(RAISE, number % 5 + 1)

        async def read(first: int) -> None:
            for number in range(150):
                await s.kernel.fetch(PRICE, (first + number) % 5 + 1)

        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(read, number)
            tasks.start_soon(write)
            tasks.start_soon(write)
        for number in range(1, 6):
            await s.kept(PRICE, number)
        assert s["pending"] == 0


async def test_53_what_is_gone_takes_no_room(dsn: str) -> None:
    """Invalidation keeps no growing sets: dead members are bounded by the cache's own size."""
    async with two(dsn, cache={"max_bytes": 2**16, "max_statements": 50}) as s:
        for number in range(400):
            await s.kernel.fetch(PRICE, number)
            await s.kernel.fetch(f"select {number}::int, id from material where id = 1")
            if number % 20 == 0:
                await s.write(RAISE, 1)
            assert s["bytes"] <= 2**16
            assert s["statements"] <= 50
        await s.kept(PRICE, 1)


async def test_61_a_row_that_was_not_there(dsn: str) -> None:
    """The empty answer is kept, and an INSERT ends it, however the row comes."""
    async with two(dsn) as s:
        for number, write in enumerate((
            "insert into material values (9, 'm9', 9, '{}')",
            "update material set id = 9 where id = (select max(m.id) from material m where m.id > 5)",
            "insert into material select 9, 'm9', 9, '{}'",
            "with n as (select 9 as id) insert into material select id, 'm9', 9, '{}' from n on conflict do nothing",
            "merge into material m using (values (9)) v(id) on m.id = v.id"
            " when not matched then insert values (9, 'm', 9, '{}')",
        )):  # fmt: skip
            if number == 1:
                await s.write("insert into material values (8, 'm8', 8, '{}')")
            assert await s.kept(PRICE, 9) == []
            assert await s.kept("select id from material where name = 'm9'") in ([], [(9,)])
            await s.write(write)
            assert len(await s.kept(PRICE, 9)) == 1
            await s.write("delete from material where id in (8, 9)")
        assert await s.kept(PRICE, 9) == []


async def test_61_another_row_comes_and_goes(dsn: str) -> None:
    """The answers of other keys are kept; an empty one, which no row holds, only has to be right."""
    async with two(dsn) as s:
        await s.kept(PRICE, 9)
        await s.kept(PRICE, 1)
        for write, args in (
            ("insert into material values ($1, $2, $3, '{}')", (8, "m8", Decimal(8))),
            ("update material set price = $2 where id = $1", (8, Decimal(7))),
            ("update material set id = 9 where id = $1", (8,)),
            ("delete from material where id = $1", (9,)),
        ):
            await s.write(write, *args)
            if "set id" not in write:  # rows that change their key touch all of them
                await s.still_kept(PRICE, 1)
            await s.kept(PRICE, 8)
            await s.kept(PRICE, 9)
            await s.kept(PRICE, 1)


async def test_62_an_answer_changed_by_its_caller(dsn: str) -> None:
    """Lists, nested lists, the list of rows, computed values and documents are each caller's own."""
    sql = "select tags, array[array[id, 0], array[1, 2]] as grid, to_jsonb(tags) as doc from material where id = 1"
    async with two(dsn) as s:
        for _ in range(3):
            rows = await s.kernel.fetch(sql)
            assert (rows[0]["tags"], rows[0]["grid"], json.loads(rows[0]["doc"])) == (
                ["a", "b"],
                [[1, 0], [1, 2]],
                ["a", "b"],
            )
            rows[0]["tags"].append("changed")
            rows[0]["grid"][0][0] = 99
            rows.append(rows[0])
            rows.clear()
        assert s.ran(sql) == 1, "and it is a hit"

        async def load() -> dict[str, Any]:
            return {"names": [row["name"] for row in await s.kernel.fetch(ALL)], "deep": {"n": [1]}}

        for _ in range(3):
            value = await s.kernel.cached("names", load, depends_on=["material"])
            assert value == {"names": ["m1", "m2", "m3", "m4", "m5"], "deep": {"n": [1]}}
            value["names"].clear()
            value["deep"]["n"][0] = 2


async def test_62_those_who_wait_for_one_read(dsn: str) -> None:
    """They do not share one list either."""
    sql = "select tags from material where id = 1"
    async with two(dsn) as s:
        await s.kernel.fetch("select tags from material where id = 2")
        answers = await asyncio.gather(*(s.kernel.fetchval(sql) for _ in range(10)))
        for tags in answers:
            assert tags == ["a", "b"]
            tags.clear()
        assert await s.kernel.fetchval(sql) == ["a", "b"]


async def test_63_errors_are_not_answers(dsn: str) -> None:
    """An error is raised as long as the database raises it, and not longer."""
    divided = "select 1 / (price - 1.5) from material where id = 1"
    async with two(dsn) as s:
        for sql, mend in (
            (divided, RAISE.replace("$1", "1")),
            ("select * from nowhere", "create table nowhere as select 1 as id"),
            ("select 'x'::int from job", "delete from job"),
        ):
            await s.right(sql)
            await s.never_kept(sql)
            await s.write(mend)
            await s.right(sql)
        await s.kept(divided)


async def test_63_timeouts_and_cancelled_reads(dsn: str) -> None:
    """Neither keeps anything; the next one reads for itself."""
    async with two(dsn) as s:
        await s.kernel.fetch(PRICE, 9)
        for after in (False, True):
            stop = s.gate.stop(PRICE, after=after)
            read = asyncio.create_task(s.kernel.fetch(PRICE, 1))
            await stop.reached.wait()
            read.cancel()
            with pytest.raises(asyncio.CancelledError):
                await read
        assert s["entries"] == 1
        await s.other.execute("begin; lock material in access exclusive mode")
        with pytest.raises(TimeoutError):
            await s.kernel.fetch(PRICE, 1, timeout=0.05)
        await s.other.execute("rollback")
        assert s["entries"] == 1
        await s.kept(PRICE, 1)


async def test_63_a_statement_cancelled_by_the_server(dsn: str) -> None:
    """pg_cancel_backend and statement_timeout end it in the middle."""
    sql = "select count(*) from material a, material b, log"
    async with two(dsn) as s:
        await s.right(sql)
        await s.write("insert into log(line) values ('x')")
        await s.other.execute("begin; lock log in access exclusive mode")
        read = asyncio.create_task(s.kernel.fetch(sql))
        await locked(s.admin)
        await s.admin.execute(
            "select pg_cancel_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database()"
        )
        with pytest.raises(asyncpg.QueryCanceledError):
            await read
        await s.other.execute("rollback")
        assert await s.kept(sql) == [(25,)]


@pytest.mark.parametrize("who", ["leader", "waiters", "all but one"])
async def test_64_cancelled_tasks_harm_nobody_else(dsn: str, who: str) -> None:
    """The leader's cancellation is its own, and so is a waiter's."""
    async with two(dsn) as s:
        await s.kernel.fetch(PRICE, 9)
        stop = s.gate.stop(PRICE)
        tasks = [asyncio.create_task(s.kernel.fetchval(PRICE, 1)) for _ in range(10)]
        await stop.reached.wait()
        await asyncio.sleep(0)
        gone = {"leader": tasks[:1], "waiters": tasks[1:5], "all but one": tasks[:-1]}[who]
        for task in gone:
            task.cancel()
        await asyncio.sleep(0)
        stop.go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for task, told in zip(tasks, answers, strict=True):
            assert isinstance(told, asyncio.CancelledError) if task in gone else told == Decimal("1.50")
        assert s.ran(PRICE) <= 3, "and it is still one query for all"
        await s.kept(PRICE, 1)


async def test_65_comments_are_no_part_of_the_statement(dsn: str) -> None:
    """sqlcommenter's traceparent differs in every request."""
    async with two(dsn) as s:
        ways = ("/* traceparent='{}' */ {}", "{1} -- {0}", "{1} /* /* {0} */ nested */", "--{}\n{}")
        await s.kernel.fetchval(PRICE, 1)
        for number, way in enumerate(ways * 3):
            sql = way.format(f"00-{number:032x}", PRICE)
            assert await s.kernel.fetchval(sql, 1) == Decimal("1.50")
            assert s.ran(sql) == 0, sql


async def test_65_what_only_looks_like_a_comment(dsn: str) -> None:
    """-- and /* within strings, quoted names and dollar quotes belong to the statement."""
    async with two(dsn) as s:
        texts = (
            "'a -- b'", "'a -- c'", "'/* x */'", "'/* y */'", "$$ -- b$$", "$$ -- c$$", "$q$/* $$ */$q$",
            "E'\\' -- d'", "E'\\' -- e'", "'--' -- '", "'/*' /* '*/",
            "'a' \"--b\"", "'a' \"/*b*/\"", "1 - -1", "1 --1", "2 --\n- 1",
        )  # fmt: skip
        for _ in range(2):
            for text in texts:
                await s.right(f"select {text} from material where id = 1".replace(" --1 from", " --1\n from"))
        for number in (1, 2):
            await s.kept(f"select 'a -- {number}' from material")
            await s.kept(f'select id as "/* {number} */" from material')


async def test_65_literals_in_the_text_do_not_fill_the_memory(dsn: str) -> None:
    """Texts that never repeat are given up; those that do still hit."""
    async with two(dsn, cache={"max_statements": 20}) as s:
        await s.kept(PRICE, 1)
        for number in range(200):
            await s.kernel.fetch(f"select price from material where id = {number}")
            await s.kernel.fetch(PRICE, 1)
        assert s["statements"] <= 20
        assert s["entries"] <= 40
        await s.still_kept(PRICE, 1)
        await s.kept(JOBS)
        await s.kept(LOG)
