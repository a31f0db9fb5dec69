# ruff: noqa: ASYNC240
# Nothing else runs in these event loops.
from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo_embedded import Servers
from tests.plugins.embedded.conftest import alive

pytestmark = pytest.mark.anyio


async def started_at(dsn: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval("select pg_postmaster_start_time()")
    finally:
        await connection.close()


async def test_another_process_finds_the_same_server(
    warm: Path, make: Callable[..., Servers], host: Callable[..., Any]
) -> None:
    dsn = await make(warm).postgres()
    before = await started_at(dsn)
    assert host(warm).url == dsn
    assert await started_at(dsn) == before


async def test_eight_processes_at_once_share_one(folder: Path, host: Callable[..., Any], the: Any) -> None:
    hosts = [host(folder) for _ in range(8)]
    assert len({one.url for one in hosts}) == 1
    assert the(folder, " -D ")
    assert the(folder, "galvo_embedded.keeper")


async def test_many_tasks_at_once_share_one(warm: Path, make: Callable[..., Servers], the: Any) -> None:
    servers = make(warm)
    assert len(set(await asyncio.gather(*(servers.postgres() for _ in range(8))))) == 1
    assert the(warm, " -D ")


async def test_it_outlives_the_process_that_started_it(
    warm: Path, make: Callable[..., Servers], host: Callable[..., Any]
) -> None:
    starter = host(warm)
    dsn = starter.url
    before = await started_at(dsn)
    assert await make(warm).postgres() == dsn
    starter.kill()
    assert await make(warm).postgres() == dsn
    assert await started_at(dsn) == before


async def test_nothing_is_left_after_the_last_user(
    warm: Path, host: Callable[..., Any], processes: Any, ended: Callable[[Path], None]
) -> None:
    users = [host(warm), host(warm, "redis")]
    assert all(user.url for user in users)
    sockets = [Path(os.readlink(link)) for link in warm.glob("*/sockets")]
    servers = processes(warm)
    assert len(sockets) == 2
    for user in users:
        user.end()
    ended(warm)
    assert not processes(warm)
    assert not any(alive(process) for process in servers)
    assert not any(path.exists() for path in (*sockets, *warm.glob("*/url"), *warm.glob("*/sockets")))


@pytest.mark.parametrize("pause", [0, 0.005, 0.01, 0.02, 0.04, 0.08])
async def test_asking_while_it_stops(warm: Path, make: Callable[..., Servers], pause: float) -> None:
    servers = make(warm)
    await servers.postgres()
    servers.close()
    await asyncio.sleep(pause)
    assert await started_at(await servers.postgres())


async def test_ctrl_c_in_the_terminal_does_not_reach_it(
    warm: Path, make: Callable[..., Servers], host: Callable[..., Any]
) -> None:
    starter = host(warm)
    dsn = starter.url
    assert await make(warm).postgres() == dsn
    os.killpg(starter.process.pid, signal.SIGINT)
    starter.process.wait()
    assert await started_at(dsn)
