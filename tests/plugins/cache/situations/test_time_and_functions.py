"""1 to 8: the clock, the dice, and functions that read what the text does not name."""

from __future__ import annotations

import pytest

from tests.plugins.cache.situations.situation import VISITS, two
from tests.plugins.cache.stand import LOG

pytestmark = pytest.mark.anyio


async def test_01_the_clock_and_the_dice(dsn: str) -> None:
    """now(), clock_timestamp(), random() in the target or in WHERE are run every time."""
    async with two(dsn, VISITS) as s:
        for clock in ("now()", "clock_timestamp()", "statement_timestamp()", "transaction_timestamp()"):
            for _ in range(3):
                before = await s.other.fetchval("select clock_timestamp()")
                assert await s.kernel.fetchval(f"select {clock}") > before, clock
                assert await s.kernel.fetchval("select count(*) from visit where $1 < " + clock, before) == 2, clock
            await s.never_kept(f"select id from visit where at < {clock}")
        dice = "select random()"
        assert len({await s.kernel.fetchval(dice) for _ in range(5)}) == 5
        await s.never_kept("select id from material order by random()")
        await s.never_kept("select id from (select id, age(at) from visit) old")


async def test_01_functions_of_their_inputs_alone_are_kept(dsn: str) -> None:
    """IMMUTABLE ones, and the STABLE ones that depend on arguments and settings only."""
    async with two(dsn, VISITS) as s:
        await s.kept("select upper(name), abs(price) from material")
        await s.kept("select to_char(at, 'YYYY-MM-DD HH24:MI'), date_trunc('day', at) from visit")
        await s.kept("select age(at, timestamptz '2026-01-01') from visit")


async def test_02_current_timestamp_is_no_function_call(dsn: str) -> None:
    """CURRENT_TIMESTAMP, LOCALTIME, CURRENT_USER are nodes of their own."""
    async with two(dsn, VISITS) as s:
        for clock in ("current_timestamp", "localtimestamp::timestamptz", "current_timestamp(6)"):
            for _ in range(3):
                before = await s.other.fetchval("select clock_timestamp()")
                assert await s.kernel.fetchval(f"select {clock}") > before
        for word in ("current_date", "current_time", "localtime", "current_user", "session_user", "current_catalog"):
            await s.never_kept(f"select {word}::text")
            await s.never_kept(f"select id from visit where note <> {word}::text")
        async with s.session("set timezone = 'Pacific/Kiritimati'") as pair:
            await pair.right("select current_date")
        await s.kept("select name from material where name <> 'current_timestamp'")


async def test_03_a_literal_that_reads_the_clock(dsn: str) -> None:
    """'now'::timestamptz, 'today', date 'yesterday', spelled in any way, from the text, an argument or the data."""
    async with two(dsn, VISITS) as s:
        texts = (
            "'now'::timestamptz", "timestamptz 'now'", "cast('NOW' as timestamptz)", "timestamptz ' now '",
            "'n'\n'ow'::timestamptz", "('n' || 'ow')::timestamptz", "U&'\\006eow'::timestamptz",
            "E'\\x6eow'::timestamptz", "timestamptz $$now$$",
        )  # fmt: skip
        for text in texts:  # a prepared statement reads such a clock once, so the answer itself says nothing
            assert await s.other.fetchval(f"select {text} > now() - interval '1 h'"), text
            await s.never_kept(f"select id from visit where at < {text}")
        for text in ("'today'::date", "date 'yesterday'", "timestamp 'tomorrow'", "'today'::text::date"):
            await s.never_kept(f"select id from visit where day < {text}")
        for sql, args in (
            ("select $1::text::timestamptz", ["now"]),
            ("select note::timestamptz from visit where id = $1", [1]),
            ("select cast(note as timestamptz) from visit where id = 1", []),
        ):
            for _ in range(3):
                before = await s.other.fetchval("select clock_timestamp()")
                assert await s.kernel.fetchval(sql, *args) > before, sql
        await s.kept("select id from visit where day = '2026-02-01'::date")
        await s.kept("select id from material where name = 'nowhere' or name = 'known'")


