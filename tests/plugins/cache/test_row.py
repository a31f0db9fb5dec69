"""`Row` against asyncpg's own Record, from the same query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from galvo import Row

pytestmark = pytest.mark.anyio
QUERIES = {
    "plain": "select 1 as a, 'x' as b, null as n, array[1, 2] as l",
    "uuid": "select uuid '12345678-1234-1234-1234-123456789012' as u, 1.50::numeric as p",
    "duplicates": "select 1 as dup, 2 as other, 3 as dup",
    "nameless": "select 1, 2",
    "empty": "select",
    "quoted": 'select 1 as "two words", 2 as "ü"',
    "nested": "select row(1, 'x') as r, m from (values (1, 2)) m(a, b)",
}
LOOKS: dict[str, Callable[[Any], Any]] = {
    "first": lambda row: row[0],
    "last": lambda row: row[-1],
    "over": lambda row: row[99],
    "under": lambda row: row[-99],
    "huge": lambda row: row[10**30],
    "bool index": lambda row: row[True],
    "slice": lambda row: row[0:2],
    "slice back": lambda row: row[::-1],
    "slice type": lambda row: type(row[:]),
    "key": lambda row: row["a"],
    "duplicate key": lambda row: row["dup"],
    "other key": lambda row: row["other"],
    "missing key": lambda row: row["nobody"],
    "empty key": lambda row: row[""],
    "get": lambda row: row.get("a"),
    "get duplicate": lambda row: row.get("dup"),
    "get missing": lambda row: row.get("nobody"),
    "get default": lambda row: row.get("nobody", 5),
    "get null": lambda row: row.get("n", 5),
    "get index": lambda row: row.get(0, "default"),
    "keys": lambda row: list(row.keys()),
    "keys is an iterator": lambda row: next(row.keys(), None),
    "values": lambda row: list(row.values()),
    "items": lambda row: list(row.items()),
    "in": lambda row: ["a" in row, "dup" in row, "nobody" in row, 1 in row, None in row],
    "len": len,
    "iteration": list,
    "tuple": tuple,
    "unpacking": lambda row: (lambda *all_: all_)(*row),
    "dict": lambda row: dict(row.items()),
    "dict of it": lambda row: dict(row) if "dup" not in row else None,
    "mapping": lambda row: {**row},
    "bool": bool,
    "str": str,
    "repr": repr,
    "reversed": lambda row: list(reversed(row)),
    "equals a tuple": lambda row: [row == tuple(row), tuple(row) == row, row != tuple(row), row == (99,)],
    "equals a list": lambda row: [row == list(row), row == 5, row != 5],
    "set item": lambda row: row.__class__.__setitem__(row, 0, 1),
    "delete item": lambda row: row.__class__.__delitem__(row, 0),
}


def outcome(look: Callable[[Any], Any], row: Any) -> Any:
    try:
        return look(row)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("name", QUERIES)
async def test_looks_like_a_record(server_dsn: str, name: str) -> None:
    connection = await asyncpg.connect(server_dsn)
    try:
        record = await connection.fetchrow(QUERIES[name])
    finally:
        await connection.close()
    row = Row(list(record.keys()), record.values())
    assert type(row) is not type(record)
    for what, look in LOOKS.items():
        assert outcome(look, row) == outcome(look, record), what
        assert type(outcome(look, row)) is type(outcome(look, record)) or what == "repr", what
    assert row == record
    assert record == row
    assert (row != record) is (record != row) is False
    assert outcome(hash, row) == outcome(hash, record)


@pytest.mark.parametrize("key", [None, 1.0, b"a", ("a",)], ids=repr)
async def test_a_key_of_another_type(server_dsn: str, key: Any) -> None:
    connection = await asyncpg.connect(server_dsn)
    try:
        record = await connection.fetchrow(QUERIES["plain"])
    finally:
        await connection.close()
    row = Row(list(record.keys()), record.values())
    assert outcome(lambda it: it[key], row) is outcome(lambda it: it[key], record)


def test_a_row_cannot_be_changed() -> None:
    row = Row(["a"], [1])
    with pytest.raises(TypeError):
        row[0] = 2  # type: ignore[index]
    with pytest.raises(TypeError):
        del row["a"]  # type: ignore[attr-defined]
