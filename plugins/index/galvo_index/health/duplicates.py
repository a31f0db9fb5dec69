"""Indexes of which another does the work: equal ones, and those that another begins with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, permutations

from asyncpg import Record

from galvo_index.finding import Finding
from galvo_index.health.indexes import described
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.words import size

SQL = "with {described} select * from index order by relation, oid"
EXPRESSION = "0"
KEY = ("columns", "classes", "collations", "options")
MUCH_LARGER = 2.0
"""From this size on the other index is a worse replacement for reads: more blocks, fewer of them in memory."""


async def redundant_index(server: Server) -> Found:
    """`duplicate-index` and `prefix-index`; one finding for an index, however many others replace it."""
    rows = await server.fetch(SQL.format(described=described(server)))
    found: Found = []
    for _, group in groupby(rows, key=lambda row: row["relation"]):
        found += _of_table(list(group))
    return found


def _of_table(indexes: list[Record]) -> Iterator[Finding]:
    gone: set[int] = set()
    for rule, replaces in (("duplicate-index", _equal), ("prefix-index", _begins_with)):
        # What is dropped cannot be what replaces another; among equals the younger goes.
        for less, more in permutations(sorted(indexes, key=lambda index: -index["oid"]), 2):
            if not gone & {less["oid"], more["oid"]} and _droppable(less, more) and replaces(less, more):
                gone.add(less["oid"])
                yield _finding(rule, less, more)


def _finding(rule: str, less: Record, more: Record) -> Finding:
    same = rule == "duplicate-index"
    larger = more["bytes"] > MUCH_LARGER * max(less["bytes"], 1)
    sql = f"drop index {'' if less['partitioned'] else 'concurrently '}{less['name']}"
    how = "has the same columns as" if same else "has the first columns of"
    advice = f"drop it: {more['name']} answers what it answers, and each write pays for both"
    if not same and larger:
        advice = f"drop it if writes matter more than reads: {more['name']} can replace it, but is larger to read"
    return Finding(
        rule,
        less["name"],
        f"it {how} {more['name']} on {less['table_name']}; it has {size(less['bytes'])}, "
        f"that one {size(more['bytes'])}",
        advice,
        sql,
        "info" if not same and larger else "warning",
        {"bytes": less["bytes"], "instead": more["name"], "bytes_instead": more["bytes"]},
    )


def _droppable(less: Record, more: Record) -> bool:
    """Nobody else needs it (a constraint, a foreign key, replication, CLUSTER), and it says no more than the other."""
    needed = ("of_constraint", "referenced", "replica_identity", "is_exclusion", "clustered", "attached")
    if any(less[name] for name in needed):
        return False
    if not less["is_unique"]:
        return True
    # `on conflict` and foreign keys need an immediate one.
    same = less["nulls_not_distinct"] == more["nulls_not_distinct"] and more["immediate"]
    return bool(more["is_unique"] and same and less["width"] == more["width"])


def _equal(less: Record, more: Record) -> bool:
    return less["width"] == more["width"] and _covers(less, more) and _covers(more, less)


def _begins_with(less: Record, more: Record) -> bool:
    """Both B-trees: others do not order by their first column first."""
    if less["method"] != "btree" or not _covers(less, more) or less["is_unique"]:
        return False
    return not _covers(more, less)


def _covers(less: Record, more: Record) -> bool:
    """Whether the keys of `less` are the first of `more`, in every respect, and the rest is there too."""
    width = less["width"]
    if less["method"] != more["method"] or less["predicate"] != more["predicate"] or width > more["width"]:
        return False
    if less["storage"] != more["storage"] and less["method"] != "btree":
        return False
    if any(less[part].split()[:width] != more[part].split()[:width] for part in KEY):
        return False
    columns = less["columns"].split()
    if EXPRESSION in columns[:width] and less["expressions"] != more["expressions"]:
        return False
    return set(columns[width:]) <= set(more["columns"].split())
