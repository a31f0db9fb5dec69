"""What is done to rows, how often in one turn, and what must be true afterwards: the same for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import count, cycle
from typing import Any

import msgspec

from galvo_bench.pool.crud_ways import Row, Way
from galvo_bench.running.stand import must

ROWS = 1_000
"""In a table when a turn begins, where it begins with any."""
SINGLE, MANY, COPIED = 100, 100, 2_000
"""Operations of one row in a turn; rows of a batch; rows of a COPY."""
BATCHES, COPIES = 10, 4
"""In a turn."""
ASKED = 20
"""Keys that are read, again and again: all of them in the warm-up."""
SCHEMA = """
    drop table if exists {table};
    create table {table} (id int primary key, name text not null, price numeric not null);"""
FILL = """
    insert into {table} select n, 'material ' || n, n * 1.5 from generate_series(1, {rows}) n"""

Step = Callable[[], Awaitable[Any]]


class Operation(msgspec.Struct, frozen=True):
    name: str
    explains: str
    make: Callable[[Way], tuple[Step, Step]]
    """What prepares a turn, and what is timed."""
    expected: Callable[[int], list[Row]]
    """What is in the table after so many turns, by key."""
    repeats: Callable[[], int]
    each: Callable[[], int] = lambda: 1
    """Rows that one call takes."""


def row(number: int) -> Row:
    return number, f"material {number}", Decimal(number) * 3 / 2


def _rows(rows: int) -> list[Row]:
    return [row(number) for number in range(1, rows + 1)]


async def refill(way: Way, rows: int) -> None:
    """Through the pool itself: a cache has to know."""
    await way.execute(f"truncate {way.table}")
    if rows:
        await way.execute(FILL.format(table=way.table, rows=rows))


def _numbered(way: Way, rows: int, step: Callable[[int], Awaitable[Any]]) -> tuple[Step, Step]:
    """`step` gets 1, 2, ... from the begin of each turn."""
    numbers = count(1)

    async def before() -> None:
        nonlocal numbers
        numbers = count(1)
        await refill(way, rows)

    async def one() -> None:
        await step(next(numbers))

    return before, one


def _insert(way: Way) -> tuple[Step, Step]:
    sql = f"insert into {way.table} (id, name, price) values ($1, $2, $3) returning id"  # noqa: S608
    return _numbered(way, 0, lambda number: way.fetch(sql, *row(number)))


def _select(way: Way) -> tuple[Step, Step]:
    sql = f"select id, name, price from {way.table} where id = $1"  # noqa: S608
    expected, filled = cycle(_rows(ASKED)), False

    async def before() -> None:
        nonlocal filled
        if not filled:
            await refill(way, ROWS)
            filled = True

    async def one() -> None:
        one = next(expected)
        [found] = await way.fetch(sql, one[0])
        must(tuple(found) == one, f"{way.name} read another row than that of key {one[0]}")

    return before, one


def _update(way: Way) -> tuple[Step, Step]:
    sql = f"update {way.table} set price = price + $1 where id = $2"  # noqa: S608
    return _numbered(way, ROWS, lambda number: way.execute(sql, Decimal(1), number))


def _after_update() -> list[Row]:
    return [(key, name, price + (key <= SINGLE)) for key, name, price in _rows(ROWS)]


def _changed(way: Way) -> tuple[Step, Step]:
    """Whoever answers from memory must not answer what was there before."""
    write = f"update {way.table} set name = $1 where id = $2"  # noqa: S608
    read = f"select id, name, price from {way.table} where id = $1"  # noqa: S608

    changes = count(1)  # never the same again, or an answer from the turn before would do

    async def step(number: int) -> None:
        name = f"change {next(changes)}"
        await way.execute(write, name, number)
        [found] = await way.fetch(read, number)
        must(found[1] == name, f"{way.name} did not read what it had written")

    return _numbered(way, ROWS, step)


def _after_changes(turns: int) -> list[Row]:
    begin = (turns - 1) * SINGLE
    return [(key, f"change {begin + key}" if key <= SINGLE else name, price) for key, name, price in _rows(ROWS)]


def _delete(way: Way) -> tuple[Step, Step]:
    sql = f"delete from {way.table} where id = $1"  # noqa: S608
    return _numbered(way, ROWS, lambda number: way.execute(sql, number))


def _executemany(way: Way) -> tuple[Step, Step]:
    sql = f"insert into {way.table} (id, name, price) values ($1, $2, $3)"  # noqa: S608
    batches = _batches(MANY, BATCHES)
    return _numbered(way, 0, lambda number: way.executemany(sql, batches[number - 1]))


def _unnest(way: Way) -> tuple[Step, Step]:
    sql = f"insert into {way.table} select * from unnest($1::int[], $2::text[], $3::numeric[])"  # noqa: S608
    batches = [[list(column) for column in zip(*batch, strict=True)] for batch in _batches(MANY, BATCHES)]
    return _numbered(way, 0, lambda number: way.execute(sql, *batches[number - 1]))


def _copy_in(way: Way) -> tuple[Step, Step]:
    batches = _batches(COPIED, COPIES)
    return _numbered(way, 0, lambda number: way.copy_in(batches[number - 1]))


def _batches(rows: int, batches: int) -> list[list[Row]]:
    return [[row(1 + number + batch * rows) for number in range(rows)] for batch in range(batches)]


def _copy_out(way: Way) -> tuple[Step, Step]:
    expected = "".join(f"{number}\t{name}\t{price:.1f}\n" for number, name, price in _rows(COPIED)).encode()

    async def out() -> None:
        must(await way.copy_out() == expected, f"{way.name} copied other rows out")

    return (lambda: refill(way, COPIED)), out


OPERATIONS = (
    Operation("Insert a row", "A statement for each row, `returning id`.", _insert, lambda _: _rows(SINGLE),
              lambda: SINGLE),
    Operation("Read a row", "By its key, 20 keys again and again: a cache answers from memory, the others ask.",
              _select, lambda _: _rows(ROWS), lambda: SINGLE),
    Operation("Update a row", "By its key.", _update, lambda _: _after_update(), lambda: SINGLE),
    Operation("Update a row and read it", "Two statements; what is read is compared with what was written.", _changed,
              _after_changes, lambda: SINGLE),
    Operation("Delete a row", "By its key.", _delete,
              lambda _: _rows(ROWS)[SINGLE:], lambda: SINGLE),
    Operation("Insert 100 rows, executemany", "Per row. psycopg pipelines them.", _executemany,
              lambda _: _rows(MANY * BATCHES), lambda: BATCHES, lambda: MANY),
    Operation("Insert 100 rows, one statement", "Per row. Columns as arrays, `unnest`.", _unnest,
              lambda _: _rows(MANY * BATCHES), lambda: BATCHES, lambda: MANY),
    Operation("COPY 2,000 rows in", "Per row. asyncpg and galvo send binary, psycopg text, as each does by itself.",
              _copy_in, lambda _: _rows(COPIED * COPIES), lambda: COPIES, lambda: COPIED),
    Operation("COPY 2,000 rows out", "Per row, as text.", _copy_out, lambda _: _rows(COPIED), lambda: COPIES,
              lambda: COPIED),
)  # fmt: skip
