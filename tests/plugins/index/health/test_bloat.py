"""Measured by pgstatindex, or said not to be known."""

from __future__ import annotations

import asyncpg
import pytest

from galvo_index.health import Limits, Report, examine
from tests.plugins.index.health.limits import LOW

pytestmark = pytest.mark.anyio
PLANT = """
create schema "tools; x"; create extension pgstattuple schema "tools; x";
create function public.pgstatindex(regclass) returns int language sql as 'select 1/0';
create table emptied(id int primary key, n int); create index on emptied(n);
insert into emptied select i, i from generate_series(1, 30000) i; create index dense on emptied(id, n);
delete from emptied where id % 20 <> 0
"""


async def look(dsn: str, limits: Limits) -> Report:
    connection = await asyncpg.connect(dsn)
    try:
        return await examine(connection, ["bloated-index"], limits)
    finally:
        await connection.close()


async def test_what_is_empty_is_measured_and_the_rest_is_said(debian_dsn: str) -> None:
    connection = await asyncpg.connect(debian_dsn)
    await connection.execute(PLANT)
    await connection.execute("vacuum (freeze) emptied")
    await connection.execute("reindex index dense")

    report = await look(debian_dsn, LOW)
    assert sorted(one.subject for one in report.findings) == ["public.emptied_n_idx", "public.emptied_pkey"]
    assert all(one.evidence["leaf_density"] < 10 for one in report.findings)
    assert not report.unknown

    report = await look(debian_dsn, Limits(index=8192, examined=8192))
    assert not report.findings, "all are too large to read"
    assert "3 indexes not examined" in report.unknown[0].why
    report = await look(debian_dsn, Limits(index=8192, examined_together=10**6, waste=8192))
    assert [len(report.findings), len(report.unknown)] == [1, 1], "both would be too much"

    await connection.execute("create role plain login")
    report = await look(debian_dsn.replace("postgres@", "plain@"), LOW)
    await connection.execute("drop role plain")
    await connection.close()
    assert not report.findings
    assert "pg_stat_scan_tables" in report.unknown[0].why
