"""Without HypoPG, without privileges, on a replica: another way to ask, or suggestions that say what they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from galvo_index.advise import consult
from galvo_index.advise.advisor import Report
from galvo_index.workload import Statement
from tests.plugins.index.advise.shop import keys

pytestmark = pytest.mark.anyio

WORKLOAD = [
    Statement("select note from orders where customer = 7 order by placed"),
    Statement("select o.note from customer c join orders o on o.customer = c.id where c.city = $1"),
    Statement("with few as (select * from public.orders where total = 3) select note from few"),
    Statement("select note from customer where lower(email) = 'user77@example.org'"),
]


@asynccontextmanager
async def connected(dsn: str, **settings: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def leftovers(connection: asyncpg.Connection) -> int:
    found: int = await connection.fetchval("select count(*) from pg_class where relname like 'galvo%'")
    return found


async def test_the_embedded_server_without_hypopg_is_asked_with_a_sample(plain_shop_dsn: str) -> None:
    async with connected(plain_shop_dsn) as connection:
        report = await consult(connection, WORKLOAD)
        assert {one.verified for one in report.advice} == {"sample"}
        assert "create extension hypopg" in report.note
        assert any(key.startswith("orders (customer") for key in keys(report.advice))
        assert "customer ((lower(email)))" in keys(report.advice)
        assert report.skipped == {}
        assert await leftovers(connection) == 0
        assert not connection.is_in_transaction()


async def test_a_contained_value_is_looked_for_with_gin_on_a_sample(plain_shop_dsn: str) -> None:
    statements = [
        Statement("select id from orders where tags @> '{\"a\": 7}'"),
        Statement("select id from orders where words @> array['w7']"),
    ]
    async with connected(plain_shop_dsn) as connection:
        found = sorted(keys((await consult(connection, statements)).advice))
    assert found == ["orders using gin (tags jsonb_path_ops)", "orders using gin (words)"]


async def role(connection: asyncpg.Connection, name: str, *grants: str) -> None:
    await connection.execute(f"create role {name}")
    for grant in grants:
        await connection.execute(grant)
    await connection.execute(f"set role {name}")


async def unverified(connection: asyncpg.Connection) -> Report:
    report = await consult(connection, WORKLOAD)
    assert {one.verified for one in report.advice} == {"no"}
    assert "unverified" in report.note
    assert any(key.startswith("orders (customer") for key in keys(report.advice))
    return report


async def test_a_role_that_may_not_make_temporary_tables_gets_unverified_suggestions(plain_shop_dsn: str) -> None:
    async with connected(plain_shop_dsn) as connection:
        database = await connection.fetchval("select current_database()")
        await connection.execute(f"revoke temp on database {database} from public")
        name = f"poor_{database}"
        try:
            await role(connection, name, f"grant select on all tables in schema public to {name}")
            assert "may not make temporary tables" in (await unverified(connection)).note
        finally:
            undo = f"grant temp on database {database} to public"
            await connection.execute(f"reset role; drop owned by {name}; drop role {name}; {undo}")


async def test_a_role_that_may_not_read_the_tables_still_gets_suggestions(plain_shop_dsn: str) -> None:
    async with connected(plain_shop_dsn) as connection:
        name = f"blind_{await connection.fetchval('select current_database()')}"
        try:
            await role(connection, name)
            report = await consult(connection, WORKLOAD)
            assert "permission denied" in report.note
            assert await leftovers(connection) == 0
        finally:
            await connection.execute(f"reset role; drop role {name}")


async def test_hypopg_that_may_not_be_called_is_not_needed(shop_dsn: str) -> None:
    async with connected(shop_dsn) as connection:
        grants = ["grant select on all tables in schema public to uncalled"]
        await connection.execute("revoke execute on function hypopg_reset() from public")
        try:
            await role(connection, "uncalled", *grants)
            report = await consult(connection, WORKLOAD)
            assert "permission denied for function hypopg_reset" in report.note
            assert {one.verified for one in report.advice} == {"sample"}
        finally:
            undo = "grant execute on function hypopg_reset() to public"
            await connection.execute(f"reset role; drop owned by uncalled; drop role uncalled; {undo}")


async def test_a_session_that_may_only_read_as_on_a_replica(shop_dsn: str, plain_shop_dsn: str) -> None:
    for dsn, verified in ((shop_dsn, "hypopg"), (plain_shop_dsn, "no")):
        async with connected(dsn, default_transaction_read_only="on") as connection:
            report = await consult(connection, WORKLOAD)
            assert {one.verified for one in report.advice} == {verified}
