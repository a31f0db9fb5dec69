"""Which statements use an index, which maintain it, and which have nothing to do with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg
import msgspec
from pglast import ast
from pglast.parser import ParseError

from galvo_index.apply.build import callers_names
from galvo_index.apply.sums import key
from galvo_index.workload import Statement
from galvo_sql import parsed

MOST: Final = 200
"""Statements that are looked at, those with most time first."""
_LIMITS: Final = """
set local statement_timeout = '2s'; set local lock_timeout = '200ms'; set local plan_cache_mode = force_generic_plan
"""
_WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


class Shares(msgspec.Struct, frozen=True):
    """Keys of statements."""

    uses: frozenset[str]
    """Their plan has the index."""
    maintains: frozenset[str]
    """They write its table, and their plan does not have it."""
    others: frozenset[str]


class Index(msgspec.Struct, frozen=True):
    """Names without schema, as in the catalog."""

    name: str
    table: str


async def split(
    connection: asyncpg.Connection, statements: Sequence[Statement], index: Index, besides: Collection[Index] = ()
) -> Shares:
    """`besides`: indexes that are new, too: who uses or maintains those is no control.

    Those and what cannot be explained are nowhere.
    """
    new = {one.name for one in besides}, {one.table for one in besides}
    uses, maintains, others = set[str](), set[str](), set[str]()
    async with callers_names(connection), connection.transaction(readonly=True):
        await connection.execute(_LIMITS)
        for statement in sorted(statements, key=lambda one: -one.seconds)[:MOST]:
            if (tree := _parsed(statement.sql)) is None:
                continue
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, ValueError, TypeError):
                # the arguments may not fit, the text may be cut, a table may be gone
                plans = [plan async for plan in _plans(connection, statement)]
                names, written = {name for plan in plans for name in _indexes(plan)}, _written(tree)
                if index.name in names:
                    uses.add(key(statement.sql))
                elif written == index.table:
                    maintains.add(key(statement.sql))
                elif not names & new[0] and written not in new[1]:
                    others.add(key(statement.sql))
    return Shares(frozenset(uses), frozenset(maintains - uses), frozenset(others - uses))


def _parsed(sql: str) -> Any:
    """The only statement in `sql`, when it is one that has a plan."""
    try:
        (found,) = parsed(sql)
    except (ParseError, ValueError):
        return None
    return found.stmt if isinstance(found.stmt, (ast.SelectStmt, *_WRITES)) else None


def _written(tree: Any) -> str:
    return str(tree.relation.relname) if isinstance(tree, _WRITES) and tree.relation else ""


async def _plans(connection: asyncpg.Connection, statement: Statement) -> Any:
    """With arguments that it was called with, or the plan for any when none are known."""
    explain = f"explain (format json) {statement.sql}"
    for arguments in statement.arguments[:3]:
        async with connection.transaction():
            yield msgspec.json.decode(await connection.fetchval(explain, *arguments))
    if not statement.arguments:
        async with connection.transaction():
            if "$1" in statement.sql:
                yield await _generic(connection, statement.sql)
            else:
                yield msgspec.json.decode(await connection.fetchval(explain))


async def _generic(connection: asyncpg.Connection, sql: str) -> Any:
    await connection.execute(f"prepare galvo_uses as {sql}")
    try:
        count = await connection.fetchval(
            "select pg_catalog.cardinality(parameter_types) from pg_catalog.pg_prepared_statements "
            "where name = 'galvo_uses'"
        )
        nulls = ", ".join(["null"] * count)
        return msgspec.json.decode(await connection.fetchval(f"explain (format json) execute galvo_uses({nulls})"))
    finally:
        with suppress(asyncpg.PostgresError):
            await connection.execute("deallocate galvo_uses")


def _indexes(plan: Any) -> Iterator[str]:
    """The names of all indexes in a plan in JSON."""
    if isinstance(plan, list):
        for one in plan:
            yield from _indexes(one)
    elif isinstance(plan, dict):
        if "Index Name" in plan:
            yield plan["Index Name"]
        for value in plan.values():
            yield from _indexes(value)
