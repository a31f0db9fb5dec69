"""Statements apart from the application's: on a connection of their own."""

from __future__ import annotations

from typing import Any, Final

from galvo import Context

LOCKED: Final = "set lock_timeout = '500ms'"
"""Whoever holds the table, for a dump or a vacuum, is not kept waiting behind."""


class Apart:
    """`fetch` and `execute` of a context, but what waits there for a lock or a disk keeps none of the application's
    connections: each statement opens one, for there are few in an hour. Without a pool that has more it is the
    context's.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def fetch(self, sql: str, *args: Any, timeout: float | None = None) -> list[Any]:
        """Raises what opening a connection does, and the database's errors."""
        found: list[Any] = await self._run("fetch", sql, args, timeout)
        return found

    async def execute(self, sql: str, *args: Any, timeout: float | None = None) -> str:
        """Raises the same."""
        done: str = await self._run("execute", sql, args, timeout)
        return done

    async def _run(self, method: str, sql: str, args: tuple[Any, ...], timeout: float | None) -> Any:
        connect = getattr(self._context.capability("pool"), "connect", None)
        if connect is None:
            return await getattr(self._context, method)(sql, *args, timeout=timeout)
        connection = await connect()
        try:
            await connection.execute(LOCKED, timeout=timeout)
            answer = await getattr(connection, method)(sql, *args, timeout=timeout)
        except BaseException:
            connection.terminate()
            raise
        await connection.close(timeout=timeout)
        return answer
