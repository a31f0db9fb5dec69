"""Statements on a connection of the pool, with what DBAPI wants to know of them: columns, and rows affected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

Column = tuple[str, int, None, None, None, None, None]
"""DBAPI's: name and the type's OID."""
COUNTED = re.compile(r"(?:SELECT|UPDATE|DELETE|INSERT \d+) (\d+)")
"""SQLAlchemy's."""


class Described:
    """The columns of a statement's answer."""

    __slots__ = ("columns", "names", "plan")

    def __init__(self, attributes: Sequence[Any], plan: object = None) -> None:
        self.columns: list[Column] = [(a.name, a.type.oid, None, None, None, None, None) for a in attributes]
        self.names = [a.name for a in attributes]
        self.plan = plan
        """They are these as long as the cache has the same plan."""


async def run(raw: Any, sql: str, args: tuple[Any, ...]) -> tuple[Sequence[Any], int, Described]:
    """Records, rows affected (-1: unknown) and columns; through the borrower's chain. Raises what asyncpg does."""

    async def call() -> Any:
        timeout = raw._protocol._get_timeout(None)
        logged = raw._time_and_log(sql, args, timeout) if raw._query_loggers else nullcontext()
        with raw._stmt_exclusive_section, logged:
            return await raw._do_execute(
                sql, lambda state, limit: raw._protocol.bind_execute(state, args, "", 0, True, limit), timeout
            )

    (records, status, _), statement = await raw._drive(sql, args, "status", call)
    found = COUNTED.match((status or b"").decode())
    return records or (), int(found[1]) if found else -1, Described(statement._get_attributes())


async def describe(raw: Any, sql: str, plan: object) -> Described:
    """Without running it. Raises what asyncpg does."""
    with raw._stmt_exclusive_section:
        statement = await raw._get_statement(sql, raw._protocol._get_timeout(None))
    return Described(statement._get_attributes(), plan)
