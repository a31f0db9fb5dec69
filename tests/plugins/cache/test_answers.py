"""Nobody who changes an answer changes another's, and every answer has its weight."""

from __future__ import annotations

import copy
import json
import threading
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel
import asyncpg
import pytest

from galvo import Row, Rows
from galvo_cache.answers import Answer, TooLarge, copied, difference, weigh
from tests.plugins.cache.stand import Stand, standing

pytestmark = pytest.mark.anyio
LARGE = 2**30
TABLE = """
create type pair as (number int, words text[]);
create table thing(id int primary key, words text[], doc jsonb, pair pair, grid int[][]);
insert into thing values (1, '{a,b}', '{"a": {"b": [1, 2]}}', row(1, '{x,y}')::pair, '{{1,2},{3,4}}');
"""
EXACT = "select id, words, doc, pair, grid from thing where id = $1"
WIDE = "select * from (select words from thing) x, (select doc, pair from thing) y"


def plain(value: Any) -> Any:
    """A copy in plain types, to compare with later."""
    if isinstance(value, asyncpg.Record | Row):
        return [plain(item) for item in value.values()]
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return copy.deepcopy(value)


def vandalise(value: Any) -> int:
    """Change everything in `value` that can be changed; gives how much that was."""
    if isinstance(value, asyncpg.Record | Row):
        return sum(vandalise(item) for item in value.values())
    if isinstance(value, list):
        done = sum(vandalise(item) for item in value)
        value.append("vandal")
        return done + 1
    if isinstance(value, dict):
        done = sum(vandalise(item) for item in value.values())
        value["vandal"] = True
        return done + 1
    return 0


async def with_json(stand: Stand) -> None:
    """Make the only connection decode jsonb into dicts and lists."""
    pool = stand.kernel.find_capability("pool")._pool()
    async with pool.acquire() as connection:
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        pool.codecs = dict(connection._holder.life.codecs)  # as if `init` had done it


async def test_changing_an_answer_changes_no_other(dsn: str) -> None:
    async with standing(dsn, max_size=1) as stand:
        await stand.other.execute(TABLE)
        await with_json(stand)
        first = await stand.kernel.fetch(EXACT, 1)
        pristine = plain(first)
        assert vandalise(first) >= 6
        for _ in range(3):  # from the miss, then from hits
            rows = await stand.kernel.fetch(EXACT, 1)
            assert plain(rows) == pristine
            vandalise(rows)
        row = await stand.kernel.fetchrow(EXACT, 1)
        vandalise(row)
        row = await stand.kernel.fetchrow(EXACT, 1)
        assert [plain(row)] == pristine
        words = await stand.kernel.fetchval("select words from thing where id = $1", 1)
        vandalise(words)
        assert await stand.kernel.fetchval("select words from thing where id = $1", 1) == ["a", "b"]
        assert stand["stored"] == 3
        assert stand["hits"] == 5


async def test_a_leader_who_changes_its_answer_at_once(dsn: str) -> None:
    """It gets control before those who wait for its flight."""
    async with standing(dsn, max_size=1) as stand:
        await stand.other.execute(TABLE)
        await with_json(stand)
        pristine = plain(await stand.kernel.fetch(EXACT + " and true", 1))
        await stand.kernel.fetch(EXACT, 2)
        seen: list[Any] = []

        async def read() -> None:
            rows = await stand.kernel.fetch(EXACT, 1)
            seen.append(plain(rows))
            vandalise(rows)

        gate = stand.gate.stop(EXACT)
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(read)
            await gate.reached.wait()
            gate.go.set()
        assert stand["joined"] == 4
        assert seen == [pristine] * 5


async def test_the_returned_list_is_the_callers_own(dsn: str) -> None:
    async with standing(dsn) as stand:
        sql = "select id, name from material order by id"  # immutable cells: the answer itself is shared
        first = await stand.kernel.fetch(sql)
        first.clear()
        second = await stand.kernel.fetch(sql)
        assert len(second) == 5
        second.append(None)
        second.reverse()
        third = await stand.kernel.fetch(sql)
        assert [row["id"] for row in third] == [1, 2, 3, 4, 5]
        assert third is not second
        assert stand["hits"] == 2


