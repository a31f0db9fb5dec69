"""The statement of a finding makes the finding go away, whatever the names are."""

from __future__ import annotations

import asyncpg
import pytest

from galvo_index.health import Report, examine
from galvo_index.health.shown import WORD, shown
from tests.plugins.index.health.limits import LOW

pytestmark = pytest.mark.anyio
NAME = '"a\'b; drop table x; --""c\\ \x1b[31m  d\ne"'
"""Quoted: with every character that ends something somewhere, two spaces, a line break, and a terminal's red."""
PLANT = """
create schema {name}; set search_path = {name};
create table parent(id int primary key);
create table {name}({name} int primary key, n int, p int references parent on delete cascade,
  constraint "again{tail} foreign key (p) references parent on delete cascade);
create index {name_} on {name}(n); create index "2{tail} on {name}(n); create index "3{tail} on {name}(n, p);
insert into parent select i from generate_series(1, 400) i;
insert into {name} select i, i, i % 300 + 1 from generate_series(1, 4000) i;
delete from parent where id > 390;
alter table {name} add constraint "check{tail} check (n > 0) not valid;
alter table {name} disable trigger all;
create sequence "seq{tail} as smallint; select setval('"seq{quoted_tail}', 32000);
create table "lost{tail} (i int) with (autovacuum_enabled = off);
insert into "lost{tail} select generate_series(1, 4000);
create publication {name} for table "lost{tail}
"""
RULES = [
    "duplicate-foreign-key", "duplicate-index", "exhausted-sequence", "missing-foreign-key-index",
    "no-replica-identity", "prefix-index", "stale-statistics", "unchecked-foreign-key", "unvalidated-constraint",
]  # fmt: skip


async def look(dsn: str) -> Report:
    connection = await asyncpg.connect(dsn)
    try:
        return await examine(connection, RULES, LOW)
    finally:
        await connection.close()


async def test_all_statements_can_be_run_as_they_are(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    tail = NAME[1:]
    words = {"name": NAME, "tail": tail, "name_": f'"1{tail}', "quoted_tail": tail.replace("'", "''")}
    await connection.execute(PLANT.format_map(words))
    await connection.execute("vacuum")
    await connection.close()  # so that its statistics are there
    report = await look(dsn)
    assert not report.unknown
    assert {finding.rule for finding in report.findings} == set(RULES)
    connection = await asyncpg.connect(dsn)
    for finding in report.findings:
        await connection.execute(finding.sql)
    await connection.close()
    again = await look(dsn)
    assert [finding.rule for finding in again.findings if finding.rule != "stale-statistics"] == []
    assert all("\n" not in line and "\x1b" not in line for line in shown(report))


def test_line_breaks_do_not_come_into_names() -> None:
    sql = f"alter table public.{NAME} set (x = 'a  ''b'), {'more ' * 30}"
    assert f"public.{NAME}" in WORD.findall(sql)
    assert "'a  ''b')," in WORD.findall(sql)
