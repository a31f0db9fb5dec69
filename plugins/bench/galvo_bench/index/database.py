"""The database of a comparison: made and loaded once per server, kept there when the server is not ours."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from galvo_bench.index import tools, tpch
from galvo_bench.index.backend import connect
from galvo_bench.index.server import server
from galvo_engraving.demo.databases import with_database

Tell = Callable[[str], object]


def tell(what: str) -> None:
    """A line on the terminal that the next one replaces; a line of its own in a file."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}"[:100])
    else:
        sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


@contextmanager
def somewhere(url: str) -> Iterator[str]:
    """`url`, or that of a private server while the block runs. Raises GalvoError."""
    if url:
        yield url
        return
    tell("starting a private PostgreSQL")
    with server() as private:
        yield private


@asynccontextmanager
async def tpch_database(url: str, scale: float, each: Tell = tell) -> AsyncIterator[asyncpg.Connection]:
    """A connection to `galvo_bench_tpch_<scale>` on the server of `url`. Raises GalvoError."""
    name = f"galvo_bench_tpch_{scale:g}".replace(".", "_")
    complete = f"complete: TPC-H {scale:g}, loaded by galvo bench"
    top = await connect(url)
    try:
        found = await top.fetchval(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = $1", name
        )
        if found != complete:
            await top.execute(f"drop database if exists {name}")
            await top.execute(f"create database {name}")
            loading = await connect(with_database(url, name))
            try:
                each(f"generating TPC-H {scale:g}")
                await tpch.load(loading, tools.generated(scale), lambda what: each(f"loading {what}"))
            finally:
                await loading.close()
            await top.execute(f"comment on database {name} is '{complete}'")
    finally:
        await top.close()
    connection = await connect(with_database(url, name))
    try:
        await hypothetical(connection)
        yield connection
    finally:
        await connection.close()


async def hypothetical(connection: asyncpg.Connection) -> None:
    """HypoPG, where the server has it: the advisors do better with it."""
    if await connection.fetchval("select count(*) from pg_available_extensions where name = 'hypopg'"):
        await connection.execute("create extension if not exists hypopg")
