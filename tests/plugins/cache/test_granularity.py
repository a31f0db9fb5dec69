"""A write leaves the answers alone that do not depend on its rows, and no others."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import anyio
import pytest

from galvo import Kernel
from tests.plugins.cache.situations.situation import two
from tests.plugins.cache.stand import Stand, standing

pytestmark = pytest.mark.anyio

SETUP = """
create table part(id int primary key, owner int not null, label text not null, price int not null, code uuid);
create index on part(owner); create index on part(code);
insert into part select g, g % 3, 'p' || g, g, gen_random_uuid() from generate_series(1, 9) g;
create table piece(id int primary key, part int not null references part on update cascade);
insert into piece select g, g from generate_series(1, 9) g;
"""
BY_ID = "select price from part where id = $1"
BY_OWNER = "select sum(price) from part where owner = $1"
LABELS = "select string_agg(label, ',' order by id) from part where owner = $1"
TOTAL = "select sum(price) from part"
JOINED = "select t.price, t.id from piece p join part t on t.id = p.part where p.id = $1"


async def kept(stand: Stand, sql: str, *args: object) -> bool:
    """Whether the answer is a hit; it must be right in any case."""
    before = stand.ran(sql)
    await stand.fresh(sql, *args)
    return stand.ran(sql) == before


async def test_an_update_of_one_row(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        for sql, arg in ((BY_ID, 1), (BY_ID, 2), (BY_OWNER, 1), (BY_OWNER, 2), (JOINED, 1), (JOINED, 2)):
            await stand.warm(sql, arg)
        await stand.warm(TOTAL)
        await stand.kernel.execute("update part set price = price + 10 where id = $1", 1)
        assert [await kept(stand, sql, 1) for sql in (BY_ID, BY_OWNER, JOINED)] == [False] * 3
        assert [await kept(stand, sql, 2) for sql in (BY_ID, BY_OWNER, JOINED)] == [True] * 3
        assert not await kept(stand, TOTAL)
        assert stand["lookups"] == 1  # whose part it is, its text does not say


async def test_columns_that_nobody_looks_at(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        await stand.warm(LABELS, 1)
        await stand.warm(BY_OWNER, 1)
        await stand.kernel.execute("update part set price = 0 where id = 1")
        assert await kept(stand, LABELS, 1)
        assert not await kept(stand, BY_OWNER, 1)
        await stand.kernel.execute("update part set label = 'new' where owner = 1")
        assert not await kept(stand, LABELS, 1)
        await stand.kernel.execute("insert into part values (10, 1, 'x', 3)")
        assert not await kept(stand, LABELS, 1)


async def test_an_insert(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        await stand.warm(BY_ID, 1)
        await stand.warm(BY_ID, 20)
        await stand.warm(BY_OWNER, 1)
        await stand.warm(BY_OWNER, 2)
        await stand.kernel.execute("insert into part values ($1, $2, 'x', 5)", 20, 1)
        assert await kept(stand, BY_ID, 1)
        assert not await kept(stand, BY_ID, 20), "there was no such row"
        assert not await kept(stand, BY_OWNER, 1)
        assert await kept(stand, BY_OWNER, 2)


async def test_a_delete(dsn: str) -> None:
    async with standing(dsn, setup=SETUP + "delete from piece;") as stand:
        for sql in (BY_ID, BY_OWNER):
            for number in (1, 2):
                await stand.warm(sql, number)
        await stand.kernel.execute("delete from part where id = $1", 1)
        assert [await kept(stand, sql, 1) for sql in (BY_ID, BY_OWNER)] == [False] * 2
        assert [await kept(stand, sql, 2) for sql in (BY_ID, BY_OWNER)] == [True] * 2
        await stand.warm(BY_OWNER, 1)


async def test_a_row_that_moves(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        for owner in (0, 1, 2):
            await stand.warm(BY_OWNER, owner)
        await stand.kernel.execute("update part set owner = $2 where id = $1", 1, 2)
        assert [await kept(stand, BY_OWNER, owner) for owner in (1, 2)] == [False, False]


@pytest.mark.parametrize(
    "write", ["update part set price = 7", "delete from part where price > 3", "truncate part cascade"]
)
async def test_a_write_that_does_not_say_which_rows(dsn: str, write: str) -> None:
    async with standing(dsn, setup=SETUP + "alter table piece drop constraint piece_part_fkey;") as stand:
        for sql in (BY_ID, BY_OWNER, JOINED):
            await stand.warm(sql, 5)
        await stand.kernel.execute(write)
        assert not any([await kept(stand, sql, 5) for sql in (BY_ID, BY_OWNER, JOINED)])


async def test_a_transaction_touches_its_rows_at_commit(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        for number in (1, 2, 3, 4):
            await stand.warm(BY_ID, number)
            await stand.warm(BY_OWNER, number % 3)
        async with stand.kernel.transaction() as session:
            await session.execute("update part set price = 0 where id = $1", 1)
            await session.executemany("update part set price = $2 where id = $1", [(4, 5)])
            assert await kept(stand, BY_ID, 1), "not committed yet"
        assert [await kept(stand, BY_ID, number) for number in (1, 2, 3, 4)] == [False, True, True, False]
        assert not await kept(stand, BY_OWNER, 1)


@pytest.mark.parametrize("together", [False, True])
async def test_several_rows(dsn: str, together: bool) -> None:
    """Of parts 1, 4 and 7, which are of owner 1."""
    async with standing(dsn, setup=SETUP) as stand:
        for sql in (BY_ID, BY_OWNER):
            for number in (0, 1, 2):
                await stand.fresh(sql, number)
        sql, runs = "update part set price = $2 where id = $1", [(1, 50), (4, 60), (7, 70)]
        if together:
            async with stand.kernel.transaction() as session:
                for args in runs:
                    await session.execute(sql, *args)
                await session.execute("update part set label = 'x' where id = $1", 9)
        else:
            await stand.kernel.executemany(sql, runs)
        assert await owners_kept(stand) == [not together, False, True]
        assert [await kept(stand, BY_ID, number) for number in (1, 2)] == [False, True]
        assert (stand["lookups"], stand["lookups_known"]) == (1, 2 + together)
        await stand.kernel.executemany(sql, [(2, 50), (77, 1)])
        assert await owners_kept(stand) == [False] * 3, "part 77 is nobody's yet"


async def test_several_rows_of_which_one_moves(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        for owner in (0, 1, 2):
            await stand.warm(BY_OWNER, owner)
        async with stand.kernel.transaction() as session:
            await session.execute("update part set price = $2 where id = $1", 1, 50)
            await session.execute("update part set owner = $2 where id = $1", 1, 2)
            await session.execute("update part set price = $2 where id = $1", 1, 60)
        assert await owners_kept(stand) == [False] * 3
        assert stand["lookups"] == 0, "all are touched anyway"


async def test_a_uuid_in_two_spellings(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        code = await stand.truth("select code from part where id = 1")
        sql = "select sum(price) from part where code = $1"
        await stand.warm(sql, code)
        await stand.kernel.execute("update part set price = 99 where code = $1", str(code).upper())
        assert await stand.fresh(sql, code) == 99


@pytest.mark.parametrize(
    "mover",
    [
        "update part set owner = 2 where id = 1",
        "update part set owner = 2 where id <= 1 and label <> ''",
        "do $$begin update part set owner = 2 where id = 1; end$$",
        "alter table part alter price set default 3; update part set owner = 2 where id = 1",
        "create table more(); update part set owner = 2 where id = 1; drop table more",
    ],
)
async def test_somebody_moves_the_row_after_the_look_up(dsn: str, mover: str) -> None:
    """W1 asked whose part 1 is, then W2 gives it away: the new owner's answer must not outlive W1."""
    async with standing(dsn, setup=SETUP) as stand:
        for owner in (1, 2):
            await stand.warm(BY_OWNER, owner)
        stop = stand.gate.stop("set price")
        first = asyncio.create_task(stand.kernel.execute("update part set price = 100 where id = $1", 1))
        await stop.reached.wait()
        await stand.kernel.execute(mover)
        for _ in range(2):
            await stand.fresh(BY_OWNER, 2)
        stop.go.set()
        await first
        assert await stand.fresh(BY_OWNER, 2) >= 100
        await stand.fresh(BY_OWNER, 1)
        await stand.warm(BY_OWNER, 2)  # and afterwards it is kept again


