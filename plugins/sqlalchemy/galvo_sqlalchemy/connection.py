"""A DBAPI connection: a light thing, which takes a connection from the pool when a statement needs one.

Under READ COMMITTED each statement sees its own moment, so a transaction that has only read rows of tables is the same
whether it was begun or not. BEGIN is sent with the first statement that is not provably such a read; from then on all
go to that connection. What failed before is run again in a real transaction: its error, and the state that it leaves,
are PostgreSQL's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy import exc

from galvo import Query
from galvo_sqlalchemy import private
from galvo_sqlalchemy.cursor import Cursor, StreamCursor
from galvo_sqlalchemy.driver import Driver
from galvo_sqlalchemy.running import Described, describe
from galvo_sqlalchemy.values import Convert

if TYPE_CHECKING:
    from galvo_sqlalchemy.dbapi import Module
    from galvo_sqlalchemy.source import Source


class Connection(private.Connection):  # type: ignore[misc]  # see `private`
    """What SQLAlchemy's pool hands out."""

    __slots__ = ("_reading", "_source", "driver", "shown")
    _cursor_cls = Cursor
    _ss_cursor_cls = StreamCursor
    dbapi: Module

    def __init__(self, dbapi: Module, source: Source) -> None:
        self.driver = Driver(source)
        super().__init__(dbapi, self.driver, prepared_statement_cache_size=0)
        self.driver.before = self._show
        self._source = source
        self._reading = False
        """A transaction has begun for the caller, and for nobody else."""
        self.shown = False
        """The application has the asyncpg connection, too, so its state is not known."""

    # -- reads before BEGIN ---------------------------------------------------------------------------

    async def read(self, sql: str, args: tuple[Any, ...], schema_asof: float) -> tuple[Sequence[Any], Described] | None:
        """The answer of a statement for which no transaction is needed; None: run it in one."""
        if (
            self.driver.lent is not None
            or self._transaction is not None
            or self.shown
            or schema_asof > self.dbapi.reloaded
            or not self.dbapi.reads_committed(self.isolation_level)
        ):
            return None
        try:
            kernel = await self._source.ready()
            if not self._source.alike:
                return None
            cache = kernel.find_capability("cache") if kernel is not None else None
            plan = await cache.readable(sql) if cache is not None and hasattr(cache, "readable") else None
            if kernel is None or plan is None:
                return None
            described = await self._described(sql, plan)
            rows = await kernel.run(Query(sql, args))
            records = rows.records
            if records and len(records[0]) != len(described.names):
                return None  # the table has another column now
        except asyncpg.InterfaceError as error:
            if isinstance(error, TimeoutError):  # too many wait for a connection
                self._handle_exception(error)
            return None
        except (TimeoutError, exc.TimeoutError):
            raise  # nobody is to wait twice; after asyncpg's, SQLAlchemy ends the transaction
        except Exception:  # noqa: BLE001  # it comes again, if it is the statement's
            return None
        self._reading = self.isolation_level != "autocommit"
        return records, described

    async def _described(self, sql: str, plan: object) -> Described:
        described = self.dbapi.described.get(sql)
        if described is None or described.plan is not plan:
            lent = await self._source.lend()
            try:
                described = await describe(lent._con, sql, plan)
            finally:
                await self._source.give(lent)
            self.dbapi.remember(sql, described)
        return described

    def changes(self, described: Described) -> Sequence[tuple[int, Convert]]:
        return self.dbapi.values.of(column[1] for column in described.columns)

    # -- transactions ---------------------------------------------------------------------------------

    async def _start_transaction(self) -> None:
        """A connection, and BEGIN on it unless it commits by itself."""
        try:
            await self.driver.borrow()
        except Exception as error:  # noqa: BLE001  # told apart in there
            self._handle_exception(error)
        await super()._start_transaction()

    def rollback(self) -> None:
        self._reading = False
        super().rollback()

    def commit(self) -> None:
        self._reading = False
        super().commit()

    async def _check_type_cache_invalidation(self, invalidate_timestamp: float) -> None:
        """By `reload_schema_state`, which reaches all connections of the pool."""
        if invalidate_timestamp > self.dbapi.reloaded:
            lent = await self.driver.borrow()
            await lent.reload_schema_state()
            self.dbapi.reloaded = invalidate_timestamp

    async def _show(self) -> None:
        """The application uses the asyncpg connection: what it does belongs to the transaction, if there is one."""
        if self._reading:
            self._reading = False
            await self._start_transaction()
        await self.driver.borrow()

    # -- its end --------------------------------------------------------------------------------------

    def close(self) -> None:
        try:
            self.rollback()
        finally:
            private.await_(self.driver.give())
