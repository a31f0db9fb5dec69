"""A session: queries that run on one connection, and the transactions within it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from galvo.errors import KernelClosed
from galvo.events import Query, Rows
from galvo.facade import Facade

if TYPE_CHECKING:
    from galvo.hookspecs import Proceed

Isolation = Literal["serializable", "repeatable_read", "read_committed", "read_uncommitted"]
"""Of a transaction."""


class Pin(Protocol):
    """The connection behind a session, put there by the plugin that runs queries."""

    @property
    def in_transaction(self) -> bool:
        """As the server reported it last, so that a BEGIN inside a script is seen too; a lost connection is in none."""

    @property
    def lost(self) -> bool:
        """Nothing can run on it any more."""

    def strayed(self) -> bool:
        """Whether the server reads literals otherwise than at the last call, or when the session began."""

    def forget_prepared(self) -> None:
        """The session's settings may have changed, and a prepared statement keeps how its literals were read."""

    async def run(self, query: Query) -> Rows: ...
    async def release(self) -> None: ...


class Session(Facade):
    """Lent by `kernel.acquire()`. Its first query takes a connection, its end gives it back."""

    pin: Pin | None
    """Its connection, while it has one."""
    notes: dict[str, Any]
    """Where plugins keep what they must remember about this session, under their own name."""

    def __init__(self, run: Proceed, *, origin: str = "") -> None:
        super().__init__(self._checked, session=self, origin=origin)
        self._run = run
        self._closed = False
        self._savepoints = 0
        self.pin = None
        self.notes = {}

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def holding(self) -> bool:
        """It has a connection, perhaps the last: on its behalf nobody may wait for another one."""
        return self.pin is not None

    @property
    def in_transaction(self) -> bool:
        return self.pin is not None and self.pin.in_transaction

    def is_in_transaction(self) -> bool:
        """asyncpg's name for it."""
        return self.in_transaction

    def is_closed(self) -> bool:
        """asyncpg's name for a connection on which nothing can run any more."""
        return self._closed or (self.pin is not None and self.pin.lost)

    def _checked(self, query: Query) -> Awaitable[Rows]:
        if self._closed:
            raise KernelClosed("this session has ended: use it inside its `async with` only")
        return self._run(query)

    def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False, deferrable: bool = False
    ) -> Transaction:
        """A transaction, or within one a savepoint. Use it with `async with`, or start, commit, rollback."""
        return Transaction(self, isolation, readonly, deferrable)

    def savepoint(self) -> str:
        self._savepoints += 1
        return f"galvo_{self._savepoints}"

    async def close(self) -> None:
        self._closed = True
        if self.pin is not None:
            pin, self.pin = self.pin, None
            await pin.release()


class Transaction:
    """BEGIN, COMMIT and ROLLBACK are queries like all others, so every plugin sees them."""

    def __init__(self, session: Session, isolation: Isolation | None, readonly: bool, deferrable: bool) -> None:
        if isolation is not None and isolation not in Isolation.__args__:  # type: ignore[attr-defined]  # a Literal
            raise ValueError(f"isolation is one of {Isolation.__args__}, not {isolation!r}")  # type: ignore[attr-defined]  # a Literal
        self._session = session
        self._begin = "BEGIN"
        if isolation is not None:
            self._begin += " ISOLATION LEVEL " + isolation.upper().replace("_", " ")
        self._begin += " READ ONLY" * readonly + " DEFERRABLE" * deferrable
        self._savepoint = ""

    async def start(self) -> None:
        if self._session.in_transaction:
            self._savepoint = self._session.savepoint()
            await self._session.execute(f"SAVEPOINT {self._savepoint}")
        else:
            await self._session.execute(self._begin)

    async def commit(self) -> None:
        await self._session.execute(f"RELEASE SAVEPOINT {self._savepoint}" if self._savepoint else "COMMIT")

    async def rollback(self) -> None:
        await self._session.execute(f"ROLLBACK TO {self._savepoint}" if self._savepoint else "ROLLBACK")

    async def __aenter__(self) -> Session:
        await self.start()
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.commit()
        else:
            await self.rollback()


class Lease:
    """`async with kernel.acquire() as session`, or with `transaction` set a session inside one."""

    def __init__(
        self, run: Proceed, transaction: Callable[[Session], Transaction] | None = None, *, origin: str = ""
    ) -> None:
        self._session = Session(run, origin=origin)
        self._transaction = transaction(self._session) if transaction else None

    async def __aenter__(self) -> Session:
        if self._transaction:
            try:
                await self._transaction.start()
            except BaseException:
                await self._session.close()
                raise
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._transaction:
                await self._transaction.__aexit__(kind, error, trace)
        finally:
            await self._session.close()


class Leasing(Facade):
    """Queries, and sessions: what an application holds.

    A plugin that needs a session makes `Leasing(self.context.run, origin=self.name)`: its sessions' queries carry the
    plugin's name as well.
    """

    def acquire(self) -> Lease:
        """`async with kernel.acquire() as session`: queries on one connection."""
        return Lease(self.run, origin=self.origin)

    def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False, deferrable: bool = False
    ) -> Lease:
        """`async with kernel.transaction() as session`: the same, inside a transaction."""
        return Lease(
            self.run,
            lambda session: session.transaction(isolation=isolation, readonly=readonly, deferrable=deferrable),
            origin=self.origin,
        )
