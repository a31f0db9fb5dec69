"""One connection, on which statements travel the kernel's chain when there is one.

They travel as what only the driver can run (`galvo.Driven`): every plugin sees them, and no cache answers or
keeps them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio

from galvo import Driven, Kernel, Kind, Session
from galvo_memory.chunks.errors import NoConnection

Call: TypeAlias = "Callable[[Any], Awaitable[Any]]"


class Line:
    """`owner` is a session of the kernel, or a connection of asyncpg or of a pool like asyncpg's."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    async def drive(self, sql: str, args: tuple[Any, ...], call: Call, kind: Kind = "status") -> Any:
        """What `call` gives, made with asyncpg's connection; `sql` and `args` say to plugins what it runs."""
        owner = self._owner
        if not isinstance(owner, Session):
            return await call(owner)
        rows = await owner.run(
            Driven(sql=sql, args=args, kind=kind, session=owner, call=lambda: call(self._connection()))
        )
        return rows.records[0]

    def _connection(self) -> Any:
        connection = getattr(self._owner.pin, "connection", None)
        if connection is None:
            raise NoConnection(
                "what runs this kernel's queries has no asyncpg connection to read from: give chunked() a pool instead"
            )
        return connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """A read-only transaction; if there is one already, that, as it is."""
        if self._owner.is_in_transaction():
            yield
            return
        transaction = self._owner.transaction(readonly=True)
        await transaction.start()
        try:
            yield
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._undo(transaction)
            raise  # what happened first says more
        with anyio.CancelScope(shield=True):
            await transaction.commit()

    async def _undo(self, transaction: Any) -> None:
        """Roll back; a connection on which that fails is ended, as its transaction would stay open for good."""
        try:
            await transaction.rollback()
        except Exception:  # noqa: BLE001  # whatever it was, the connection tells
            pin = getattr(self._owner, "pin", None)
            connection = pin and getattr(pin, "connection", None) if isinstance(self._owner, Session) else self._owner
            if connection is not None and not connection.is_closed() and connection.is_in_transaction():
                connection.terminate()

    @property
    def borrowed(self) -> bool:
        """It is in somebody else's transaction, which goes on."""
        return bool(self._owner.is_in_transaction())


Lines: TypeAlias = "Callable[[], Any]"


def lines(target: Any) -> Lines:
    """How to get a line to `target` for the time of an `async with`. Raises TypeError for what has none."""
    if isinstance(target, Kernel):
        return lambda: _lent(target.acquire())
    if owned(target):
        return lambda: _own(target)
    if hasattr(target, "acquire"):
        return lambda: _lent(target.acquire())
    raise TypeError(f"chunks are read from a galvo.Kernel, a pool or a connection, not from {target!r}")


def owned(target: Any) -> bool:
    """It is one connection of the caller's, and not what lends one."""
    if isinstance(target, Kernel):
        return False
    return isinstance(target, Session) or (hasattr(target, "cursor") and hasattr(target, "transaction"))


@asynccontextmanager
async def _own(owner: Any) -> AsyncIterator[Line]:
    yield Line(owner)


@asynccontextmanager
async def _lent(lease: Any) -> AsyncIterator[Line]:
    owner = await lease.__aenter__()
    try:
        yield Line(owner)
    finally:
        with anyio.CancelScope(shield=True):
            await lease.__aexit__(None, None, None)
