"""Candidates other than plain B-trees: partial ones, and other access methods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.catalog.table import Column, Table
from galvo_index.advise.parse.use import Condition, Use

RARE = 0.05
"""Part of the rows that a value of a partial index may have at most."""
SKEWED = 0.25
"""... and of what it would have were all values as frequent: a usual value of many is no rare state."""
CONSTANT = 0.8
"""Part of the calls in which an argument has the same value."""
HUGE = 65_536
"""Pages from which on a BRIN index is worth a thought."""
IN_ORDER = 0.95
"""Correlation of a column's values with the order of the rows."""


def partial(use: Use, arguments: Sequence[tuple[Any, ...]], bases: Sequence[Candidate]) -> Iterator[Candidate]:
    """The bases, restricted to a rare value; keys that the predicate fixes are left out."""
    for condition in use.conditions:
        part, sql = _rare(use, condition, arguments)
        if not sql or part > RARE:
            continue
        name = condition.key.columns[0]
        for base in bases:
            keys = tuple(key for key in base.keys if key != condition.key.text) or base.keys
            columns = tuple(one for one in base.columns if one != name) or base.columns
            include = tuple(one for one in base.include if one != name)
            yield Candidate(use.table, keys, columns, include, sql, part, fixed=(name,))
        yield Candidate(use.table, (condition.key.text,), (name,), (), sql, part, fixed=(name,))


def _rare(use: Use, condition: Condition, arguments: Sequence[tuple[Any, ...]]) -> tuple[float, str]:
    """Part of the rows, and the predicate; "": it is not rare, or not always the same."""
    if not condition.key.plain:
        return 1.0, ""
    column = use.table.columns[condition.key.columns[0]]
    if condition.kind == "null":
        return column.nulls, condition.sql
    if condition.kind == "notnull":
        return 1 - column.nulls, condition.sql
    if condition.kind in ("true", "false"):
        return _part(column.common, condition.kind[0]), condition.sql
    if condition.kind != "equal":
        return 1.0, ""
    value, sql = condition.literal, condition.sql
    if value is None and condition.parameter and arguments:
        value = _usual(arguments, condition.parameter)
        sql = f"{condition.key.text} = {_quoted(value)}" if value is not None else ""
    if value is None or not sql:
        return 1.0, ""
    part = _part(column.common, value)
    return (part, sql) if part < SKEWED / column.distinct else (1.0, "")


def _part(common: Any, value: str) -> float:
    """Of a value that is not among the most common ones: unknown, so not rare, unless all are listed."""
    if value in common:
        return float(common[value])
    padded = next((frequency for text, frequency in common.items() if text.rstrip() == value.rstrip()), None)
    return float(padded) if padded is not None else 1.0


def _usual(arguments: Sequence[tuple[Any, ...]], number: int) -> str | None:
    values = Counter(one[number - 1] for one in arguments if len(one) >= number and isinstance(one[number - 1], str))
    if not values:
        return None
    value, times = values.most_common(1)[0]
    return value if times >= CONSTANT * len(arguments) else None


def _quoted(value: str) -> str:
    text = value.replace("'", "''")
    return f"'{text}'" if "\\" not in value else "E'" + text.replace("\\", "\\\\") + "'"


def others(use: Use, trigrams: str | None) -> Iterator[Candidate]:
    """GIN for what values contain, BRIN for large tables in order."""
    table = use.table
    for condition in (*use.conditions, *(one for arm in use.arms for one in arm)):
        name = condition.key.columns[0]
        column = table.columns[name]
        if condition.kind == "contains" and condition.key.plain:
            if column.type == "jsonb":
                path = " jsonb_path_ops" if condition.operator in ("@>", "@?", "@@") else ""
                yield Candidate(table, (condition.key.text + path,), (name,), method="gin")
            elif column.category == "A" or column.type == "tsvector":
                yield Candidate(table, (condition.key.text,), (name,), method="gin")
        elif condition.kind == "contains" and "to_tsvector" in condition.key.text:
            yield Candidate(table, (condition.key.text,), condition.key.columns, method="gin")
        elif condition.kind == "like" and trigrams and column.category == "S":
            yield Candidate(table, (f"{condition.key.text} {trigrams}.gin_trgm_ops",), (name,), method="gin")
        elif condition.kind == "range" and condition.key.plain and _in_order(table, column):
            yield Candidate(table, (condition.key.text,), (name,), method="brin")


def _in_order(table: Table, column: Column) -> bool:
    return table.pages >= HUGE and abs(column.correlation) >= IN_ORDER