async def test_every_type_of_postgresql(dsn: str) -> None:
    """What asyncpg makes of it comes back equal, from the miss and from the hit."""
    async with standing(dsn) as stand:
        await stand.other.execute(
            """create table every(arr int[], r int4range, vb varbit, bx box, pt point, u uuid, i inet, iv interval,
               ci circle, pa path, pg polygon, ln line, ls lseg, n numeric, t timestamptz, b bytea, m macaddr,
               tr tsrange[], mr int4multirange);
               insert into every values ('{1,2}', '[1,3)', '101', '((0,0),(1,1))', '(1,2)', gen_random_uuid(),
               '10.0.0.1', '1 mon 2 days', '<(0,0),1>', '((0,0),(1,1))', '((0,0),(1,1))', '{1,2,3}',
               '[(0,0),(1,1)]', 1.50, now(), 'aa', '08:00:2b:01:02:03', '{"[2024-01-01,2024-01-02)"}', '{[1,2)}')"""
        )
        columns = [
            "arr",
            "r",
            "vb",
            "bx",
            "pt",
            "u",
            "i",
            "iv",
            "ci",
            "pa",
            "pg",
            "ln",
            "ls",
            "n",
            "b",
            "m",
            "tr",
            "mr",
        ]
        for column in columns:
            sql = f"select {column} from every"
            truth = await stand.truth(sql)
            before = stand["stored"]
            for _ in range(2):
                value = await stand.kernel.fetchval(sql)
                assert value == truth, column
                assert type(value) is type(truth), column
            assert stand["stored"] == before + 1, column
        assert stand.kernel.plugins()[0]["faults"] == 0


async def test_what_cannot_be_copied_is_not_kept_and_not_shared(dsn: str) -> None:
    async with standing(dsn) as stand:
        loads = 0

        async def load() -> Any:
            nonlocal loads
            loads += 1
            await anyio.lowlevel.checkpoint()
            return [threading.Lock()]

        values: list[Any] = []

        async def read() -> None:
            values.append(await stand.kernel.cached("lock", load, depends_on=["material"]))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(read)
        assert len({id(value[0]) for value in values}) == len(values) == 3
        assert stand["refused_uncopyable"] >= 1
        assert stand["entries"] == 0
        assert stand.kernel.plugins()[0]["faults"] == 0


async def test_too_large_answers_are_refused(dsn: str) -> None:
    async with standing(dsn, {"max_entry_bytes": 4000}) as stand:
        sql = "select repeat(name, $1) from material where id = 1"
        for _ in range(2):
            assert len(await stand.kernel.fetchval(sql, 5000)) == 10_000
        assert stand["refused_too_large"] == 2
        assert stand["entries"] == 0
        await stand.kernel.fetchval(sql, 50)
        assert stand["entries"] == 1


async def test_a_crowd_shares_a_too_large_answer(dsn: str) -> None:
    """It is not kept, and still 20 readers at once are one query."""
    async with standing(dsn, {"max_entry_bytes": 4000}) as stand:
        sql = "select repeat(name, 5000) from material"
        await stand.kernel.fetch(sql)
        before, lengths = stand.ran(sql), []

        async def read() -> None:
            lengths.append(len(await stand.kernel.fetch(sql)))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(read)
        assert lengths == [5] * 20
        assert stand.ran(sql) == before + 1


async def test_a_large_key_weighs_too(dsn: str) -> None:
    async with standing(dsn) as stand:
        sql = "select id from material where name = $1"
        await stand.kernel.fetch(sql, "x")
        before = stand["bytes"]
        for number in range(10):
            await stand.kernel.fetch(sql, f"{number}" * 50_000)
        assert stand["bytes"] - before > 500_000


