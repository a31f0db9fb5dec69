"""What is advised for which statement; the planner agrees, with HypoPG."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from galvo import GalvoError
from galvo_index.advise import advise, consult
from galvo_index.workload import Statement
from tests.plugins.index.advise.shop import keys

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
        ["customer (id) include (email)", "orders (total) include (customer)"],
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
async def test_the_index_for_a_statement(shop: asyncpg.Connection, case: str) -> None:
    sql, expected = CASES[case]
    advice = await advise(shop, [Statement(sql)], budget=None, seconds=10)
    assert sorted(keys(advice)) == expected
    for one in advice:
        assert one.verified == "hypopg"
        assert one.gains[0].after < one.gains[0].before / 1.5


async def test_only_the_columns_that_are_read_when_the_table_is_wide(shop: asyncpg.Connection) -> None:
    sql = "select sum(total) from orders where placed between timestamp '2020-02-01' and timestamp '2020-04-01'"
    assert keys(await advise(shop, [Statement(sql)])) == ["orders (placed) include (total)"]


async def test_a_rare_state_gets_a_partial_index_and_a_usual_one_none(shop: asyncpg.Connection) -> None:
    pending = Statement("select id, note from orders where status = 'pending' order by placed")
    [only] = await advise(shop, [pending])
    assert only.definition.where == "status = 'pending'"
    assert only.bytes < 100_000
    assert await advise(shop, [Statement("select note from orders where status = 'done'")]) == []


async def test_real_arguments_show_that_a_state_is_rare(shop: asyncpg.Connection) -> None:
    statement = Statement("select note from orders where status = $1", arguments=(("pending",),) * 4)
    [only] = await advise(shop, [statement])
    assert only.definition.where == "status = 'pending'"


async def test_arguments_that_are_not_known_are_planned_for_in_general(shop: asyncpg.Connection) -> None:
    advice = await advise(shop, [Statement("select note from orders where customer = $1 and id > $2")])
    assert keys(advice) in (["orders (customer, id)"], ["orders (customer)"])
    assert await shop.fetchval("select count(*) from pg_prepared_statements where name like 'galvo%'") == 0


async def test_nothing_is_created_and_the_session_is_as_before(shop: asyncpg.Connection) -> None:
    names = ("statement_timeout", "lock_timeout", "plan_cache_mode")
    settings = ", ".join(f"current_setting('{name}')" for name in names)
    look = f"select (select count(*) from pg_class), {settings}"
    before = await shop.fetchrow(look)
    assert await advise(shop, [Statement("select note from orders where customer = 7")])
    assert await shop.fetchrow(look) == before
    assert await shop.fetchval("select count(*) from hypopg_list_indexes") == 0


async def test_the_budget_is_kept(shop: asyncpg.Connection) -> None:
    statements = [Statement(sql) for sql, _ in CASES.values()]
    free = await advise(shop, statements)
    for budget in (0, 300_000, 700_000):
        kept = await advise(shop, statements, budget=budget)
        assert sum(one.bytes for one in kept) <= budget
        assert len(kept) < len(free)


async def test_sizes_are_about_right(shop: asyncpg.Connection) -> None:
    for sql in ("customer = 7", "placed = timestamp '2020-03-01'", "words = array['w7']"):
        for one in await advise(shop, [Statement(f"select note from orders where {sql}")]):
            name = await shop.execute(one.definition.sql("made"))
            real = await shop.fetchval("select pg_relation_size('made')")
            await shop.execute("drop index made")
            assert name == "CREATE INDEX"
            assert 0.7 < one.bytes / real < 1.5, sql


async def test_an_index_that_existing_ones_serve_is_not_advised(shop: asyncpg.Connection) -> None:
    for condition in (
        "line where product = 7",
        "line where product = 7 and amount = 3",
        "customer where lower(city) = 'x'",
    ):
        assert await advise(shop, [Statement(f"select * from {condition}")]) == []


async def test_writes_that_cost_more_than_reads_gain_prevent_an_index(shop: asyncpg.Connection) -> None:
    read = Statement("select note from orders where customer = 7", calls=1)
    insert = "insert into orders select 1, 1, '', now(), 1, '{}', '{}', ''"
    assert await advise(shop, [read, Statement(insert, calls=100)])
    assert await advise(shop, [read, Statement(insert, calls=1_000_000)]) == []


async def test_updates_that_would_no_longer_be_heap_only_count(shop: asyncpg.Connection) -> None:
    read = Statement("select note from orders where total = 7", calls=1)
    for column, advised in (("note", 1), ("total", 0)):
        write = Statement(f"update orders set {column} = {column} where id = 3", calls=1000)
        assert len(await advise(shop, [read, write])) == advised, column


async def test_what_values_contain_is_suggested_though_hypopg_cannot_try_it(shop: asyncpg.Connection) -> None:
    for condition, key in (("tags @> '{\"a\": 7}'", "tags jsonb_path_ops"), ("words @> array['w7']", "words")):
        [one] = await advise(shop, [Statement(f"select id from orders where {condition}")])
        assert keys([one]) == [f"orders using gin ({key})"]
        assert one.verified == "no"


async def test_one_index_serves_several_statements(shop: asyncpg.Connection) -> None:
    reads = ["select note from orders where customer = 7", "select note from orders where customer = 7 and total = 3"]
    [one] = await advise(shop, [Statement(sql, calls=10) for sql in reads])
    assert len(one.gains) == 2


async def test_the_search_ends_in_time_with_what_it_has(shop: asyncpg.Connection) -> None:
    report = await consult(shop, [Statement(sql) for sql, _ in CASES.values()], seconds=0.05)
    assert report.seconds < 5


async def test_measured_seconds_decide_what_counts(shop: asyncpg.Connection) -> None:
    def both(first: float, second: float) -> list[Statement]:
        return [
            Statement("select note from orders where customer = 7", seconds=first),
            Statement("select note from orders where placed = timestamp '2020-03-01'", seconds=second),
        ]

    for seconds, expected in (((100.0, 1.0), "orders (customer)"), ((1.0, 100.0), "orders (placed)")):
        budget = 500_000
        advice: Any = await advise(shop, both(*seconds), budget=budget)
        assert keys(advice) == [expected]


async def test_a_transaction_is_refused(shop: asyncpg.Connection) -> None:
    async with shop.transaction():
        with pytest.raises(GalvoError, match="not in a transaction"):
            await advise(shop, [Statement("select 1")])