async def test_a_reader_that_waits_for_another_does_not_get_an_answer_from_before_an_insert(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        await stand.warm(BY_ID, 1)
        stop = stand.gate.stop(BY_ID, after=True)
        early = asyncio.create_task(stand.kernel.fetchval(BY_ID, 30))
        await stop.reached.wait()
        await stand.kernel.execute("insert into part values (30, 1, 'x', 5)")
        with anyio.fail_after(10):
            assert await stand.fresh(BY_ID, 30) == 5
        stop.go.set()
        assert await early is None
        assert await stand.fresh(BY_ID, 30) == 5


@pytest.mark.parametrize(
    "sql",
    [
        "select t.id from part t join cheap c on c.id = t.id order by 1 limit 1",
        "select id from part where id in (select id from cheap) order by 1 limit 1",
        "select count(*) from part t where t.price > 5 or t.id = 0",
        "select (t).price from part t where t.id = 5",
        "select max(p::text) from part p",
        "select count(*) from part natural join (select 5 as price) x",
        "select count(*) from part join (select 5 as price) x using (price)",
        "select max(c) from part as x(a, b, d, c)",
        "select count(*) from (select * from part) x where x.price = 5",
        "with x as (table part) select max(price) from x",
        "select dear(part) from part where id = 5",
    ],
)
async def test_a_column_that_is_seen_in_another_way(dsn: str, sql: str) -> None:
    extra = """
    create view cheap as select id from part where price < 5;
    create function dear(part) returns int immutable language sql as 'select $1.price';
    """
    async with standing(dsn, setup=SETUP + extra) as stand:
        for _ in range(3):
            await stand.fresh(sql)
        for number in (5, 1):
            await stand.kernel.execute("update part set price = price + 70 where id = $1", number)
            await stand.fresh(sql)


async def test_an_empty_answer_read_while_the_row_was_inserted(dsn: str) -> None:
    """The insert is under way when the read begins, and has ended when the answer comes."""
    async with standing(dsn, setup=SETUP) as stand:
        await stand.warm(BY_ID, 1)
        insert = stand.gate.stop("insert into part")
        writing = asyncio.create_task(stand.kernel.execute("insert into part values (40, 1, 'x', 5)"))
        await insert.reached.wait()
        read = stand.gate.stop(BY_ID, after=True)
        early = asyncio.create_task(stand.kernel.fetchval(BY_ID, 40))
        await read.reached.wait()
        insert.go.set()
        await writing
        read.go.set()
        assert await early is None
        assert await stand.fresh(BY_ID, 40) == 5


@pytest.mark.parametrize("mover", ["update part set owner = 1 where id = 2", "insert into part values (41, 1, 'x', 5)"])
async def test_a_row_comes_to_the_pinned_value_before_the_write_is_sent(dsn: str, mover: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        for number in (1, 2, 41):
            await stand.fresh(BY_ID, number)
        stop = stand.gate.stop("set price")
        first = asyncio.create_task(stand.kernel.execute("update part set price = 100 where owner = $1", 1))
        await stop.reached.wait()
        await stand.kernel.execute(mover)
        for number in (1, 2, 41) * 2:
            await stand.fresh(BY_ID, number)
        stop.go.set()
        await first
        for number in (1, 2, 41):
            await stand.fresh(BY_ID, number)


async def owners_kept(stand: Stand) -> list[bool]:
    """Of the owners 0, 1, 2."""
    return [await kept(stand, BY_OWNER, owner) for owner in (0, 1, 2)]


async def test_an_insert_under_way_spoils_no_look_up(dsn: str) -> None:
    """Whose part 1 is, no new row changes: neither one that came first nor one that comes between."""
    async with standing(dsn, setup=SETUP) as stand:
        for owner in (0, 1, 2):
            await stand.warm(BY_OWNER, owner)
        insert = stand.gate.stop("insert into part")
        inserting = asyncio.create_task(stand.kernel.execute("insert into part values (20, 2, 'x', 5)"))
        await insert.reached.wait()
        update = stand.gate.stop("set price")
        updating = asyncio.create_task(stand.kernel.execute("update part set price = 100 where id = $1", 1))
        await update.reached.wait()
        assert await owners_kept(stand) == [True, False, False]
        insert.go.set()
        await inserting
        await stand.kernel.execute("insert into part values (21, 2, 'x', 5)")
        await stand.kernel.execute("update part set label = 'x' where id = $1", 3)
        assert await owners_kept(stand) == [True, False, False]
        assert await owners_kept(stand) == [True, False, True]
        update.go.set()
        await updating
        assert await owners_kept(stand) == [True, False, True]
        assert await owners_kept(stand) == [True] * 3


@pytest.mark.parametrize("together", [False, True])
async def test_another_row_with_the_key_spoils_a_look_up(dsn: str, together: bool) -> None:
    """W1 asked whose part 1 is; it is deleted and inserted anew, for owner 2, before W1 is sent."""
    async with standing(dsn, setup=SETUP + "delete from piece where part = 1;") as stand:
        for owner in (0, 1, 2):
            await stand.warm(BY_OWNER, owner)
        stop = stand.gate.stop("set price")
        first = asyncio.create_task(stand.kernel.execute("update part set price = 100 where id = $1", 1))
        await stop.reached.wait()
        await replace(stand.kernel, together)
        assert await owners_kept(stand) == [False] * 3
        assert await owners_kept(stand) == [False] * 3, "any of them may change until W1 has ended"
        stop.go.set()
        await first
        assert await stand.fresh(BY_OWNER, 2) >= 100
        await owners_kept(stand)
        assert await owners_kept(stand) == [True] * 3


async def test_a_row_goes_while_it_is_looked_up(dsn: str) -> None:
    """And another one with its key comes before the write is sent."""
    async with standing(dsn, setup=SETUP + "delete from piece where part = 1;") as stand:
        for owner in (0, 1, 2):
            await stand.warm(BY_OWNER, owner)
        delete = stand.gate.stop("delete from part")
        deleting = asyncio.create_task(stand.kernel.execute("delete from part where id = $1", 1))
        await delete.reached.wait()
        update = stand.gate.stop("set price")
        updating = asyncio.create_task(stand.kernel.execute("update part set price = 100 where id = $1", 1))
        await update.reached.wait()
        delete.go.set()
        await deleting
        await stand.kernel.execute("insert into part values ($1, $2, 'x', 5)", 1, 2)
        for _ in range(2):
            await stand.fresh(BY_OWNER, 2)
        update.go.set()
        await updating
        assert await stand.fresh(BY_OWNER, 2) >= 100


async def replace(kernel: Kernel, together: bool) -> None:
    """Part 1 goes, and another one of owner 2 comes."""
    writes = ("delete from part where id = $1", (1,)), ("insert into part values ($1, $2, 'x', 5)", (1, 2))
    async with kernel.transaction() if together else nullcontext(kernel) as writer:
        for sql, args in writes:
            await writer.execute(sql, *args)


async def test_columns_with_the_names_of_marks(dsn: str) -> None:
    """A touch carries marks beside the names of its lanes; no column may be taken for one."""
    columns = ("=", "id?", "v")
    setup = 'create table odd(id int primary key, "=" int, "id?" int, v int);' + "".join(
        f'create index on odd("{column}");' for column in columns
    )
    async with two(dsn, setup + "insert into odd select g, g, g, g from generate_series(1, 5) g;") as s:
        for write in (
            "insert into odd values (9, 9, 9, 9)",
            "update odd set v = v + 1 where id = 3",
            'update odd set "=" = 4, "id?" = 4 where id = 3',
            "delete from odd where id = 9",
        ):
            for column in columns:
                for value in (3, 4, 9):
                    await s.kept(f'select * from odd where "{column}" = $1', value)
            await s.write(write)
            for column in columns:
                for value in (3, 4, 9):
                    await s.right(f'select * from odd where "{column}" = $1', value)