async def test_04_functions_that_do_something(dsn: str) -> None:
    """nextval, setval, lo_put, pg_notify, advisory locks and set_config reach the server each time."""
    async with two(dsn, "create sequence s; select lo_from_bytea(4711, 'old');") as s:
        await s.kept(LOG)
        for number in (1, 2, 3):
            assert await s.kernel.fetchval("select nextval('s')") == number
        assert await s.kernel.fetchval("select setval('s', 10)") == 10
        assert await s.kernel.fetchval("select nextval('s')") == 11
        async with s.kernel.acquire() as session:
            await session.fetchval("select nextval('s')")
            assert await session.fetchval("select currval('s') + lastval()") == 24
        heard: list[object] = []
        await s.other.add_listener("news", lambda *told: heard.append(told[3]))
        for word in ("a", "b", "c"):
            await s.kernel.fetch(f"select pg_notify('news', '{word}')")
        await s.other.fetch("select 1")
        assert heard == ["a", "b", "c"]
        for sql in ("select pg_advisory_xact_lock(1)", "select pg_sleep(0)", "select pg_try_advisory_xact_lock(2)"):
            await s.never_kept(sql)
        await s.never_kept("select set_config('timezone', 'Asia/Tokyo', true)")
        await s.still_kept(LOG)


async def test_04_large_objects(dsn: str) -> None:
    """lo_get reads what lo_put wrote."""
    async with two(dsn, "select lo_from_bytea(4711, 'old');") as s:
        assert await s.right("select lo_get(4711)") == [(b"old",)]
        await s.kernel.fetch("select lo_put(4711, 0, 'new')")
        assert await s.right("select lo_get(4711)") == [(b"new",)]
        await s.other.fetch("select lo_put(4711, 0, 'who')")
        assert await s.right("select lo_get(4711)") == [(b"who",)]


async def test_05_a_sequence_read_as_a_table(dsn: str) -> None:
    """SELECT last_value FROM s."""
    async with two(dsn) as s:
        await s.right("select last_value, is_called from log_id_seq")
        for _ in range(2):
            await s.write("insert into log(line) values ('x')")
            await s.right("select last_value, is_called from log_id_seq")
            await s.right("select last_value from pg_sequences")
            await s.other.execute("select nextval('log_id_seq')")
            await s.right("select last_value, is_called from log_id_seq")
        await s.kept("select max(id) as last_value from log")


HIDDEN = """
create function total(text, int) returns bool stable language sql
    as $$ select sum(price) > $2 from public.material where name <> $1 $$;
create operator ==> (leftarg = text, rightarg = int, function = total);
"""


async def test_06_an_operator_that_reads_a_table(dsn: str) -> None:
    """Its function is no FuncCall of the statement."""
    async with two(dsn, HIDDEN + "create table lonely(t text, n int); insert into lonely values ('a', 30);") as s:
        asked = (
            "select t ==> n from lonely", "select 'a' operator(public.==>) 30", "select id from job where 'x' ==> 30",
            "select 'a' ==> any(array[30, 40])", "select (select 'a' ==> 30)",
        )  # fmt: skip
        for sql in asked:
            await s.right(sql)
        await s.write("update material set price = 1000")
        for sql in asked:
            await s.right(sql)
            await s.never_kept(sql)
        await s.kept("select t = 'a' and n > 3 from lonely")


async def test_06_an_immutable_operator_is_kept(dsn: str) -> None:
    """Only what is not declared IMMUTABLE is feared."""
    setup = """create function near(int, int) returns bool immutable language sql as 'select abs($1 - $2) < 2';
               create operator ~~= (leftarg = int, rightarg = int, function = near);"""
    async with two(dsn, setup) as s:
        assert len(await s.kept("select id from material where id ~~= 1")) == 2


