"""Roles without rights, a standby, tables of others, locks, thousands of tables."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import asyncpg
import pytest
from msgspec import structs

from galvo import GalvoError
from galvo_index.health import RULES, Limits, Report, examine
from galvo_index.health.server import looking
from tests.plugins.cache.situations.servers import Standby
from tests.plugins.index.health.limits import LOW

pytestmark = pytest.mark.anyio
MANY = "GALVO_INDEX_MANY_TABLES" in os.environ  # read before conftest.py clears such variables
WRONG = """
create table parent(id int primary key); create table t(id serial primary key, n int references parent, unique (n, id));
create index t_n on t(n); create index t_n_again on t(n);
insert into parent values (1); insert into t(n) select 1 from generate_series(1, 2000);
"""


async def look(dsn: str, limits: Limits = LOW) -> Report:
    connection = await asyncpg.connect(dsn)
    try:
        return await examine(connection, limits=limits)
    finally:
        await connection.close()


def of(report: Report, rule: str) -> list[str]:
    return [finding.subject for finding in report.findings if finding.rule == rule]


async def test_a_role_without_rights(dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    role = f"plain_{os.getpid()}"
    await owner.execute(f"{WRONG}; create role {role} login; revoke all on schema public from public")
    other = await asyncpg.connect(dsn)
    await other.execute("begin; select 1")
    try:
        report = await look(dsn.replace("//postgres@", f"//{role}@"))
    finally:
        await other.close()
        await owner.execute(f"drop role {role}")
        await owner.close()
    said = {unknown.rule: unknown.why for unknown in report.unknown}
    assert of(report, "duplicate-index") == ["public.t_n_again"]
    assert "grant it pg_monitor" in said["idle-in-transaction"]
    assert "grant it pg_monitor" in said["long-transaction"]
    assert said["exhausted-sequence"].startswith("1 sequence is not readable")
    assert said["stale-statistics"].startswith("whether 2 tables have statistics is not known")
    assert not any("database says" in why for why in said.values())


async def test_a_standby(dsn: str, folder: Path) -> None:
    owner = await asyncpg.connect(dsn)
    await owner.execute(f"{WRONG}; create unlogged table u(id serial)")
    standby = Standby(dsn, folder)
    standby.start()
    try:
        report = await look(standby.dsn)
    finally:
        standby.stop()
    await owner.close()
    assert of(report, "duplicate-index") == ["public.t_n_again"]
    assert of(report, "unused-index") == []
    assert {unknown.rule: unknown.why for unknown in report.unknown}["unused-index"].startswith(
        "a standby knows its own"
    )
    assert not any("database says" in unknown.why for unknown in report.unknown)


async def test_tables_of_others_foreign_and_partitioned_ones(dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    await owner.execute(
        "create temp table mine(id serial primary key, n int) on commit delete rows; create index on mine(n);"
        "create index on mine(n); insert into mine(n) values (1);"
        "create foreign data wrapper none; create server far foreign data wrapper none;"
        "create foreign table away(id int, n int) server far;"
        "create table p(id int, n int) partition by list (id); create foreign table p_away partition of p "
        "for values in (1) server far; create table p_2 partition of p for values in (2) partition by list (n);"
        "create table p_2_2 partition of p_2 default; create index on p_2(n)"
    )
    report = await look(dsn, structs.replace(LOW, index=16384))
    await owner.close()
    ours = [one for one in report.findings if one.rule not in {"random-page-cost", "forced-checkpoints"}]
    assert [(one.rule, one.subject) for one in ours] == []
    assert {unknown.rule for unknown in report.unknown} <= {"bloated-index"}


async def test_young_statistics_say_nothing_of_what_is_unused(dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    await owner.execute(WRONG)
    await owner.close()
    report = await look(dsn, structs.replace(LOW, counted=14 * 86400.0))
    assert of(report, "unused-index") == []
    why = {unknown.rule: unknown.why for unknown in report.unknown}["unused-index"]
    assert why.endswith("14 days are needed to call an index unused")


async def test_a_database_is_not_as_old_as_its_server(dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    await owner.fetch("select * from pg_database")  # all databases share it, and what is counted about it
    await asyncio.sleep(0.2)
    start = time.monotonic()
    await owner.execute("create database made_now")
    connection = await asyncpg.connect(dsn, database="made_now")
    async with looking(connection, LOW) as server:
        assert server.facts.counted <= time.monotonic() - start
    await connection.close()
    await owner.execute("drop database made_now")
    await owner.close()


async def test_nothing_stays_in_the_session(dsn: str) -> None:
    """A pooler may give it to others."""
    connection = await asyncpg.connect(dsn)
    names = ("search_path", "default_transaction_read_only", "statement_timeout", "lock_timeout", "jit")
    before = [await connection.fetchval(f"show {name}") for name in names]
    await examine(connection)
    assert [await connection.fetchval(f"show {name}") for name in names] == before
    assert not connection.is_in_transaction()
    await connection.close()


async def test_a_locked_table_is_no_obstacle(dsn: str) -> None:
    owner, other = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await owner.execute(
        f"{WRONG}; create index on t(lower(n::text)) where n > 0; create materialized view m as select 1"
    )
    await other.execute("begin; lock table t, parent")
    report = await look(dsn)
    await other.close()
    await owner.close()
    assert of(report, "duplicate-index") == ["public.t_n_again"]
    assert {unknown.rule for unknown in report.unknown} <= {"bloated-index", "stale-statistics"}


async def test_an_index_that_is_being_built_is_not_invalid(dsn: str) -> None:
    owner, writer, builder = [await asyncpg.connect(dsn) for _ in range(3)]
    await owner.execute(WRONG)
    await writer.execute("begin; update parent set id = id")
    build = asyncio.create_task(builder.execute("create index concurrently parent_built on parent(id)"))
    async with asyncio.timeout(20):
        while not await owner.fetchval("select count(*) from pg_locks where not granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert of(await look(dsn), "invalid-index") == []
    await owner.fetchval("select pg_cancel_backend($1)", builder.get_server_pid())
    with pytest.raises(asyncpg.QueryCanceledError):
        await build
    assert of(await look(dsn), "invalid-index") == ["public.parent_built"]
    for connection in (owner, writer, builder):
        await connection.close()


async def test_one_rule_that_fails_stops_no_other(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = await asyncpg.connect(dsn)
    await owner.execute(WRONG)
    monkeypatch.setattr("galvo_index.health.invalid.SQL", "select 1 / 0")
    report = await look(dsn)
    await owner.close()
    assert (
        "database says: division by zero" in {unknown.rule: unknown.why for unknown in report.unknown}["invalid-index"]
    )
    assert of(report, "duplicate-index") == ["public.t_n_again"]


async def test_a_server_that_goes_away_is_said(dsn: str) -> None:
    connection, other = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await other.execute("select pg_terminate_backend($1)", connection.get_server_pid())
    with pytest.raises((GalvoError, asyncpg.PostgresError), match="connection"):
        await examine(connection)
    await other.close()


async def test_each_rule_alone_sends_one_query_or_two(dsn: str) -> None:
    """One round trip for each, and a second one where the first found something to explain."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(WRONG)
    for rule in RULES:
        sent: list[str] = []
        connection.add_query_logger(lambda record: sent.append(record.query))  # noqa: B023
        await examine(connection, [rule], LOW)
        for logger in list(connection._query_loggers):
            connection._query_loggers.discard(logger)
        assert len(sent) <= 3 + 2, rule  # begin, facts, rollback
    await connection.close()


@pytest.mark.skipif(not MANY, reason="GALVO_INDEX_MANY_TABLES is not set")
async def test_five_thousand_tables(dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    for group in range(50):
        for number in range(group * 100, group * 100 + 100):
            await owner.execute(
                f"create table t{number}(id serial primary key, a int references t{max(number - 1, 0)}, b text);"
                f"create index on t{number}(a); create index on t{number}(b, a)"
            )
    start = time.monotonic()
    report = await look(dsn)
    print(f"\n5,000 tables: {time.monotonic() - start:.1f} s")
    await owner.close()
    assert not any("database says" in unknown.why or "took longer" in unknown.why for unknown in report.unknown)
