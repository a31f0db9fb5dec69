"""17 to 20: who may see what."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.situations.situation import connected, names, roles, shared, two, until
from tests.plugins.cache.stand import PRICE

pytestmark = pytest.mark.anyio


GUARDED = """
create table safe(id int primary key, code text, open bool);
insert into safe values (1, 's3cret', true), (2, 'x', false);
grant usage on schema public to clerk; grant select on material to clerk; grant select (id) on safe to clerk;
"""
CODES = "select code from safe"


@pytest.mark.parametrize("become", ["set role clerk", "set session authorization clerk", "set local role clerk"])
async def test_17_a_role_that_may_not_read(dsn: str, become: str) -> None:
    """Cached rows of another role are no way around its privileges."""
    async with roles(dsn, "clerk"), two(dsn, GUARDED) as s:
        await s.kept(CODES)
        async with s.session("begin", "savepoint a", become) as pair:
            await pair.right("select name from material")
            await pair.right("select id from safe")
            await pair.both("savepoint b")
            assert [*await fetched(pair.session, CODES)] == ["InsufficientPrivilegeError"]
            await pair.both("rollback to a")
            assert len(await pair.right(CODES)) == 2
        await s.still_kept(CODES)


async def fetched(session: Any, sql: str) -> list[Any]:
    try:
        return names([tuple(row) for row in await session.fetch(sql)])
    except asyncpg.PostgresError as error:
        return [type(error).__name__]


async def test_17_revoke_and_grant(dsn: str) -> None:
    """After REVOKE the answer is an error, after GRANT it is rows, and both are at once."""
    async with roles(dsn, "clerk"), two(dsn, GUARDED + "alter table safe owner to clerk;", user="clerk") as s:
        await s.kept(CODES)
        await s.kept(PRICE, 1)
        await s.write("revoke all on safe from clerk")
        assert await s.right(CODES) == []
        assert await fetched(s.kernel, CODES) == ["InsufficientPrivilegeError"]
        await s.write("grant select (code) on safe to clerk")
        assert len(await s.kept(CODES)) == 2
        await s.right("select id from safe")
        await s.kept(PRICE, 1)


@pytest.mark.parametrize(
    "take, give",
    [
        ("revoke select on material from clerk", "grant select on material to clerk"),
        ("revoke readers from clerk", "grant readers to clerk"),
        ("revoke usage on schema shop from clerk", "grant usage on schema shop to clerk"),
        ("revoke select (n) on shop.item from clerk", "grant select (n) on shop.item to clerk"),
    ],
)
async def test_17_revoked_by_somebody_else(dsn: str, take: str, give: str) -> None:
    """Outside galvo: found by the next look at the catalog."""
    setup = """grant select on job to readers; create schema shop; create table shop.item(n int);
               insert into shop.item values (1); grant usage on schema shop to clerk; grant select on material to clerk;
               grant select (n) on shop.item to clerk; grant readers to clerk;"""
    asked = ("select price from material", "select id from job", "select n from shop.item")
    async with (
        roles(dsn, "readers", "clerk"),
        two(dsn, setup, user="clerk", cache={"catalog_refresh": 0.01}) as s,
    ):
        for sql in asked:
            await s.kept(sql)
        await s.admin.execute(take)

        async def refused() -> bool:
            return any([await fetched(s.kernel, sql) == ["InsufficientPrivilegeError"] for sql in asked])

        await until(refused)
        for sql in asked:
            await s.right(sql)
        await s.admin.execute(give)

        async def all_rows() -> bool:
            return not await refused()

        await until(all_rows)
        for sql in asked:
            await s.kept(sql)


async def test_17_the_role_of_a_pool(dsn: str) -> None:
    """A kernel whose connections start in a role stays in it, borrower after borrower."""
    async with roles(dsn, "clerk"), two(dsn, GUARDED, server_settings={"role": "clerk"}) as s:
        for _ in range(3):
            assert await s.right("select current_user::text") == [("clerk",)]
            assert await s.right(CODES) == []
            async with s.kernel.acquire() as session:
                await session.execute("reset role")
        await s.kept("select id from safe")


TENANTS = """
create table doc(id int primary key, tenant text not null, title text);
insert into doc values (1, 'a', 'a1'), (2, 'b', 'b1'), (3, 'b', 'b2');
alter table doc enable row level security;
create policy own on doc using (tenant = current_setting('app.tenant', true));
create table open(id int primary key); insert into open values (1);
grant select, insert, update, delete on doc, open, job, log, material to clerk;
grant usage on sequence log_id_seq to clerk;
"""
DOCS = "select title from doc order by id"


DECLARED = {"session_inputs": {"public.doc": ["app.tenant"]}}


@pytest.mark.parametrize("cache", [{}, DECLARED], ids=["refused", "declared"])
async def test_18_two_tenants_by_a_setting(dsn: str, cache: dict[str, Any]) -> None:
    """Row-level security by GUC: two sessions of one role, two tenants, one text."""
    async with roles(dsn, "clerk"), two(dsn, TENANTS, user="clerk", cache=cache, min_size=2) as s:
        assert await s.right(DOCS) == []
        async with s.session("set app.tenant = 'a'") as a, s.session("set app.tenant = 'b'") as b:
            for _ in range(2):
                assert names(await a.right(DOCS)) == ["a1"]
                assert names(await b.right(DOCS)) == ["b1", "b2"]
                assert await s.right(DOCS) == []
            await b.session.execute("update doc set title = 'b3' where id = 3")
            assert names(await b.right(DOCS)) == ["b1", "b3"]
            for sql in ("begin", "set local app.tenant = 'a'"):
                await b.both(sql)
            assert names(await b.right(DOCS)) == ["a1"]
            await b.both("rollback")
            assert names(await b.right(DOCS)) == ["b1", "b3"]
        await s.kept("select id from open")


async def test_18_set_config_inside_a_select(dsn: str) -> None:
    """The statement that reads changes the tenant."""
    async with roles(dsn, "clerk"), two(dsn, TENANTS, user="clerk") as s:
        one = "with t as materialized (select set_config('app.tenant', $1, true) as v) select v from t"
        async with s.kernel.transaction() as session:
            for tenant, titles in (("a", ["a1"]), ("b", ["b1", "b2"]), ("a", ["a1"])):
                await session.fetch(one, tenant)
                assert await fetched(session, DOCS) == titles
        await s.never_kept(one, "a")
        assert await s.right(DOCS) == []
        await s.kept("select id from open")


async def test_18_policies_come_and_go(dsn: str) -> None:
    """ENABLE, FORCE, CREATE, ALTER and DROP POLICY change what was cached before."""
    setup = TENANTS + "alter table open owner to clerk; insert into open values (2);"
    asked = "select id from open"
    async with roles(dsn, "clerk"), two(dsn, setup, user="clerk") as s:
        await s.kept(asked)
        for ddl in (
            "alter table open enable row level security", "alter table open force row level security",
            "create policy first on open using (id = 1)", "alter policy first on open using (id = 2)",
            "drop policy first on open", "alter table open no force row level security",
        ):  # fmt: skip
            await s.write(ddl)
            await s.right(asked)
        await s.write("alter table open disable row level security")
        await s.kept(asked)


async def test_18_declared_inputs_are_part_of_the_key(dsn: str) -> None:
    """Each tenant hits, and gets its own."""
    async with roles(dsn, "clerk"), two(dsn, TENANTS, user="clerk", cache=DECLARED, min_size=2) as s:
        await s.kept(DOCS)
        async with s.session("set app.tenant = 'a'") as a, s.session("set app.tenant = 'b'") as b:
            for _ in range(2):
                await a.kept(DOCS)
                await b.kept(DOCS)
            await a.both("set app.tenant = 'b'")
            await a.kept(DOCS)
        await s.still_kept(DOCS)


MEMBERS = """
create table member(name text, tenant text); insert into member values ('clerk', 'b'); grant select on member to clerk;
drop policy own on doc;
create policy member on doc using (tenant in (select m.tenant from member m where m.name = current_user));
"""


async def test_19_a_policy_that_reads_another_table(dsn: str, own_redis: OwnRedis) -> None:
    """A write to it, in another process, changes the answer of a statement that does not name it."""
    cache = shared(own_redis.url)
    async with (
        roles(dsn, "clerk"),
        two(dsn, TENANTS + MEMBERS, user="clerk", cache=cache | DECLARED) as s,
        two(dsn, schema=None, cache=cache) as boss,
    ):
        await boss.awake()
        await s.awake()
        assert names(await s.right(DOCS)) == ["b1", "b2"]
        assert len(await boss.right(DOCS)) == 3
        await boss.write("update member set tenant = 'a'")
        assert names(await s.right(DOCS)) == ["a1"]
        await boss.write("delete from member")
        assert await s.right(DOCS) == []
        await s.kept("select id from open")


async def test_19_the_tables_of_a_declared_policy(dsn: str) -> None:
    """They are part of the read set."""
    members = MEMBERS.replace("m.name = current_user", "m.name = current_setting('app.tenant', true)")
    grants = "grant insert, update, delete on member to clerk; insert into member values ('', 'a');"
    async with roles(dsn, "clerk"), two(dsn, TENANTS + members + grants, user="clerk", cache=DECLARED) as s:
        await s.kept(DOCS)
        await s.write("insert into log(line) values ('x')")
        await s.still_kept(DOCS)
        async with s.session("set app.tenant = 'clerk'") as pair:
            await pair.kept(DOCS)
            await s.write("update member set tenant = 'a'")
            await pair.kept(DOCS)


VIEWS = """
create view theirs with (security_barrier) as select id, tenant, title from doc;
create view mine with (security_invoker, security_barrier) as select id, tenant, title from doc;
create view codes as select id, code from safe;
create view codes_of_me with (security_invoker) as select code from safe;
grant select on theirs, mine, codes, codes_of_me to clerk; grant bystander to clerk;
"""


@pytest.mark.parametrize("become", ["set role bystander", "set row_security = off", "reset role"])
async def test_20_views_columns_and_bypass(dsn: str, become: str) -> None:
    """security_invoker and security_barrier views, column privileges, row_security, BYPASSRLS."""
    asked = (
        "select title from theirs", "select title from mine", "select code from codes", "select code from codes_of_me",
        "select id from safe", "select code from safe", "select * from safe", "select count(*) from safe",
        "select s from safe s", DOCS,
    )  # fmt: skip
    async with (
        roles(dsn, "clerk", "bystander"),
        two(dsn, GUARDED + TENANTS + VIEWS, user="clerk", min_size=2) as s,
        two(dsn, schema=None) as boss,
    ):
        for sql in asked:
            await boss.right(sql)
            await s.right(sql)
        async with s.session(become) as pair, boss.session("set app.tenant = 'b'", "set role clerk") as other:
            for sql in asked:
                await pair.right(sql)
                await other.right(sql)
        for change in ("bypassrls", "nobypassrls"):
            await s.admin.execute(f"alter role clerk {change}")
            await s.reconnect()
            async with connected(s.dsn) as s.other:
                for sql in asked:
                    await s.right(sql)
                await s.kept("select id from safe")
