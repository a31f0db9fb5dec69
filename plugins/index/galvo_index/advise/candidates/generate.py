"""The B-tree candidates of one use of a table.

First what is compared with `=`, then one range or the wanted order; joins are comparisons whose value comes from
another table. Each with all else that is read, so that the table itself need not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.catalog.table import Table
from galvo_index.advise.parse.use import Condition, Key, Order, Use

MOST_KEYS = 4
WIDEST = 1000.0
"""Bytes of a tuple; a third of a page is PostgreSQL's limit, and an average says little about the longest."""
MOST_COPIED = 0.7
"""Part of a row's bytes that an index may repeat."""

Keys = tuple[tuple[str, tuple[str, ...]], ...]
"""Text as in SQL, and its columns."""


def btrees(use: Use) -> Iterator[Candidate]:
    for keys in dict.fromkeys(_orders(use)):
        made = _candidate(use.table, keys)
        if made is None:
            continue
        yield made
        if not use.whole:
            covering = _covering(use, made)
            if covering is not None:
                yield covering


def _orders(use: Use) -> Iterator[Keys]:
    """The sequences of keys that could serve it."""
    table = use.table
    arms = [condition for arm in use.arms for condition in arm]
    conditions = use.conditions
    exact = _sorted(table, {one.key: None for one in conditions if _is(one, "equal", "in", "null", "true", "false")})
    joins = list({one.key: None for one in conditions if one.kind == "join"})
    ranges = [_ranged(table, one) for one in conditions if one.kind in ("range", "prefix")]
    together = _together(conditions)
    heads: list[tuple[Key, ...]] = [(), tuple(exact)]
    heads += [(key,) for key in (*exact, *joins)]
    heads += [pair for group in together for pair in permutations(group, 2)]
    heads += [(*exact, key) for key in joins if exact] + [(key, *exact) for key in joins if exact]
    heads += [(first, second) for first in exact for second in joins] + [
        (second, first) for first in exact for second in joins
    ]
    tails: list[Keys] = [(), *((one,) for one in dict.fromkeys(ranges))]
    tails += [_ordered(use.order)] if use.order else []
    tails += [tuple((key.text, key.columns) for key in use.group)] if use.group else []
    for head in heads:
        front: Keys = tuple((key.text, key.columns) for key in head)
        for tail in tails:
            rest = tuple(one for one in tail if one[1] not in [part[1] for part in front])
            if front + rest:
                yield (front + rest)[:MOST_KEYS]
    for condition in arms:
        text = _ranged(table, condition) if condition.kind == "prefix" else (condition.key.text, condition.key.columns)
        if condition.kind not in ("like", "contains", "notnull"):
            yield (text,)


def _is(condition: Condition, *kinds: str) -> bool:
    return condition.kind in kinds


def _sorted(table: Table, keys: dict[Key, None]) -> list[Key]:
    """The most selective first."""
    return sorted(keys, key=lambda key: -max(table.columns[name].distinct for name in key.columns))[:MOST_KEYS]


def _together(conditions: list[Condition]) -> list[list[Key]]:
    """Keys that are joined to the same other use, as composite foreign keys are."""
    by_other: dict[int, dict[Key, None]] = {}
    for one in conditions:
        if one.kind == "join" and one.other is not None:
            by_other.setdefault(id(one.other[0]), {})[one.key] = None
    return [list(keys) for keys in by_other.values() if len(keys) > 1]


def _ranged(table: Table, condition: Condition) -> tuple[str, tuple[str, ...]]:
    key = condition.key
    if condition.kind != "prefix":
        return key.text, key.columns
    usual = key.plain and table.columns[key.columns[0]].type == "bpchar"
    return f"{key.text} {'bpchar_pattern_ops' if usual else 'text_pattern_ops'}", key.columns


def _ordered(order: list[Order]) -> Keys:
    """An index is read in both directions, so that only differing ones have to be said."""
    turned = order[0].down
    keys = []
    for one in order:
        text = one.key.text
        if one.down != turned:
            text += " desc"
        first = one.nulls == "first" if one.nulls else one.down
        if first != one.down:  # unusual: NULLs count as largest
            text += " nulls first" if first != turned else " nulls last"
        keys.append((text, one.key.columns))
    return tuple(keys)


def _candidate(table: Table, keys: Keys) -> Candidate | None:
    columns = tuple(dict.fromkeys(name for _, names in keys for name in names))
    width = sum(table.columns[name].width for name in columns)
    if width > WIDEST or len(set(keys)) < len(keys):
        return None
    if any(len(names) == 1 and not table.columns[names[0]].sortable and text[0] != "(" for text, names in keys):
        return None
    return Candidate(table, tuple(text for text, _ in keys), columns)


def _covering(use: Use, base: Candidate) -> Candidate | None:
    """With all that is read besides."""
    table = use.table
    if not base.plain:
        return None
    include = tuple(name for name in table.columns if name in use.columns and name not in base.columns)
    width = sum(table.columns[name].width for name in (*base.columns, *include))
    row = sum(column.width for column in table.columns.values())
    if not include or width > WIDEST or width > MOST_COPIED * row:
        return None
    return Candidate(table, base.keys, base.columns, include)
