"""What another index replaces, and what only looks as if."""

from __future__ import annotations

import asyncpg
import pytest

from galvo_index.health import examine
from tests.plugins.index.health.limits import LOW

pytestmark = pytest.mark.anyio
TABLE = "create table t(a int, b int, c text, d text, e int4range)"
DIFFERENT = [
    ("t(a)", "t(b)"),
    ("t(a)", "t(a) where b > 0"),
    ("t(a) where b > 0", "t(a) where b > 1"),
    ("t(a)", "t(a desc)"),
    ("t(a)", "t(a nulls first)"),
    ("t(a)", "t(b, a)"),
    ("t(a)", "t using hash(a)"),
    ("t(c)", "t(c text_pattern_ops)"),
    ("t(c)", 't(c collate "POSIX")'),
    ("t(lower(c))", "t(upper(c))"),
    ("t(lower(c))", "t(lower(d), a)"),
    ("t(a) include (c)", "t(a, b)"),
    ("t using gin(e_array(e), e_array(e))", "t using gin(e_array(e))"),
    ("t using gist(e)", "t using spgist(e)"),
    ("t using brin(a) with (pages_per_range = 4)", "t using brin(a)"),
]
SAME = [
    ("t(a)", "t(a)", "duplicate-index", "i2"),
    ("t(a)", "unique t(a)", "duplicate-index", "i1"),
    ("unique t(a)", "t(a)", "duplicate-index", "i2"),
    ("unique t(a)", "unique t(a)", "duplicate-index", "i2"),
    ("t(lower(c)) where a > 1", "t( lower( c ) ) where (a>1)", "duplicate-index", "i2"),
    ("t using gin(e_array(e))", "t using gin(e_array(e))", "duplicate-index", "i2"),
    ("t(a)", "t(a, b)", "prefix-index", "i1"),
    ("t(a, b desc, c)", "t(a, b desc)", "prefix-index", "i2"),
    ("t(a) include (b)", "t(a, b)", "prefix-index", "i1"),
    ("t(a)", "t(a) include (b)", "prefix-index", "i1"),
    ("t(a)", "unique t(a, b)", "prefix-index", "i1"),
]
NEITHER = [("unique t(a)", "t(a, b)"), ("unique t(a)", "unique t(a) where b > 0"), ("unique t(a, b)", "unique t(a)")]


async def redundant(dsn: str, pairs: list[tuple[str, str]]) -> dict[int, set[tuple[str, str]]]:
    """Per pair, each on a table of its own: rule and index found."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "create function e_array(int4range) returns int[] immutable language sql as 'select array[1]'"
    )
    for number, pair in enumerate(pairs):
        await connection.execute(TABLE.replace("table t(", f"table t{number}("))
        for place, what in enumerate(pair, 1):
            unique, _, rest = what.rpartition("unique ")
            kind = "unique index" if what.startswith("unique") else "index"
            assert not unique
            await connection.execute(f"create {kind} i{place}_{number} on {rest.replace('t', f't{number}', 1)}")
    await connection.execute("insert into t0 values (1)")
    report = await examine(connection, ["duplicate-index", "prefix-index"], LOW)
    await connection.close()
    found: dict[int, set[tuple[str, str]]] = {number: set() for number in range(len(pairs))}
    for finding in report.findings:
        name, _, number = finding.subject.removeprefix("public.").partition("_")
        found[int(number)].add((finding.rule, name))
    return found


async def test_what_differs_stays(dsn: str) -> None:
    pairs = [*DIFFERENT, *NEITHER]
    found = await redundant(dsn, pairs)
    assert {pairs[number]: what for number, what in found.items() if what} == {}


async def test_what_another_replaces_goes(dsn: str) -> None:
    found = await redundant(dsn, [(one, other) for one, other, _, _ in SAME])
    for number, (one, other, rule, name) in enumerate(SAME):
        assert found[number] == {(rule, name)}, (one, other)


async def test_what_is_needed_stays(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "create table p(a int primary key, b int, constraint p_again unique (a));"
        "create table c(a int references p(a), b int); create index c_1 on c(a); cluster c using c_1;"
        "create index c_2 on c(a, b);"
        "create table i(a int not null); create unique index i_1 on i(a); create unique index i_2 on i(a);"
        "alter table i replica identity using index i_2;"
        "create table n(a int); create unique index n_1 on n(a) nulls not distinct; create unique index n_2 on n(a);"
        "create table q(a int) partition by range (a); create index q_1 on q(a);"
        "create table q1 partition of q for values from (0) to (9); create index q1_2 on q1(a)"
    )
    report = await examine(connection, ["duplicate-index", "prefix-index"], LOW)
    await connection.close()
    assert sorted(one.subject for one in report.findings) == ["public.i_1", "public.q1_2"]
