"""Whoever writes and reads rows: pools behind one face, each with a table of its own."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

import asyncpg

from galvo import Kernel
from galvo_bench.results.model import Missing
from galvo_bench.running.peers import Absent, attempt, need
from galvo_pool import create_pool

SIZE = 4
NO_FLUSH = {"synchronous_commit": "off"}
"""The disk is the same for all, and slower than what is compared."""
BASELINE = "asyncpg.Pool"
Row = tuple[Any, ...]


class Way(Protocol):
    """Statements have $1, $2, ... in this order."""

    name: str
    table: str

    async def fetch(self, sql: str, *args: Any) -> list[Row]: ...
    async def execute(self, sql: str, *args: Any) -> object: ...
    async def executemany(self, sql: str, rows: Sequence[Row]) -> object: ...
    async def copy_in(self, rows: Sequence[Row]) -> object: ...
    async def copy_out(self) -> bytes:
        """The table in PostgreSQL's text format."""


class Pooled:
    """asyncpg's pool, and galvo's, which has the same face."""

    def __init__(self, name: str, table: str, pool: Any) -> None:
        self.name, self.table = name, table
        self.execute, self.executemany = pool.execute, pool.executemany
        self.fetch = pool.fetch
        self._pool = pool

    async def copy_in(self, rows: Sequence[Row]) -> object:
        return await self._pool.copy_records_to_table(self.table, records=rows)

    async def copy_out(self) -> bytes:
        output = io.BytesIO()
        await self._pool.copy_from_table(self.table, output=output)
        return output.getvalue()


class Psycopg:
    """Statements are prepared after five runs, nothing is in a transaction, `executemany` is pipelined."""

    name = "psycopg_pool"

    def __init__(self, table: str, pool: Any) -> None:
        self.table = table
        self._pool = pool

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        async with self._pool.connection() as connection:
            rows: list[Row] = await (await connection.execute(_theirs(sql), args)).fetchall()
            return rows

    async def execute(self, sql: str, *args: Any) -> object:
        async with self._pool.connection() as connection:
            return await connection.execute(_theirs(sql), args)

    async def executemany(self, sql: str, rows: Sequence[Row]) -> object:
        async with self._pool.connection() as connection, connection.cursor() as cursor:
            return await cursor.executemany(_theirs(sql), rows)

    async def copy_in(self, rows: Sequence[Row]) -> object:
        async with self._pool.connection() as connection, connection.cursor() as cursor:
            async with cursor.copy(f"copy {self.table} from stdin") as copy:
                for row in rows:
                    await copy.write_row(row)
            return cursor.rowcount

    async def copy_out(self) -> bytes:
        async with (
            self._pool.connection() as connection,
            connection.cursor() as cursor,
            cursor.copy(f"copy {self.table} to stdout") as copy,
        ):
            return b"".join([bytes(block) async for block in copy])


@asynccontextmanager
async def ways(url: str, table: str) -> AsyncIterator[tuple[list[Way], list[Missing]]]:
    """The baseline first; their tables are `table`_0, `table`_1, ... and have to be made."""
    sizes: dict[str, Any] = {"min_size": SIZE, "max_size": SIZE, "server_settings": NO_FLUSH}
    kernel = Kernel.from_settings(overrides={"embedded": {"on": False}})
    async with AsyncExitStack() as stack:
        pools: dict[str, Any] = {
            BASELINE: asyncpg.create_pool(url, **sizes),
            "galvo, no kernel": create_pool(url, kernel=None, **sizes),
            "galvo with cache": create_pool(url, kernel=kernel, **sizes),
        }
        found: list[Way] = [
            Pooled(name, f"{table}_{number}", await stack.enter_async_context(pool))
            for number, (name, pool) in enumerate(pools.items())
        ]
        peer = await attempt(Psycopg.name, lambda: _psycopg(url, f"{table}_{len(pools)}", stack))
        if isinstance(peer, Missing):
            yield found, [peer]
        else:
            yield [*found, peer], []


async def _psycopg(url: str, table: str, stack: AsyncExitStack) -> Way:
    module = need("psycopg_pool")
    if not hasattr(module, "AsyncConnectionPool"):
        raise Absent("too old")
    options = " ".join(f"-c {name}={value}" for name, value in NO_FLUSH.items())
    kwargs = {"autocommit": True, "options": options}
    pool = module.AsyncConnectionPool(url, min_size=SIZE, max_size=SIZE, kwargs=kwargs, open=False)
    await pool.open(wait=True)
    stack.push_async_callback(pool.close)
    return Psycopg(table, pool)


def _theirs(sql: str) -> str:
    return re.sub(r"\$\d+", "%s", sql)
