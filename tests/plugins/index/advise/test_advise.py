"""What is advised for which statement; the planner agrees, with HypoPG."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from galvo_index.advise import advise, consult
from galvo_index.workload import Statement
from tests.plugins.index.advise.shop import keys, shop

pytestmark = pytest.mark.anyio

CASES = {
    "what is compared is the key": ("select note from orders where customer = 7", ["orders (customer)"]),
    "an alias and a schema": ("select o.note from public.orders o where o.customer = 7", ["orders (customer)"]),
    "then the order": (
        "select note from orders where customer > 0 order by placed desc limit 5",
        ["orders (placed)"],
    ),
    "in a subquery, by its own names": (
        "select email from customer c where exists (select 1 from orders where customer = c.id and total = 3)",
        ["orders (total) include (customer)"],
    ),
    "in a common table expression": (
        "with few as (select * from orders where customer = 7) select note from few",
        ["orders (customer)"],
    ),
    "an expression": (
        "select note from customer where lower(email) = 'user77@example.org'",
        ["customer ((lower(email)))"],
    ),
    "the beginning of a text": (
        "select note from customer where email like 'User77%'",
        ["customer (email text_pattern_ops)"],
    ),
    "an update": ("update orders set note = 'z' where customer = 7", ["orders (customer)"]),
    "a delete": ("delete from orders where placed < timestamp '2020-01-02'", ["orders (placed)"]),
    "the arms of an OR": (
        "select note from orders where customer = 7 or placed = timestamp '2020-03-01'",
        ["orders (customer)", "orders (placed)"],
    ),
    "the primary key is there": ("select note from orders where id = 7", []),
    "all rows are wanted": ("select sum(length(note)) from orders", []),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_index_for_a_statement(debian_dsn: str, case: str) -> None:
    sql, expected = CASES[case]
    async with shop(debian_dsn) as connection:
        advice = await advise(connection, [Statement(sql)], budget=None, seconds=10)
        assert sorted(keys(advice)) == expected
        for one in advice:
            assert one.verified == "hypopg"
            assert one.gains[0].after < one.gains[0].before / 1.5


async def test_only_the_columns_that_are_read_when_the_table_is_wide(debian_dsn: str) -> None:
    async with shop(debian_dsn) as connection:
        sql = "select sum(total) from orders where placed between timestamp '2020-02-01' and timestamp '2020-04-01'"
        assert keys(await advise(connection, [Statement(sql)])) == ["orders (placed) include (total)"]


async def test_a_rare_state_gets_a_partial_index_and_a_usual_one_none(debian_dsn: str) -> None:
    async with shop(debian_dsn) as connection:
        pending = Statement("select id, note from orders where status = 'pending' order by placed")
        [only] = await advise(connection, [pending])
        assert only.definition.where == "status = 'pending'"
        assert only.bytes < 100_000
        assert await advise(connection, [Statement("select note from orders where status = 'done'")]) == []


async def test_real_arguments_show_that_a_state_is_rare(debian_dsn: str) -> None:
    async with shop(debian_dsn) as connection:
        statement = Statement("select note from orders where status = $1", arguments=(("pending",),) * 4)
        [only] = await advise(connection, [statement])
        assert only.definition.where == "status = 'pending'"


async def test_arguments_that_are_not_known_are_planned_for_in_general(debian_dsn: str) -> None:
    async with shop(debian_dsn) as connection:
        advice = await advise(connection, [Statement("select note from orders where customer = $1 and id > $2")])
        assert keys(advice) in (["orders (customer, id)"], ["orders (customer)"])
        assert await connection.fetchval("select count(*) from pg_prepared_statements where name like 'galvo%'") == 0


async def test_nothing_is_created_and_the_session_is_as_before(debian_dsn: str) -> None:
    async with shop(debian_dsn) as connection:
        look = "select count(*), (select string_agg(name || setting, ',' order by name) from pg_settings) from pg_class"
        before = await connection.fetchrow(look)
        assert await advise(connection, [Statement("select note from orders where customer = 7")])
        assert await connection.fetchrow(look) == before
        assert await connection.fetchval("select count(*) from hypopg_list_indexes") == 0


async def test_the_budget_is_kept(debian_dsn: str) -> None:
    statements = [Statement(sql) for sql, _ in CASES.values()]
    async with shop(debian_dsn) as connection:
        free = await advise(connection, statements)
        for budget in (0, 300_000, 700_000):
            kept = await advise(connection, statements, budget=budget)
            assert sum(one.bytes for one in kept) <= budget
            assert len(kept) < len(free)


async def test_sizes_are_about_right(debian_dsn: str) -> None:
    async with shop(debian_dsn) as connection:
        for sql in ("customer = 7", "placed = timestamp '2020-03-01'", "words = array['w7']"):
            for one in await advise(connection, [Statement(f"select note from orders where {sql}")]):
                name = await connection.execute(one.definition.sql("made"))
                real = await connection.fetchval("select pg_relation_size('made')")
                await connection.execute("drop index made")
                assert name == "CREATE INDEX"
                assert 0.7 < one.bytes / real < 1.5, sql


async def test_an_index_that_existing_ones_serve_is_not_advised(debian_dsn: str) -> None:
    more = "create index on orders (customer, placed); create index on customer (lower(email));"
    async with shop(debian_dsn, more) as connection:
        for case in ("what is compared is the key", "an expression", "an update"):
            assert await advise(connection, [Statement(CASES[case][0])]) == []


async def test_writes_that_cost_more_than_reads_gain_prevent_an_index(debian_dsn: str) -> None:
    read = Statement("select note from orders where customer = 7", calls=1)
    insert = "insert into orders select 1, 1, '', now(), 1, '{}', '{}', ''"
    async with shop(debian_dsn) as connection:
        assert await advise(connection, [read, Statement(insert, calls=100)])
        assert await advise(connection, [read, Statement(insert, calls=1_000_000)]) == []


async def test_updates_that_would_no_longer_be_heap_only_count(debian_dsn: str) -> None:
    read = Statement("select note from orders where total = 7", calls=1)
    async with shop(debian_dsn) as connection:
        for column, advised in (("note", 1), ("total", 0)):
            write = Statement(f"update orders set {column} = {column} where id = 3", calls=1000)
            assert len(await advise(connection, [read, write])) == advised, column


async def test_one_index_serves_several_statements(debian_dsn: str) -> None:
    reads = ["select note from orders where customer = 7", "select note from orders where customer = 7 and total = 3"]
    async with shop(debian_dsn) as connection:
        [one] = await advise(connection, [Statement(sql, calls=10) for sql in reads])
        assert len(one.gains) == 2


async def test_the_search_ends_in_time_with_what_it_has(debian_dsn: str) -> None:
    async with shop(debian_dsn) as connection:
        report = await consult(connection, [Statement(sql) for sql, _ in CASES.values()], seconds=0.05)
        assert report.seconds < 5


async def test_measured_seconds_decide_what_counts(debian_dsn: str) -> None:
    def both(first: float, second: float) -> list[Statement]:
        return [
            Statement("select note from orders where customer = 7", seconds=first),
            Statement("select note from orders where placed = timestamp '2020-03-01'", seconds=second),
        ]

    async with shop(debian_dsn) as connection:
        for seconds, expected in (((100.0, 1.0), "orders (customer)"), ((1.0, 100.0), "orders (placed)")):
            budget = 750_000
            advice: Any = await advise(connection, both(*seconds), budget=budget)
            assert keys(advice) == [expected]


async def test_a_transaction_is_refused(debian_dsn: str) -> None:
    connection = await asyncpg.connect(debian_dsn)
    try:
        async with connection.transaction():
            with pytest.raises(Exception, match="not in a transaction"):
                await advise(connection, [Statement("select 1")])
    finally:
        await connection.close()
