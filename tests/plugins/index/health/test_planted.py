"""Each rule finds what was planted for it, with the numbers and the remedy; nothing else is found."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import asyncpg
import pytest
from msgspec import structs

from galvo_index.finding import Finding
from galvo_index.health import RULES, Report, examine
from galvo_index.health.shown import WIDTH, shown
from tests.conftest import reachable_folder
from tests.plugins.index.health.limits import LOW
from tests.plugins.index.health.planted import planted

PLANTED = """
autovacuum-scale | public.fuller | waits for 4,050 dead rows in its 20,000 rows
blocking-chain | a prepared transaction | 2 sessions wait
blocking-chain | root | 2 sessions wait for locks because of it, .* 1 of them does so behind others .* public.loose
checksum-failure | database broken | 1 page was read with a wrong checksum
collation-version | collation public.old | version 0 .* the system has 1 now: 1 index may
collation-version | database ill | version 0 .* the system has 1 now: \\d+ indexes may
dead-rows | public.disabled | 3,000 dead rows beside 3,000 living ones: autovacuum is disabled for this table
dead-rows | public.fuller | 20,000 dead rows .* held back by worker \\(pid \\d+\\), in a transaction
duplicate-foreign-key | public.twice, constraint twice_again | 2 constraints say the same about public.maker
duplicate-index | public.goods_id_unique | the same columns as public.goods_pkey
duplicate-index | public.goods_lower_2 | the same columns as public.goods_lower_1
duplicate-index | public.goods_price_again | the same columns as public.goods_price on
exhausted-integer | public.outside(id) | reaches 2,147,483,646, 99 % of what integer holds
exhausted-sequence | public.down | 90 % of it are used: -900 of -1,000
exhausted-sequence | public.identified_id_seq | 99 % .* it numbers public.identified\\(id\\), smallint
exhausted-sequence | public.numbered_id_seq | 94 % .* 2,040,000,000 of 2,147,483,647; it numbers public.numbered\\(id\\)
exhausted-sequence | public.short | 94 % of it are used: 31,000 of 32,767
forced-checkpoints | server | max_wal_size = 32MB was full
forgotten-prepared-transaction | prepared transaction left over | postgres prepared it
idle-in-transaction | root | done nothing for .* with 2 locks on tables
inactive-slot | replication slot forgotten | of WAL
invalid-index | public.goods_failed | a build of it on public.goods has failed
invalid-index | public.item_parts_maker | 2 of its partitions have no valid part of it
long-transaction | worker | has been open
low-hit-ratio | public.goods | of its table were in shared_buffers \\(1.0 MB\\)
low-hit-ratio | public.goods | of its indexes were in shared_buffers
maintenance-memory | maintenance_work_mem | it is 64kB, and the largest index public.goods_unused
missing-foreign-key-index | public.item_bare(maker) | 10 rows were deleted
missing-foreign-key-index | public.item_expression(maker) | 10 rows were deleted
missing-foreign-key-index | public.item_half(maker, land) | 10 rows were deleted
missing-foreign-key-index | public.item_partial(maker) | 10 rows were deleted
missing-foreign-key-index | public.item_parts(maker) | 10 rows were deleted
missing-foreign-key-index | public.item_second(maker) | 10 rows were deleted
no-replica-identity | public.published | no primary key: each UPDATE and DELETE fails
no-replica-identity | public.published_bare | no primary key: each UPDATE and DELETE fails
planner-switch | enable_indexscan | it is off \\(database\\)
prefix-index | public.goods_kind | has the first columns of public.goods_kind_name
random-page-cost | random_page_cost | it is 4, .* ms on average
stale-statistics | public.disabled | knows nothing about its 3,000 rows: autovacuum is disabled
stale-statistics | public.lost | its counters were lost
stale-statistics | public.measurement | its 5,000 rows: autovacuum analyses its partitions, but never itself
statistics-target | default_statistics_target | it is 10
temporary-files | database ill | temporary files of
unchecked-foreign-key | public.unchecked, constraint unchecked_loose_fkey | its triggers are disabled
unused-index | public.fuller_n_idx | no query has used it
unused-index | public.goods_kind | no query has used it
unused-index | public.goods_kind_name | no query has used it
unused-index | public.goods_lower_1 | no query has used it
unused-index | public.goods_lower_2 | no query has used it
unused-index | public.goods_price | no query has used it
unused-index | public.goods_price_again | no query has used it
unused-index | public.goods_unused | no query has used it
unused-index | public.item_expression_expr_idx | no query has used it
unused-index | public.item_second_at_maker_idx | no query has used it
unvalidated-constraint | public.loose, constraint loose_price | it is NOT VALID
"""
CASES = [tuple(line.split(" | ")) for line in PLANTED.strip().splitlines()]
ELSEWHERE = {"bloated-index", "transaction-wraparound", "multixact-wraparound"}
"""Planted on servers of their own."""


@pytest.fixture(scope="module")
def ill() -> Iterator[Report]:
    with reachable_folder() as folder:

        async def look() -> Report:
            async with planted(folder) as dsn:
                connection = await asyncpg.connect(dsn)
                try:
                    return await examine(connection, limits=LOW)
                finally:
                    await connection.close()

        yield asyncio.run(look())


def subject(finding: Finding) -> str:
    return re.sub(r", pid \d+$", "", finding.subject)


@pytest.mark.parametrize("rule,about,seen", CASES)
def test_what_was_planted_is_found(ill: Report, rule: str, about: str, seen: str) -> None:
    found = [one for one in ill.findings if (one.rule, subject(one)) == (rule, about)]
    assert any(re.search(seen, one.seen) for one in found), [one.seen for one in found]


def test_nothing_else_is_found(ill: Report) -> None:
    assert sorted((one.rule, subject(one)) for one in ill.findings) == sorted(case[:2] for case in CASES)


def test_what_was_not_looked_at_is_said(ill: Report) -> None:
    assert [one.rule for one in ill.unknown] == ["bloated-index"]
    assert "pgstattuple is not installed" in ill.unknown[0].why


def test_there_is_a_problem_for_each_rule() -> None:
    assert {case[0] for case in CASES} | ELSEWHERE == set(RULES)


def test_the_worst_comes_first(ill: Report) -> None:
    order = ["critical", "warning", "info"]
    assert [one.severity for one in ill.findings] == sorted((one.severity for one in ill.findings), key=order.index)
    assert ill.critical


def test_eighty_columns(ill: Report) -> None:
    lines = list(shown(ill))
    assert max(len(line) for line in lines) <= WIDTH
    assert lines[0].startswith("ill, PostgreSQL 18.")
    heads = [line for line in lines if line.isupper() and not line.startswith(" ")]
    assert heads == ["DATA", "SESSIONS", "INDEXES", "TABLES", "SETTINGS", "COULD NOT BE LOOKED AT"]


def test_many_of_a_kind_are_counted(ill: Report) -> None:
    finding = next(one for one in ill.findings if one.rule == "unused-index")
    lines = list(shown(structs.replace(ill, findings=[finding] * 1500)))
    assert lines.count(f"   unused-index: {finding.subject}") == 20
    assert "   unused-index: 1,480 more; --json lists all" in lines
