# ruff: noqa: ASYNC240
# Nothing else runs in these event loops.
"""`kill -9` of anything, at any moment, leaves no orphan and nothing to clean up."""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import psutil
import pytest

from galvo_embedded import Servers
from galvo_embedded.share import _listens
from tests.plugins.embedded.conftest import alive

pytestmark = pytest.mark.anyio

Wait = Callable[[Path], None]


async def run(dsn: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def kill(process: psutil.Process) -> None:
    """Kill it and wait until it has ended: the OS takes its time after the signal."""
    with suppress(psutil.NoSuchProcess):  # some die with another one that was killed before
        process.kill()
    while alive(process):
        time.sleep(0.001)


def kill_keeper(folder: Path, the: Any) -> None:
    """A zombie may still have a thread that holds its lock, so wait for the lock."""
    the(folder, "galvo_embedded.keeper").kill()
    for path in folder.glob("*/keeper.lock"):
        with open(path) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


async def started_again(servers: Servers) -> list[str]:
    while not (names := await servers.again()):  # noqa: ASYNC110  # until its keeper has noticed
        await anyio.sleep(0.001)
    return names


async def test_host_killed(
    seeded: Path, host: Callable[..., Any], make: Callable[..., Servers], ended: Wait, processes: Any
) -> None:
    killed = host(seeded)
    await run(killed.url, "create table kept as select 7 as one")
    killed.kill()
    ended(seeded)
    assert not processes(seeded)
    assert await run(await make(seeded).postgres(), "table kept") == [(7,)]


@pytest.mark.parametrize("also_keeper", [False, True])
async def test_killed_during_initdb(
    folder: Path,
    host: Callable[..., Any],
    make: Callable[..., Servers],
    until: Any,
    the: Any,
    also_keeper: bool,
) -> None:
    killed = host(folder)
    until(lambda: list(folder.glob("postgres-18/new-*/base/*/*")))
    if also_keeper:
        kill_keeper(folder, the)
    killed.kill()
    assert not (folder / "postgres-18" / "data").exists(), "too late to be a test"
    assert await run(await make(folder).postgres(), "select 7") == [(7,)]
    assert not list(folder.glob("postgres-18/new-*"))


@pytest.mark.parametrize("server", ["postgres", "redis"])
async def test_keeper_killed(folder: Path, make: Callable[..., Servers], the: Any, server: str, processes: Any) -> None:
    servers = make(folder)
    first = await getattr(servers, server)()
    orphans = processes(folder)
    kill_keeper(folder, the)
    assert await getattr(servers, server)() == first
    assert not any(alive(process) for process in orphans)


async def test_keeper_killed_and_nobody_comes_back(
    warm: Path, host: Callable[..., Any], the: Any, ended: Wait, processes: Any
) -> None:
    killed = host(warm)
    assert killed.url
    kill_keeper(warm, the)
    ended(warm)
    assert not processes(warm)


async def test_postmaster_killed(seeded: Path, make: Callable[..., Servers], the: Any) -> None:
    servers = make(seeded)
    first = await servers.postgres()
    await run(first, "create table kept as select 7 as one")
    kill(the(seeded, " -D "))
    assert await started_again(servers) == ["PostgreSQL"]
    assert await run(first, "table kept") == [(7,)]


async def test_postmaster_killed_under_a_busy_backend(warm: Path, make: Callable[..., Servers], the: Any) -> None:
    servers = make(warm)
    busy = await asyncpg.connect(await servers.postgres())
    # In PL/pgSQL's loop a backend never looks whether its postmaster is alive.
    task = asyncio.create_task(busy.execute("do $$ begin loop null; end loop; end $$"))
    watcher = await asyncpg.connect(await servers.postgres())
    while not await watcher.fetchval("select count(*) from pg_stat_activity where query like 'do $$%'"):
        pass
    kill(the(warm, " -D "))
    assert await run(await servers.postgres(), "select 7") == [(7,)]
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await task
    busy.terminate()
    watcher.terminate()


async def test_redis_killed(
    folder: Path, make: Callable[..., Servers], host: Callable[..., Any], processes: Any
) -> None:
    servers = make(folder)
    first = await servers.redis()
    for process in processes(folder):
        if process.name() == "redis-server":
            kill(process)
    assert await started_again(servers) == ["Redis"]
    assert _listens(first.removeprefix("unix://"))
    assert await servers.again() == []


async def test_everything_killed(
    seeded: Path, host: Callable[..., Any], make: Callable[..., Servers], processes: Any
) -> None:
    killed = host(seeded)
    await run(killed.url, "create table kept as select 7 as one")
    left_behind = (seeded / "postgres-18" / "sockets").readlink()
    victims = processes(seeded)
    for process in victims:
        kill(process)
    killed.kill()
    assert await run(await make(seeded).postgres(), "table kept") == [(7,)]
    assert (seeded / "postgres-18" / "sockets").readlink() == left_behind