async def test_06_a_cast_that_reads_a_table(dsn: str) -> None:
    """Explicit, in an assignment, or implied where no cast is written."""
    setup = """create type height as (cm int);
               create function tall(height) returns text stable language sql
                   as $$ select string_agg(price::text, ',' order by id) from public.material $$;
               create cast (height as text) with function tall(height) as implicit;
               create table person(h height); insert into person values (row(3)); """
    async with two(dsn, setup) as s:
        asked = ("select h::text from person", "select h || 'x' as t from person", "select cast(h as text) from person")
        for sql in asked:
            await s.right(sql)
        await s.write("update material set price = 7")
        for sql in asked:
            await s.right(sql)


async def test_06_a_domain_whose_check_reads_a_table(dsn: str) -> None:
    """The same cast passes or fails by what another table holds."""
    setup = """create function allowed(text) returns bool stable language sql
                   as $$ select exists (select from public.material where name = $1) $$;
               create domain choice as text check (allowed(value));"""
    async with two(dsn, setup) as s:
        for sql, args in (("select 'm9'::choice", ()), ("select $1::choice", ("m9",))):
            await s.right(sql, *args)
        await s.write("insert into material values (9, 'm9', 1, '{}')")
        assert await s.right("select 'm9'::choice") == [("m9",)]
        await s.right("select $1::choice", "m9")
        await s.write("delete from material where id = 9")
        assert await s.right("select 'm9'::choice") == []


async def test_06_a_type_whose_input_reads_the_clock(dsn: str) -> None:
    """Its literal is any text in the data."""
    setup = """create type moment;
               create function moment_in(cstring, oid, int) returns moment stable strict language internal
                   as 'timestamptz_in';
               create function moment_out(moment) returns cstring stable strict language internal as 'timestamptz_out';
               create type moment (input = moment_in, output = moment_out, like = timestamptz);"""
    async with two(dsn, VISITS + setup) as s:
        for sql in ("select note::moment::text from visit where id = 1", "select ('n' || 'ow')::moment::text"):
            first = await s.kernel.fetchval(sql)
            assert await s.kernel.fetchval(sql) > first, sql
        await s.kept("select note from visit where id = 1")


TOTAL = """
create function total() returns numeric stable language sql as 'select sum(price) from public.material';
create function total_pl() returns numeric stable language plpgsql
    as 'begin return (select sum(price) from public.material); end';
create function total_new() returns numeric stable language sql begin atomic select sum(price) from material; end;
"""
TOTALS = ("select total()", "select * from total_pl()", "select total_new()", "select id from job where id < total()")


async def test_07_a_stable_function_that_reads_a_table(dsn: str) -> None:
    """Its table is not in the text."""
    async with two(dsn, TOTAL) as s:
        for sql in TOTALS:
            await s.right(sql)
        await s.write("update material set price = 0.1")
        for sql in TOTALS:
            await s.right(sql)
        await s.kept("select sum(price) from material")


async def test_07_a_declared_function_is_kept(dsn: str) -> None:
    """With its tables declared, it is a read of them."""
    async with two(dsn, TOTAL, cache={"reads": {"public.total": ["public.material"]}}) as s:
        await s.kept("select total()")
        await s.write("insert into log(line) values ('x')")
        await s.still_kept("select total()")
        await s.write("update material set price = 0.1")
        await s.kept("select total()")


async def test_08_an_immutable_function_that_reads_a_table(dsn: str) -> None:
    """PostgreSQL believes the declaration; for a function that is called by name galvo need not.

    A plan has its answer as a constant for as long as its connection keeps it: one connection on each side.
    """
    async with two(dsn, TOTAL.replace("stable", "immutable"), max_size=1) as s:
        for sql in TOTALS:
            await s.right(sql)
        await s.write("update material set price = 0.1")
        for sql in TOTALS:
            await s.right(sql)
            await s.never_kept(sql)
        await s.kept("select sum(price) from material")
