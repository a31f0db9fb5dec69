"""The asyncpg connection behind a DBAPI connection, lent when it is first needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    from galvo_sqlalchemy.source import Source


class Driver:
    """Has asyncpg.Connection's methods. Until one is lent, those that are awaited ask for it, and `transaction`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._closed = False
        self.lent: Any = None
        """asyncpg's proxy of the connection."""
        self.before: Callable[[], Awaitable[Any]] = self.borrow
        """What the application waits for before it uses the connection itself."""

    async def borrow(self) -> Any:
        """Raises what the pool does."""
        if self.is_closed():
            raise asyncpg.InterfaceError("connection is closed")
        if self.lent is None:
            self.lent = await self._source.lend()
        return self.lent

    async def give(self) -> None:
        """Back to the pool."""
        self._closed = True
        lent, self.lent = self.lent, None
        if lent is not None:
            await self._source.give(lent)

    async def close(self, *, timeout: float | None = None) -> None:
        """End the connection itself, which the pool replaces."""
        self._closed = True
        lent, self.lent = self.lent, None
        if lent is None:
            return
        if lent._con is None or lent.is_closed():  # the server has ended it, so it is the pool's again
            self._source.gone()
            return
        try:
            await lent.close(timeout=timeout)
        finally:
            await self._source.give(lent)

    def terminate(self) -> None:
        self._closed = True
        lent, self.lent = self.lent, None
        if lent is not None:
            lent.terminate()
            self._source.gone()

    def is_closed(self) -> bool:
        lent = self.lent
        return self._closed or (lent is not None and (lent._con is None or bool(lent.is_closed())))

    def is_in_transaction(self) -> bool:
        return self.lent is not None and bool(self.lent.is_in_transaction())

    def transaction(self, **options: Any) -> Any:
        return self.lent.transaction(**options) if self.lent is not None else Transaction(self, options)

    def __getattr__(self, name: str) -> Any:
        if self.lent is not None:
            return getattr(self.lent, name)
        method = getattr(asyncpg.Connection, name)
        if not iscoroutinefunction(method):
            raise asyncpg.InterfaceError(
                f"{name} needs a connection, and none is lent yet: await a method of the driver connection first, "
                'for example fetchval("select 1")'
            )

        async def asked(*args: Any, **options: Any) -> Any:
            await self.before()
            return await getattr(self.lent, name)(*args, **options)

        return asked


class Transaction:
    """asyncpg's, of a connection that is not lent yet."""

    def __init__(self, driver: Driver, options: dict[str, Any]) -> None:
        self._driver, self._options = driver, options
        self._own: Any = None

    async def start(self) -> None:
        await self._driver.before()
        self._own = self._driver.lent.transaction(**self._options)
        await self._own.start()

    async def commit(self) -> None:
        await self._own.commit()

    async def rollback(self) -> None:
        await self._own.rollback()

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await (self.commit if kind is None else self.rollback)()
