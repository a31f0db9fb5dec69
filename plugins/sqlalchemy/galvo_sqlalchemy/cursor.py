"""DBAPI cursors: a statement is answered by the chain where that is the same, else it runs on the lent connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from galvo_sqlalchemy import private
from galvo_sqlalchemy.running import Described, run
from galvo_sqlalchemy.values import converted

if TYPE_CHECKING:
    from galvo_sqlalchemy.connection import Connection


class Cursor(private.Cursor):  # type: ignore[misc]  # see `private`
    """Holds all rows."""

    _adapt_connection: Connection

    async def _prepare_and_execute(self, operation: str, parameters: Sequence[Any] | None) -> None:
        connection, args = self._adapt_connection, tuple(parameters or ())
        async with connection._execute_mutex:
            asof = self._invalidate_schema_cache_asof
            answer = await connection.read(operation, args, asof)
            if answer is not None:
                records, described = answer
                self._show(records, len(records), described)
                return
            if connection._transaction is None:
                await connection._start_transaction()
            try:
                await connection._check_type_cache_invalidation(asof)
                lent = await connection.driver.borrow()
                self._show(*await run(lent._con, operation, args))
            except Exception as error:  # noqa: BLE001  # told apart in there
                self._handle_exception(error)

    def _show(self, records: Sequence[Any], count: int, described: Described) -> None:
        self._description = described.columns or None
        self._rows = deque(converted(records, self._adapt_connection.changes(described)))
        self._rowcount = count


class StreamCursor(private.StreamCursor, Cursor):  # type: ignore[misc]  # see `private`
    """Of the server's, which has the rows."""

    async def _prepare_and_execute(self, operation: str, parameters: Sequence[Any] | None) -> None:
        connection = self._adapt_connection
        async with connection._execute_mutex:
            if connection._transaction is None:
                await connection._start_transaction()
            try:
                await connection._check_type_cache_invalidation(self._invalidate_schema_cache_asof)
                lent = await connection.driver.borrow()
                statement = await lent.prepare(operation)
                described = Described(statement.get_attributes())
                self._description = described.columns or None
                cursor = await statement.cursor(*(parameters or ()))
                self._cursor = Fetched(cursor, connection.changes(described))
                self._rowcount = -1
            except Exception as error:  # noqa: BLE001  # told apart in there
                self._handle_exception(error)


class Fetched:
    """asyncpg's cursor, its values as SQLAlchemy wants them."""

    def __init__(self, cursor: Any, changes: Sequence[Any]) -> None:
        self._cursor, self._changes = cursor, changes

    async def fetch(self, count: int) -> Sequence[Any]:
        return converted(await self._cursor.fetch(count), self._changes)
