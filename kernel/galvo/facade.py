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

    @property
    def origin(self) -> str:
        """Who asks: the name of a plugin, "" for the application."""
        return self._origin

    async def run(self, query: Query) -> Rows:
        """Send `query` through the chain; the methods below only shape its answer."""
        try:
            _ = query.sql  # as `proceed` looks at what it is given
        except AttributeError:
            raise TypeError(f"`run` takes a Query, not {type(query).__name__}") from None
        return await self._send(query)

    async def fetch(
        self,
        sql: str,
        *args: Any,
        timeout: float | None = None,
        record_class: type | None = None,
        stale_ok: float | None = None,
    ) -> list[Any]:
        """All rows. `timeout` is in seconds.

        `stale_ok`, in seconds too: an answer that stopped being current at most so long ago may be handed out, even
        to who has just written what it shows. It is one whose time to live has ended no longer ago, or one that was
        invalidated and had been read no longer ago. It comes at once while a new one is read in the background, and
        instead of an error of the database. In a session, and without a cache plugin, this changes nothing.
        """
        query = Query(sql, args, "rows", 0, timeout, self._session, self._origin, record_class, stale_ok)
        return [*(await self._send(query)).records]

    async def fetchrow(
        self,
        sql: str,
        *args: Any,
        timeout: float | None = None,
        record_class: type | None = None,
        stale_ok: float | None = None,
    ) -> Any:
        """The first row, or None."""
        query = Query(sql, args, "rows", 1, timeout, self._session, self._origin, record_class, stale_ok)
        records = (await self._send(query)).records
        return records[0] if records else None

    async def fetchval(
        self, sql: str, *args: Any, column: int = 0, timeout: float | None = None, stale_ok: float | None = None
    ) -> Any:
        """One column of the first row, or None."""
        query = Query(sql, args, "rows", 1, timeout, self._session, self._origin, None, stale_ok)
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
        stale_ok: float | None = None,
    ) -> T:
        """The value of `load()`, kept until a statement writes one of the tables it `depends_on`.

        `ttl` is in seconds, and so is `stale_ok`, which means the same as in `fetch`. Every caller gets a copy, unless
        all promise not to change it: `shared=True`. `load` may also run in the background, after its caller has got
        an older value. Without a cache plugin this is `await load()`. With one, a `load` that asks for its own value,
        itself or through others, gets a GalvoError.
        """
        query = Computed(
            sql=key, kind="value", session=self._session, origin=self._origin,
            stale_ok=stale_ok, load=load, depends_on=tuple(depends_on), ttl=ttl, shared=shared,
        )  # fmt: skip
        return cast("T", (await self._send(query)).records[0])
