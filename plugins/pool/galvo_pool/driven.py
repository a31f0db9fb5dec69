"""Prepared statements and cursors whose runs travel the chain: asyncpg's, but for the methods that reach the server."""

from __future__ import annotations

from typing import Any

from asyncpg.connresource import guarded

from galvo_pool import private


class PreparedStatement(private.PreparedStatement):  # type: ignore[misc]  # see `private`
    """Its answers are never kept: it was prepared to be run."""

    async def _PreparedStatement__do_execute(self, executor: Any) -> Any:  # asyncpg's own name for it
        call = super()._PreparedStatement__do_execute
        return await self._connection._drive(self._query, (), "stream", lambda: call(executor))

    async def _PreparedStatement__bind_execute(self, args: Any, limit: int, timeout: float | None) -> Any:
        call = super()._PreparedStatement__do_execute
        data, status, _ = await self._connection._drive(
            self._query,
            args,
            "status",
            lambda: call(lambda protocol: protocol.bind_execute(self._state, args, "", limit, True, timeout)),
        )
        self._last_status = status
        return data

    @guarded
    def cursor(self, *args: Any, prefetch: int | None = None, timeout: float | None = None) -> CursorFactory:
        return CursorFactory(
            self._connection, self._query, self._state, args, prefetch, timeout, self._state.record_class
        )


class Portal(private.BaseCursor):  # type: ignore[misc]  # see `private`
    """What both kinds of cursor send."""

    async def _bind_exec(self, n: int, timeout: float | None) -> Any:
        call = super()._bind_exec
        return await self._connection._drive(self._query, self._args, "status", lambda: call(n, timeout))

    async def _bind(self, timeout: float | None) -> Any:
        call = super()._bind
        return await self._connection._drive(self._query, self._args, "status", lambda: call(timeout))

    async def _exec(self, n: int, timeout: float | None) -> Any:
        call = super()._exec
        return await self._connection._drive(self._query, self._args, "status", lambda: call(n, timeout))


class CursorIterator(Portal, private.CursorIterator):  # type: ignore[misc]  # see `private`
    """`async for` over a cursor."""


class Cursor(Portal, private.Cursor):  # type: ignore[misc]  # see `private`
    """An open cursor."""


class CursorFactory(private.CursorFactory):  # type: ignore[misc]  # see `private`
    """`async for row in con.cursor(...)`, or `await con.cursor(...)`."""

    @guarded
    def __aiter__(self) -> CursorIterator:
        prefetch = 50 if self._prefetch is None else self._prefetch
        return CursorIterator(
            self._connection, self._query, self._state, self._args, self._record_class, prefetch, self._timeout
        )

    @guarded
    def __await__(self) -> Any:
        # asyncpg's own makes its own kind of cursor, after it has checked the arguments
        if self._prefetch is not None:
            return super().__await__()
        made = Cursor(self._connection, self._query, self._state, self._args, self._record_class)
        return made._init(self._timeout).__await__()


for cls in (PreparedStatement, CursorIterator, Cursor, CursorFactory):
    cls.__module__ = "asyncpg"  # shown as what they stand for
