"""9 to 14: what an answer depends on besides rows."""

from __future__ import annotations

import pytest

from tests.plugins.cache.situations.situation import VISITS, connected, roles, two
from tests.plugins.cache.stand import PRICE

pytestmark = pytest.mark.anyio


SETTINGS = [
    ("set timezone = 'Asia/Tokyo'", "select at::text from visit"),
    ("set timezone = 'Asia/Tokyo'", "select date_trunc('day', at) from visit"),
    ("set timezone = 'Asia/Tokyo'", "select extract(hour from at) from visit"),
    ("set timezone = 'Asia/Tokyo'", "select id from visit where at::date = '2026-07-02'"),
    ("set time zone -3", "select to_char(at, 'HH24') from visit"),
    ("set datestyle = 'German, DMY'", "select day::text from visit"),
    ("set datestyle = 'SQL, DMY'", "select id from visit where day = '02/01/2026'"),
    ("set datestyle = 'SQL, DMY'", "select '02/01/2026'::date from visit"),
    ("set datestyle = 'SQL, DMY'", "select array_to_json(array[at]) from visit"),
    ("set intervalstyle = 'iso_8601'", "select took::text from visit"),
    ("set intervalstyle = 'sql_standard'", "select id from visit where took = '-1 2:00:00'::interval"),
    ("set bytea_output = 'escape'", "select raw::text from visit"),
    ("set bytea_output = 'escape'", "select concat(raw) from visit"),
    ("set extra_float_digits = -10", "select (id / 3.0::float8)::text from visit"),
    ("set transform_null_equals = on", "select id from visit where took = null or id = 1"),
    ("set array_nulls = off", "select ('{a,NULL}'::text[])[2] is null from visit"),
    ("set xmlbinary = 'hex'", "select xmlelement(name x, raw)::text from visit"),
    ("set xmloption = 'document'", "select 'x'::xml::text from visit"),
    ("set default_text_search_config = 'german'", "select to_tsvector(note)::text from visit"),
    ("set standard_conforming_strings = off", "select 'a\\\\b'::text from visit"),
    ("set quote_all_identifiers = on", "select quote_ident(note) from visit"),
    ("set row_security = off", "select id from visit"),
]


@pytest.mark.parametrize("setting, sql", SETTINGS, ids=[f"{setting[4:]}: {sql[7:40]}" for setting, sql in SETTINGS])
async def test_09_a_setting_that_changes_the_answer(dsn: str, setting: str, sql: str) -> None:
    """The same text in a session with another setting; and what the session read is nobody else's."""
    async with two(dsn, VISITS) as s:
        await s.right(sql)
        async with s.session(setting, fresh=True) as pair:
            await pair.right(sql)
            await s.right(sql)
            await pair.right(sql)
        await s.right(sql)
        await s.kept("select id, note from visit")


@pytest.mark.parametrize(
    "setting, sql", SETTINGS[3:8], ids=[f"{setting[4:]}: {sql[7:40]}" for setting, sql in SETTINGS[3:8]]
)
async def test_09_what_was_prepared_before(dsn: str, setting: str, sql: str) -> None:
    """A prepared statement keeps how its literals were read; it must not outlive the setting, on one connection."""
    async with two(dsn, VISITS, min_size=1, max_size=1) as s:
        await s.kept(sql)
        async with s.kernel.acquire() as session:
            await session.fetch(sql + " ")
        async with s.session(setting) as pair:
            await pair.right(sql + " ")
            await pair.right(sql + "  ")
        await s.right(sql + "  ")
        async with s.session() as pair:
            for one in ("begin", setting.replace("set ", "set local "), f"prepare p as {sql}"):
                await pair.both(one)
            await pair.session.fetch(sql + "   ")
            await pair.both("commit")
            await pair.right(sql + "   ")


@pytest.mark.parametrize("setting, sql", SETTINGS[:2])
async def test_09_sessions_of_one_state_share(dsn: str, setting: str, sql: str) -> None:
    """Each state has its own answer, and it is kept."""
    async with two(dsn, VISITS) as s:
        await s.kept(sql)
        async with s.session(setting) as pair:
            await pair.kept(sql)
        await s.still_kept(sql)
        async with s.session(setting) as pair:
            before = s.ran(sql)
            await pair.session.fetch(sql)
            assert s.ran(sql) == before


async def test_09_a_kernel_with_settings_of_its_own(dsn: str) -> None:
    """Two kernels on one database, each in its time zone."""
    sql = "select at::text from visit"
    async with two(dsn, VISITS) as s, two(dsn, schema=None, server_settings={"timezone": "Asia/Tokyo"}) as t:
        assert await s.kept(sql) != await t.kept(sql)
        await s.still_kept(sql)


