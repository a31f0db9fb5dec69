"""A connection whose statements travel the kernel's chain while somebody has borrowed it.

A class of its own for each class of connection, between that and asyncpg's: what an application's class does to a
statement is done before the chain sees it, and asyncpg's own helpers (transactions, listeners) pass through it, too.
The pool itself and the innermost plugin call asyncpg's methods directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.utils import _quote_ident

from galvo import Driven, Kind, Query
from galvo_pool import private
from galvo_pool.codecs import named
from galvo_pool.connection import PATIENCE, PLAIN
from galvo_pool.driven import CursorFactory, PreparedStatement
from galvo_pool.lend import LentSession

if TYPE_CHECKING:
    from galvo_pool.holder import Holder

# What asyncpg's own reset leaves behind: a role, and temporary tables that would shadow real ones.
EXTRA_RESET = "SET SESSION AUTHORIZATION DEFAULT;\nDISCARD TEMP;\n"


class Traced(private.Connection):  # type: ignore[misc]  # see `private`
    """Has no attributes of its own, so that any connection's class can be changed to it."""

    __slots__ = ()

    # -- who has it -----------------------------------------------------------------------------------

    def _holder_of(self) -> Holder | None:
        holder = self._pool_holder() if self._pool_holder is not None else None
        return holder if holder is not None and holder._con is self else None

    def _session(self) -> LentSession | None:
        """To which its statements belong; None when they go straight to the server."""
        ref = self._pool_holder
        holder = ref() if ref is not None else None
        lend = holder._in_use if holder is not None and holder._con is self else None
        if holder is None or lend is None or lend.run is None:
            return None
        if lend.session is None:
            lend.session = holder._pool.new_session(lend.run, holder)
        session: LentSession = lend.session
        return session

    async def _drive(self, sql: str, args: tuple[Any, ...], kind: Kind, call: Callable[[], Awaitable[Any]]) -> Any:
        """Run `call` as the innermost of the borrower's chain; without one straight away."""
        session = self._session()
        if session is None:
            return await call()
        rows = await session.run(Driven(sql=sql, args=args, kind=kind, session=session, call=call))
        return rows.records[0]

    # -- statements -----------------------------------------------------------------------------------

    async def fetch(
        self, query: str, *args: Any, timeout: float | None = None, record_class: type | None = None
    ) -> list[Any]:
        session = self._session()
        if session is None:
            return list(await super().fetch(query, *args, timeout=timeout, record_class=record_class))
        self._check_open()
        what = Query(query, args, "rows", 0, timeout, session, "", record_class or self._special())
        return [*(await session.run(what)).records]

    async def fetchrow(
        self, query: str, *args: Any, timeout: float | None = None, record_class: type | None = None
    ) -> Any:
        session = self._session()
        if session is None:
            return await super().fetchrow(query, *args, timeout=timeout, record_class=record_class)
        self._check_open()
        what = Query(query, args, "rows", 1, timeout, session, "", record_class or self._special())
        records = (await session.run(what)).records
        return records[0] if records else None

    async def fetchval(self, query: str, *args: Any, column: int = 0, timeout: float | None = None) -> Any:
        session = self._session()
        if session is None:
            return await super().fetchval(query, *args, column=column, timeout=timeout)
        self._check_open()
        what = Query(query, args, "rows", 1, timeout, session, "", self._special())
        records = (await session.run(what)).records
        return records[0][column] if records else None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        session = self._session()
        if session is None:
            return str(await super().execute(query, *args, timeout=timeout))
        self._check_open()
        return (await session.run(Query(query, args, "status", 0, timeout, session))).status

    async def executemany(self, command: str, args: Iterable[Any], *, timeout: float | None = None) -> None:
        session = self._session()
        if session is None:
            await super().executemany(command, args, timeout=timeout)
            return
        self._check_open()
        if isinstance(args, list | tuple):
            await session.run(Query(command, tuple(args), "many", 0, timeout, session))
        else:  # perhaps more than fits into memory
            await self._drive(command, (), "stream", lambda: PLAIN.executemany(self, command, args, timeout=timeout))

    async def fetchmany(
        self, query: str, args: Iterable[Any], *, timeout: float | None = None, record_class: type | None = None
    ) -> list[Any]:
        def call() -> Awaitable[Any]:
            return PLAIN.fetchmany(self, query, args, timeout=timeout, record_class=record_class)

        self._check_open()
        return list(await self._drive(query, (), "stream", call))

    async def _prepare(self, query: str, **options: Any) -> Any:
        prepared = await super()._prepare(query, **options)
        return PreparedStatement(self, prepared._query, prepared._state) if self._session() else prepared

    def cursor(
        self,
        query: str,
        *args: Any,
        prefetch: int | None = None,
        timeout: float | None = None,
        record_class: type | None = None,
    ) -> Any:
        self._check_open()
        return CursorFactory(self, query, None, args, prefetch, timeout, record_class)

    async def _copy_in(self, copy_stmt: str, source: Any, timeout: float | None) -> Any:
        call = super()._copy_in
        return await self._drive(copy_stmt, (), "stream", lambda: call(copy_stmt, source, timeout))

    async def copy_records_to_table(
        self, table_name: str, *, schema_name: str | None = None, columns: Iterable[str] | None = None, **options: Any
    ) -> Any:
        def call() -> Awaitable[Any]:
            return PLAIN.copy_records_to_table(self, table_name, schema_name=schema_name, columns=columns, **options)

        names = [name for name in (schema_name, table_name) if name]
        sql = f"COPY {'.'.join(map(_quote_ident, names))} FROM STDIN (FORMAT binary)"
        return await self._drive(sql, (), "stream", call)

    async def _copy_out(self, copy_stmt: str, output: Any, timeout: float | None) -> Any:
        call = super()._copy_out
        return await self._drive(copy_stmt, (), "stream", lambda: call(copy_stmt, output, timeout))

    def _special(self) -> type | None:
        """A class of records, if this connection's answers are not like the others'; then none is kept or served."""
        holder = self._holder_of()
        if self._query_loggers or (holder is not None and holder._pool.differs(holder)):
            return asyncpg.Record if holder is None else holder._pool._record_class
        return None if holder is None else holder._pool.record_class

    # -- codecs ---------------------------------------------------------------------------------------

    async def set_type_codec(self, typename: str, *, schema: str = "public", **codec: Any) -> None:
        await super().set_type_codec(typename, schema=schema, **codec)
        self._recode(schema, typename, named(codec))

    async def set_builtin_type_codec(self, typename: str, *, schema: str = "public", **codec: Any) -> None:
        await super().set_builtin_type_codec(typename, schema=schema, **codec)
        self._recode(schema, typename, named(codec))

    async def reset_type_codec(self, typename: str, *, schema: str = "public") -> None:
        await super().reset_type_codec(typename, schema=schema)
        self._recode(schema, typename, "")

    def _recode(self, schema: str, typename: str, codec: str) -> None:
        holder = self._pool_holder() if self._pool_holder is not None else None
        if holder is not None:
            holder.life.codecs.pop((schema, typename), None)
            if codec:
                holder.life.codecs[schema, typename] = codec

    # -- as one of a pool -----------------------------------------------------------------------------

    def get_reset_query(self) -> str:
        holder = self._holder_of()
        extra = EXTRA_RESET if holder is not None and holder._pool.chained else ""
        return extra + str(super().get_reset_query())

    def _unwrap(self) -> Any:
        holder = self._holder_of()
        proxy = holder.proxy() if holder is not None and holder.proxy is not None else None
        return self if proxy is None else proxy

    def _drop_global_statement_cache(self) -> None:
        holder = self._holder_of()
        (self._drop_local_statement_cache if holder is None else holder._pool._drop_statement_cache)()

    def _drop_global_type_cache(self) -> None:
        holder = self._holder_of()
        (self._drop_local_type_cache if holder is None else holder._pool._drop_type_cache)()

    async def _cleanup_stmts(self) -> None:
        """asyncpg's waits for the server without end."""
        try:
            async with asyncio.timeout(self._config.command_timeout or PATIENCE):
                await super()._cleanup_stmts()
        except TimeoutError:
            super().terminate()
            raise

    # -- its end --------------------------------------------------------------------------------------

    async def close(self, *, timeout: float | None = None) -> None:
        holder = self._holder_of()
        if holder is not None and not self.is_closed():
            holder.life.leaving = True
        await super().close(timeout=timeout)

    def terminate(self) -> None:
        holder = self._holder_of()
        # asyncpg terminates in the task of a cancel request that could not be sent: then the server may be gone.
        if holder is not None and not self.is_closed() and asyncio.current_task(self._loop) not in self._cancellations:
            holder.life.leaving = True
        super().terminate()


@cache
def traced(cls: Any) -> Any:
    """`cls` with its statements in the chain: called and shown like `cls` itself."""
    if issubclass(cls, Traced):
        return cls
    bases = (Traced,) if cls is PLAIN else (cls, Traced)
    made = type(cls)(cls.__name__, bases, {"__slots__": (), "__doc__": cls.__doc__})
    made.__module__, made.__qualname__ = cls.__module__, cls.__qualname__
    return made
