"""One standby: up to which moment it is known to show everything, and what it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import anyio
import asyncpg
from galvo import Query, Rows

from galvo_replicas.settings import ReplicasSettings

WRITTEN = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
SHOWN = "select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() - '0/0'::pg_lsn end"
NEVER = float("-inf")


class Standby:
    def __init__(self, settings: ReplicasSettings, primary: Callable[[str], Awaitable[Any]]) -> None:
        """`primary` asks the primary for one value."""
        self._settings = settings
        self._primary = primary
        self._pool: asyncpg.Pool
        self.shows = NEVER
        """A moment (monotonic). What had been committed by then, anywhere, is visible here."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """It need not be there yet."""
        self._pool = await asyncpg.create_pool(
            self._settings.url.get_secret_value(),
            min_size=0,
            max_size=self._settings.max_size,
            server_settings={"default_transaction_read_only": "on"},
        )
        try:
            yield
        finally:  # in whatever way it ends, with a moment to say goodbye to the server
            with anyio.move_on_after(self._settings.patience, shield=True):
                await self._pool.close()

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self._look()
            await anyio.sleep(self._settings.every)

    async def _look(self) -> None:
        """The primary's WAL position first: who has replayed that far shows all that was committed before."""
        asked = monotonic()
        try:
            written = await self._primary(WRITTEN)
            async with self._pool.acquire(timeout=self._settings.patience) as connection:
                shown = await connection.fetchval(SHOWN, timeout=self._settings.patience)
        except Exception:  # noqa: BLE001  # one of them is away; whatever that raises, the next look tells
            self.shows = NEVER
        else:
            if shown is None:  # no standby, or not any more
                self.shows = NEVER
            elif shown >= written:
                self.shows = asked

    async def answer(self, query: Query) -> Rows | None:
        """None: it cannot, and the primary must. Raises TimeoutError after the query's own timeout."""
        try:
            async with self._pool.acquire(timeout=self._settings.patience) as connection:
                try:
                    return await _run(connection, query)
                except TimeoutError as error:
                    timeout = error
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):  # TimeoutError is an OSError
            self.shows = NEVER
            return None
        except asyncpg.PostgresError:  # a write, a conflict with the replay, or an error that the primary will raise
            return None
        raise timeout


async def _run(connection: Any, query: Query) -> Rows:
    words = {"timeout": query.timeout, "record_class": query.record_class}
    if query.limit == 1:
        record = await connection.fetchrow(query.sql, *query.args, **words)
        records = [] if record is None else [record]
    else:
        records = await connection.fetch(query.sql, *query.args, **words)
    return Rows(records, keep=False)  # older than a cache's stamps may be
