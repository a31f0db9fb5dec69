"""Where no index is built, and what the sentence says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from galvo import GalvoError
from galvo_index.apply.journal import Journal
from galvo_index.apply.run import Outcome, apply
from galvo_index.apply.wish import Wish
from galvo_index.definition import Definition
from tests.plugins.index.apply.kills import QUICK, check, make_table, wishes

pytestmark = pytest.mark.anyio


async def one(dsn: str, wish: Wish, *allowed: str, **user: str) -> Outcome:
    _, (outcome,) = await apply(lambda: asyncpg.connect(dsn, **user), [wish], QUICK, allowed=allowed or ("*",))
    return outcome


@pytest.fixture
async def debian(debian_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(debian_dsn)
    await make_table(connection)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "setup, table, sentence",
    [
        ("create view made as select * from item", "public.made", "is a view: an index belongs on the tables"),
        ("create table made (a int) partition by list (a)", "public.made", "is partitioned, and an index on all"),
        ("create sequence made", "public.made", "is no table"),
        ("select", "public.nothing", "there is no table public.nothing"),
        ("select", "pg_catalog.pg_class", "is a table of the system"),
        ("select", "public.Item", "public.Item is not written as in SQL: public.item would be"),
        (
            "create extension postgres_fdw; create server far foreign data wrapper postgres_fdw;"
            "create foreign table made (a int) server far",
            "public.made",
            "is a foreign table",
        ),
    ],
)
async def test_a_table_that_is_none(
    debian_dsn: str, debian: asyncpg.Connection, setup: str, table: str, sentence: str
) -> None:
    await debian.execute(setup)
    schema, name = table.split(".")
    outcome = await one(debian_dsn, Wish(Definition(schema, name, ("a",))))
    assert not outcome.built
    assert sentence in outcome.text
    await check(debian)


async def test_a_temporary_table(dsn: str, connection: asyncpg.Connection) -> None:
    await connection.execute("create temporary table mine (a int)")
    schema = await connection.fetchval("select pg_my_temp_schema()::regnamespace::text")
    outcome = await one(dsn, Wish(Definition(schema, "mine", ("a",))))
    assert "is temporary" in outcome.text


@pytest.mark.parametrize(
    "definition",
    [
        Definition("public", "item", ("price); drop table item; create index on item (price",)),
        Definition("public", "item", ("price",), where="true; drop table item"),
        Definition("public", "item; drop table item --", ("price",)),
        Definition("public", "item", ("price",), method="btree (price); drop table item; --"),
    ],
)
async def test_a_hostile_definition(dsn: str, connection: asyncpg.Connection, definition: Definition) -> None:
    outcome = await one(dsn, Wish(definition))
    assert not outcome.built
    await check(connection)


async def test_a_hostile_name_that_is_a_name(dsn: str, connection: asyncpg.Connection) -> None:
    await connection.execute("""create schema "a.b"; create table "a.b"."x""; drop table item; --é" ("'; c" int)""")
    definition = Definition('"a.b"', '"x""; drop table item; --é"', ('"\'; c"',))
    outcome = await one(dsn, replace(Wish(definition), reason="because of '; drop table item; --"))
    assert outcome.built, outcome
    (entry,) = await Journal(connection).entries()
    comment = await connection.fetchval("select obj_description($1::oid, 'pg_class')", entry.index_oid)
    assert comment.startswith("galvo: because of '; drop table item; --; 20")
    await check_nothing_else(connection)


async def check_nothing_else(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("select count(*) from item") == 2000


async def test_only_the_tables_that_may(dsn: str, connection: asyncpg.Connection) -> None:
    (wish,) = wishes()
    refused = await one(dsn, wish, "public.other", "sales.*")
    assert refused.text == "public.item is none of the tables that may get indexes (public.other, sales.*)"
    assert (await one(dsn, wish, "public.*")).built


async def test_what_is_there_already(dsn: str, connection: asyncpg.Connection) -> None:
    (wish,) = wishes("create index on item (name)")
    assert (await one(dsn, wish)).text == "public.item has this index already: galvo_theirs"


async def test_who_does_not_own_the_table(dsn: str, connection: asyncpg.Connection) -> None:
    role = f"other_{dsn.rpartition('test_')[2].partition('?')[0]}"
    await connection.execute(f"create role {role} login; grant create on schema public to {role}")
    database = await connection.fetchval("select current_database()")
    await connection.execute(f"grant create on database {database} to {role}")
    outcome = await one(dsn, wishes()[0], user=role)
    assert "belongs to postgres: connect as that role" in outcome.text
    await connection.execute(f"alter table item owner to {role}")
    assert "cannot be seen from here: say it (--free BYTES" in (await one(dsn, wishes()[0], user=role)).text
    told = replace(QUICK, free=10**9)
    _, (outcome,) = await apply(lambda: asyncpg.connect(dsn, user=role), wishes(), told)
    assert outcome.built, outcome
    # Who may do everything must not run the triggers of who may not.
    with pytest.raises(GalvoError, match="belongs to a role that is neither a superuser nor yours"):
        await one(dsn, wishes()[0])
    await connection.execute(f"reassign owned by {role} to postgres; drop owned by {role}; drop role {role}")


async def test_a_journal_of_somebody_else_is_not_trusted(dsn: str, connection: asyncpg.Connection) -> None:
    """Its triggers would run with the rights of who applies."""
    role = f"mallory_{dsn.rpartition('test_')[2].partition('?')[0]}"
    await connection.execute(f"create role {role}; create schema galvo authorization {role}")
    await connection.execute(
        f"create table galvo.index_journal (id int); alter table galvo.index_journal owner to {role}"
    )
    user = f"victim_{role}"
    await connection.execute(f"create role {user} login; alter table item owner to {user}")
    with pytest.raises(GalvoError, match="belongs to a role that is neither a superuser nor yours"):
        await one(dsn, wishes()[0], user=user)
    with pytest.raises(GalvoError, match="belongs to a role"):
        await one(dsn, wishes()[0])
    await connection.execute(
        f"reassign owned by {role}, {user} to postgres; drop owned by {role}, {user}; drop role {role}, {user}"
    )


async def test_read_only(dsn: str, connection: asyncpg.Connection) -> None:
    with pytest.raises(GalvoError, match="transactions are read only here"):
        await apply(
            lambda: asyncpg.connect(dsn, server_settings={"default_transaction_read_only": "on"}), wishes(), QUICK
        )


async def test_nothing_is_made_without_a_wish(dsn: str, connection: asyncpg.Connection) -> None:
    assert await apply(lambda: asyncpg.connect(dsn), [], QUICK) == ([], [])
    assert not await Journal(connection).exists()
