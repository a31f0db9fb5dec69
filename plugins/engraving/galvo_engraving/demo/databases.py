"""The demo's databases: one is loaded once and kept, and every lane gets a fresh copy of it.

A copy per lane because each lane writes, and a cache cannot know what another process writes: the lanes
would not only disturb each other, the cached one would be wrong by design.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg

from galvo import GalvoError
from galvo_engraving.demo.options import BadOption, redacted
from galvo_engraving.load import Progress, load

NAME = "galvo_demo"
_LOCK = 0x67616C766F
"""Advisory lock: "galvo" in ASCII."""
_CONNECT_SECONDS = 10


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    # Written by hand: urlunsplit drops the slashes of an empty host, which means a unix socket.
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("dbname", "database")]
    return f"{parts.scheme}://{parts.netloc}/{name}" + (f"?{urlencode(kept)}" if kept else "")


@asynccontextmanager
async def server(url: str) -> AsyncIterator[Any]:
    """A connection to the server, held for the whole demo so that a second demo on it is refused."""
    try:
        con = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or f"no answer within {_CONNECT_SECONDS} s"
        raise BadOption(f"cannot connect to {redacted(url)}: {reason.splitlines()[0]}") from None
    try:
        if not await con.fetchval("select pg_try_advisory_lock($1)", _LOCK):
            raise GalvoError("another galvo demo is running on this server: wait for it, or give another --url")
        yield con
    finally:
        await con.close(timeout=5)


async def prepare(con: Any, url: str, scale: float, seed: int, progress: Progress) -> bool:
    """Make and load the demo's database; False when the data was already there."""
    try:
        if not await con.fetchval("select true from pg_database where datname = $1", NAME):
            await con.execute(f"create database {NAME}")
        own = await asyncpg.connect(with_database(url, NAME), timeout=_CONNECT_SECONDS)
        try:
            return await load(own, scale, seed, progress)
        finally:
            await own.close()
    except asyncpg.PostgresError as error:
        raise GalvoError(f"cannot load the database {NAME}: {error}") from None


@asynccontextmanager
async def copies(con: Any, url: str, lanes: Iterable[str]) -> AsyncIterator[dict[str, str]]:
    """A database per lane, by lane: its URL. They are dropped again at the end."""
    names = {lane: f"{NAME}_{lane}" for lane in lanes}
    await _drop(con, names.values())  # left by a demo that was killed
    try:
        for name in names.values():
            await con.execute(f"create database {name} template {NAME}")
        yield {lane: with_database(url, name) for lane, name in names.items()}
    except asyncpg.PostgresError as error:
        raise GalvoError(f"cannot copy the database {NAME}: {error}") from None
    finally:
        await _drop(con, names.values())


async def _drop(con: Any, names: Iterable[str]) -> None:
    for name in names:
        await con.execute(f"drop database if exists {name} with (force)")