# -- the weight itself ---------------------------------------------------------------------------------


@dataclass
class Job:
    name: str
    parts: list[str]


class Slotted:
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


BIG = "x" * 50_000


@pytest.mark.parametrize(
    "value",
    [
        BIG, BIG.encode(), [BIG], (BIG,), {BIG}, frozenset([BIG]), {"a": BIG}, {BIG: 1}, {"a": [{"b": (BIG,)}]},
        Row(["a"], [BIG]), Row(["a"], [Row(["b"], [[BIG]])]), Job(BIG, []), Job("", [BIG]), [Job("", [BIG])],
        Slotted(BIG), OrderedDict(a=BIG), defaultdict(list, a=[BIG]), deque([BIG]),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_the_weight_counts_everything_within(value: Any) -> None:
    weight, _ = weigh([value], LARGE)
    assert 50_000 < weight < 60_000
    with pytest.raises(TooLarge):
        weigh([value], 40_000)


def test_more_rows_weigh_more() -> None:
    rows = [Row(["a", "b"], [number, f"row {number}"]) for number in range(1000)]
    weights = [weigh(rows[:count], LARGE)[0] for count in (0, 1, 10, 100, 1000)]
    assert weights == sorted(set(weights))
    assert weights[-1] > 1000 * 100


@pytest.mark.parametrize(
    "value, shared",
    [
        (1, True), ((1, "a"), True), (frozenset([1]), True), (Row(["a"], [(1, 2)]), True), (None, True),
        ([], False), (([],), False), ({}, False), (Row(["a"], [[1]]), False), (bytearray(b"a"), False),
        ((1, (2, (3, [4]))), False), (Job("", []), False), (asyncpg.Range(1, 2), True), (asyncpg.Point(1, 2), True),
        (True, True), (OrderedDict(), False), (Slotted(""), False), (type("Text", (str,), {})("a"), False),
    ],
)  # fmt: skip
def test_only_what_cannot_change_is_shared(value: Any, shared: bool) -> None:
    answer = Answer(Rows([value]), LARGE)
    assert answer.shared is shared
    assert (answer.rows().records[0] is answer.kept.records[0]) is (shared or value is None)


def test_a_list_below_many_tuples_is_seen() -> None:
    value: Any = [BIG]
    for _ in range(45):
        value = (value,)
    assert Answer(Rows([value]), LARGE).shared is False
    for _ in range(100):
        value = (value,)
    with pytest.raises(TooLarge):
        Answer(Rows([value]), LARGE)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: Any = []
    value.append(value)
    with pytest.raises(TooLarge):
        Answer(Rows([value]), LARGE)


def test_what_is_kept_is_the_caches_own() -> None:
    value = {"a": [1]}
    answer = Answer(Rows([value]), LARGE)
    value["a"].append(2)
    assert answer.rows().records[0] == {"a": [1]}
    answer.rows().records[0]["a"].append(3)
    assert answer.rows().records[0] == {"a": [1]}
    promised = Answer(Rows([value]), LARGE, shared=True)
    assert promised.rows().records[0] is value


def test_the_status_is_copied() -> None:
    assert copied(Rows([[1]], "SELECT 1")).status == "SELECT 1"


def test_answers_differ_in_columns_rows_or_values_but_not_in_order() -> None:
    rows = [Row(["a"], [number]) for number in range(3)]
    assert difference(Rows(rows), Rows(rows[::-1])) is None
    assert difference(Rows(rows), Rows(rows[:2])) == difference(Rows(), Rows(rows)) == "rows"
    assert difference(Rows(rows), Rows([rows[0], rows[0], rows[2]])) == "values"
    assert difference(Rows(rows), Rows([Row(["b"], row) for row in rows])) == "shape"
    assert difference(Rows(rows), Rows([Row(["a", "a"], [1, 1])])) == "shape"
    assert difference(Rows([Row(["a"], [float("nan")])]), Rows([Row(["a"], [float("nan")])])) is None
