"""fetch, fetchrow, fetchval, execute, executemany: asyncpg's meaning, on top of one `run(query)`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from galvo.events import Computed, Query, Rows

if TYPE_CHECKING:
    from galvo.hookspecs import Proceed
    from galvo.session import Session

T = TypeVar("T")


class Facade:
    """What the kernel, a session and a plugin's context have in common."""

    def __init__(self, send: Proceed, *, session: Session | None = None, origin: str = "") -> None:
        self._send = send
        self._session = session
        self._origin = origin

    async def run(self, query: Query) -> Rows:
        """Send `query` through the chain; the methods below only shape its answer."""
        return await self._send(query)

    async def fetch(
        self, sql: str, *args: Any, timeout: float | None = None, record_class: type | None = None
    ) -> list[Any]:
        """All rows. `timeout` is in seconds."""
        query = Query(sql, args, "rows", 0, timeout, self._session, self._origin, record_class)
        return [*(await self._send(query)).records]

    async def fetchrow(
        self, sql: str, *args: Any, timeout: float | None = None, record_class: type | None = None
    ) -> Any:
        """The first row, or None."""
        query = Query(sql, args, "rows", 1, timeout, self._session, self._origin, record_class)
        records = (await self._send(query)).records
        return records[0] if records else None

    async def fetchval(self, sql: str, *args: Any, column: int = 0, timeout: float | None = None) -> Any:
        """One column of the first row, or None."""
        query = Query(sql, args, "rows", 1, timeout, self._session, self._origin)
        records = (await self._send(query)).records
        return records[0][column] if records else None

    async def execute(self, sql: str, *args: Any, timeout: float | None = None) -> str:
        """Run a statement, or without arguments a script of several; gives the last command tag."""
        query = Query(sql, args, "status", 0, timeout, self._session, self._origin)
        return (await self._send(query)).status

    async def executemany(self, sql: str, args: Iterable[Any], *, timeout: float | None = None) -> None:
        """Run one statement once per tuple in `args`: all of them or none."""
        await self._send(Query(sql, tuple(args), "many", 0, timeout, self._session, self._origin))

    async def cached(
        self,
        key: str,
        load: Callable[[], Awaitable[T]],
        *,
        depends_on: Iterable[str] = (),
        ttl: float | None = None,
        shared: bool = False,
    ) -> T:
        """The value of `load()`, kept until a statement writes one of the tables it `depends_on`.

        `ttl` is in seconds. Every caller gets a copy, unless all promise not to change it: `shared=True`.
        Without a cache plugin this is `await load()`.
        """
        query = Computed(
            sql=key, kind="value", session=self._session, origin=self._origin,
            load=load, depends_on=tuple(depends_on), ttl=ttl, shared=shared,
        )  # fmt: skip
        return cast("T", (await self._send(query)).records[0])