async def test_10_set_local_ends_with_its_transaction(dsn: str) -> None:
    """After COMMIT, ROLLBACK and ROLLBACK TO the old setting holds."""
    sql = "select at::text from visit"
    async with two(dsn, VISITS) as s:
        plain = await s.kept(sql)
        async with s.session() as pair:
            for end in ("commit", "rollback"):
                for one in ("begin", "set local timezone = 'Asia/Tokyo'"):
                    await pair.both(one)
                assert await pair.right(sql) != plain
                await pair.both(end)
                assert await pair.right(sql) == plain
            for one in ("begin", "savepoint a", "set timezone = 'Asia/Tokyo'", "rollback to a"):
                await pair.both(one)
            assert await pair.right(sql) == plain
            await pair.both("commit")
        await s.still_kept(sql)


@pytest.mark.parametrize("what", ["role tourist", "database {}", "role tourist in database {}", "role all"])
async def test_10_alter_role_set_is_for_new_sessions(dsn: str, what: str) -> None:
    """Once the pool's connections are new ones, so is the answer."""
    sql = "select at::text from visit"
    async with roles(dsn, "tourist"), two(dsn, VISITS + "grant select on visit to tourist", user="tourist") as s:
        await s.kept(sql)
        name = await s.admin.fetchval("select quote_ident(current_database())")
        await s.admin.execute(f"alter {what.format(name)} set timezone = 'Asia/Tokyo'")
        try:
            await s.right(sql)
            await s.reconnect()
            async with connected(s.dsn) as new:
                s.other = new
                await s.right(sql)
        finally:
            await s.admin.execute(f"alter {what.format(name)} reset timezone")


async def test_11_tablesample(dsn: str) -> None:
    """At the top, in a join, in a subquery."""
    setup = "insert into log(line) select 'x' from generate_series(1, 400);"
    async with two(dsn, setup) as s:
        for sql in (
            "select array_agg(id) from log tablesample bernoulli (50)",
            "select array_agg(l.id) from material m join log l tablesample bernoulli (50) on l.id > m.id",
            "select array_agg(id) from log where id in (select id from log tablesample bernoulli (50))",
        ):
            assert len({str(await s.kernel.fetchval(sql)) for _ in range(4)}) == 4, sql
            await s.never_kept(sql)
        await s.kept("select array_agg(id) from log")
        await s.kept("select line as tablesample from log where id < 3")


@pytest.mark.parametrize("mode", ["update", "no key update", "share", "key share"])
async def test_12_a_select_that_locks(dsn: str, mode: str) -> None:
    """FOR UPDATE and its kin reach the server, and the lock is held."""
    sql = f"select price from material where id = $1 for {mode}"
    nested = f"with one as (select price from material where id = $1 for {mode}) select * from one"
    async with two(dsn) as s:
        free = "select count(*) from (select id from material where id = 1 for update skip locked) x"
        for locking in (sql, nested):
            await s.never_kept(locking, 1)
            for _ in range(2):
                async with s.kernel.transaction() as session:
                    await session.fetch(locking, 1)
                    assert await s.truth(free) == 0, "nobody holds the lock"
                assert await s.truth(free) == 1
        await s.kept(PRICE, 1)


async def test_13_system_columns(dsn: str) -> None:
    """VACUUM FULL and CLUSTER move rows without any DML."""
    asked = (
        "select ctid::text from material",
        "select xmin::text from material",
        "select id from material m where m.ctid > '(0,2)'",
    )
    async with two(dsn) as s:
        await s.write("update material set price = price + 1 where id = 1")
        for sql in asked:
            await s.right(sql)
        await s.kept("select id as ctid from material")
        for write in ("vacuum full material", "cluster material using material_pkey"):
            await s.other.execute("update material set price = price + 1 where id = 1")
            await s.write(write)
            for sql in asked:
                await s.right(sql)
        await s.other.execute("vacuum full material")
        for sql in asked:
            await s.right(sql)
            await s.never_kept(sql)
        await s.kept("select id as ctid from material")


async def test_14_what_depends_on_the_backend(dsn: str) -> None:
    """pg_backend_pid(), inet_client_addr(), txid_current(), pg_stat_*, current_setting()."""
    async with two(dsn) as s:
        for _ in range(2):
            async with s.kernel.acquire() as session:
                pid = await session.fetchval("select pg_backend_pid()")
                sql = "select pg_backend_pid() = $1 from material limit 1"
                assert await session.fetchval(sql, pid)
                assert not await s.other.fetchval(sql, pid)
                assert {await session.fetchval("select pg_backend_pid()") for _ in range(3)} == {pid}
        numbers = [await s.kernel.fetchval("select txid_current()") for _ in range(3)]
        assert len(set(numbers)) == 3
        for sql in (
            "select inet_client_addr()", "select pg_stat_get_xact_commit(1)", "select current_setting('timezone')",
            "select count(*) from pg_stat_activity", "select pg_current_wal_lsn()", "select current_schemas(true)",
            "select pg_relation_size('material')", "select pg_typeof(id) from material", "select version()",
        ):  # fmt: skip
            await s.never_kept(sql)
        async with s.session("set app.tenant = '7'") as pair:
            assert await pair.right("select current_setting('app.tenant')") == [("7",)]
            await pair.both("set app.tenant = '8'")
            assert await pair.right("select current_setting('app.tenant')") == [("8",)]
        await s.kept("select name as pg_backend_pid from material")
