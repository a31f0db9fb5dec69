"""asyncpg's classes with their private parts, which its stubs do not name. asyncpg is pinned for their sake."""

from __future__ import annotations

from typing import Any

from asyncpg import connection, cursor, pool, prepared_stmt

Connection: Any = connection.Connection
Pool: Any = pool.Pool
PoolConnectionHolder: Any = pool.PoolConnectionHolder
PoolConnectionProxy: Any = pool.PoolConnectionProxy
PreparedStatement: Any = prepared_stmt.PreparedStatement
BaseCursor: Any = cursor.BaseCursor
CursorIterator: Any = cursor.CursorIterator
Cursor: Any = cursor.Cursor
CursorFactory: Any = cursor.CursorFactory
