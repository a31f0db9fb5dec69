"""EXPLAIN of a statement in a read-only, timed transaction that is rolled back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import asyncpg
from pglast import parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

from galvo import GalvoError
from galvo_index.plans.node import Plan, read
from galvo_index.watch.fingerprint import MAX_TEXT, kind_of
from galvo_sql import parsable

PREPARED = "galvo_explained"
"""Of it a plan can be had without values of its arguments, also before PostgreSQL 16's GENERIC_PLAN."""
LOCKS = 0.2
"""Seconds to wait for a lock on a table: whoever changes it comes first."""
RUNNABLE = """
select p.proname from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
where p.proname = any ($1::text[]) and p.provolatile <> 'v' and l.lanname not in ('internal', 'c')
  and p.pronamespace <> 'pg_catalog'::regnamespace
limit 1
"""
"""Functions that PostgreSQL may run while it plans, and whose code is the user's."""


class Unexplained(GalvoError):
    """There is no plan, and why; without anything of the statement."""


async def explained(
    connection: asyncpg.Connection,
    sql: str,
    args: Sequence[Any] = (),
    *,
    analyze: bool = False,
    settings: Sequence[str] = (),
    timeout: float = 2.0,
    guarded: bool = False,
) -> Plan:
    """The plan of one SELECT, INSERT, UPDATE, DELETE or MERGE. The transaction is left open: the caller ends it.

    `analyze` runs the statement. `settings`: what follows SET, of the session whose names it uses. `timeout`: seconds.
    `guarded`: refuse what might run the user's own code while it is planned. Raises Unexplained.
    """
    tree = _checked(sql)
    try:
        await connection.execute("begin transaction isolation level read committed read only")
        for setting in settings:
            await connection.execute(f"set local {setting}")
        await connection.execute(
            f"set local statement_timeout = {max(1, int(timeout * 1000))}; set local lock_timeout = "
            f"{int(min(timeout, LOCKS) * 1000)}; set local idle_in_transaction_session_timeout = '30s'"
        )
        if guarded and (name := await _runnable(connection, tree)):
            raise Unexplained(f"PostgreSQL might run the function {name} while it plans")
        count = 0 if args else _parameters(tree)
        if count and analyze:
            raise Unexplained("to run a statement its $1, $2, ... must be replaced by values")
        if count:
            await connection.execute("set local plan_cache_mode = force_generic_plan")
            await connection.fetch(f"prepare {PREPARED} as {sql}")
            sql = f"execute {PREPARED}({', '.join(['null'] * count)})"
        options = "format json, verbose, settings" + ", analyze, buffers" * analyze
        text = await connection.fetchval(f"explain ({options}) {sql}", *args, timeout=timeout + 5)
        return read(text if isinstance(text, str) else json.dumps(text))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError, TypeError) as error:
        raise Unexplained(_why(error)) from error


def _checked(sql: str) -> Any:
    if len(sql) > MAX_TEXT:
        raise Unexplained(f"the statement is longer than {MAX_TEXT} characters")
    if not parsable(sql):
        raise Unexplained("parsing the statement would take too long")
    try:
        statements = parse_sql(sql)
    except (ParseError, ValueError):
        raise Unexplained("the statement cannot be parsed") from None
    if kind_of(statements) == "other":
        raise Unexplained("only a single SELECT, INSERT, UPDATE, DELETE or MERGE has a plan")
    return statements


async def _runnable(connection: asyncpg.Connection, tree: Any) -> str:
    names: set[str] = set()

    class Walk(Visitor):
        def visit_FuncCall(self, ancestors: Any, node: Any) -> None:
            names.add(node.funcname[-1].sval)

    Walk()(tree)
    return str(await connection.fetchval(RUNNABLE, sorted(names)) or "") if names else ""


def _parameters(tree: Any) -> int:
    """The highest n of $n; 0: there are none."""
    found = [0]

    class Walk(Visitor):
        def visit_ParamRef(self, ancestors: Any, node: Any) -> None:
            found.append(node.number)

    Walk()(tree)
    return max(found)


def _why(error: BaseException) -> str:
    """Without the server's message, which may quote values."""
    if isinstance(error, asyncpg.QueryCanceledError | TimeoutError):
        return "it took too long"
    if isinstance(error, asyncpg.LockNotAvailableError):
        return "somebody has locked a table"
    if isinstance(error, asyncpg.DataError | asyncpg.InterfaceError | TypeError | ValueError):
        return "its arguments cannot be sent on a connection without the application's codecs"
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError | asyncpg.UndefinedObjectError):
        return "it names what only its own session or transaction can see"
    return f"the server refused ({type(error).__name__})"
