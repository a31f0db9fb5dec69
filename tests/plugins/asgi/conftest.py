"""A database for all tests of a file, so that a server can be shared by them."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest

from tests.conftest import execute

NUMBERS = itertools.count()
SCHEMA = """
create table material (id int primary key, name text not null);
insert into material values (1, 'birch'), (2, 'oak');
create table part (id int primary key, whole int references material deferrable initially deferred);
"""


@contextmanager
def shop(server_dsn: str) -> Iterator[str]:
    """A database of its own."""
    name = f"asgi_{os.getpid()}_{next(NUMBERS)}"
    asyncio.run(execute(server_dsn, f'create database "{name}" strategy = file_copy'))
    made = server_dsn.replace("/postgres?", f"/{name}?")
    asyncio.run(execute(made, SCHEMA))
    yield made
    asyncio.run(execute(server_dsn, f'drop database "{name}" with (force)'))


@pytest.fixture(scope="module")
def shop_dsn(server_dsn: str) -> Iterator[str]:
    with shop(server_dsn) as dsn:
        yield dsn


async def sessions(dsn: str) -> int:
    """How many others the server has in this database."""
    connection = await asyncpg.connect(dsn)
    try:
        asked = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        return int(await connection.fetchval(asked))
    finally:
        await connection.close()


async def until_alone(dsn: str) -> None:
    """The server hears of a closed connection a moment later."""
    while await sessions(dsn):  # noqa: ASYNC110  # the server tells nobody
        await asyncio.sleep(0.02)


async def waiting(connection: asyncpg.Connection) -> None:
    """Until somebody waits for an advisory lock in this database."""
    asked = "select count(*) from pg_locks l join pg_database d on d.oid = l.database "
    asked += "where not granted and locktype = 'advisory' and datname = current_database()"
    while not await connection.fetchval(asked):  # noqa: ASYNC110  # the server tells nobody
        await asyncio.sleep(0.01)
