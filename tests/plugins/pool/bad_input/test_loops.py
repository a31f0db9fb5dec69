"""Loops and kernels that a pool cannot use."""

from __future__ import annotations

import asyncio
import gc
import threading
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo import GalvoError, Kernel, PluginError
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin, create_pool
from tests.plugins.pool.bad_input.kinds import CALLS, KINDS, made, raised

pytestmark = pytest.mark.anyio


def elsewhere(pool: Any) -> list[BaseException | None]:
    """What its methods raise in a loop of another thread."""
    found: list[BaseException | None] = []

    async def use() -> None:
        for name, call in CALLS.items():
            if name == "expire":  # it only counts
                continue
            try:
                async with asyncio.timeout(2):
                    await call(pool)
                found.append(None)
            except Exception as error:
                found.append(error)

    thread = threading.Thread(target=lambda: asyncio.run(use()))
    thread.start()
    thread.join()
    return found


@KINDS
async def test_another_loop(dsn: str, kind: str) -> None:
    async with made(dsn, kind, min_size=1, max_size=2) as pool:
        found = await asyncio.to_thread(elsewhere, pool)
        assert {type(error) for error in found} == {asyncpg.InterfaceError}, found
        assert all("event loop" in str(error) for error in found), found
        assert await pool.fetchval("select 1") == 1, "here it goes on"


@KINDS
async def test_a_loop_that_is_closed(dsn: str, kind: str) -> None:
    async def make() -> Any:
        pool = made(dsn, kind, min_size=1, max_size=2)
        await pool
        assert await pool.fetchval("select 1") == 1
        pool.terminate()
        return pool

    pool = await asyncio.to_thread(asyncio.run, make())
    for call in CALLS.values():
        error = await raised(lambda call=call: call(pool))
        assert error is None or issubclass(error[0], asyncpg.InterfaceError), error


@KINDS
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # asyncpg's connections are not closed,
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # and their transports have no loop
async def test_a_loop_that_is_closed_while_the_pool_is_open(dsn: str, kind: str) -> None:
    """Nothing waits for ever, and the sentence says what to change."""

    pools: list[Any] = []

    async def make() -> None:
        pools.append(made(dsn, kind, min_size=1, max_size=2))
        assert await (await pools[0]).fetchval("select 1") == 1

    await asyncio.to_thread(asyncio.run, make())
    pool = pools.pop()
    for name, call in CALLS.items():
        if name == "expire":  # it only counts
            continue
        error = await raised(partial(call, pool))
        assert error, name
        assert error[0] is asyncpg.InterfaceError, (name, error)
        assert "belongs to another event loop" in error[1], (name, error)
    del pool
    gc.collect()  # which closes its sockets


async def test_a_kernel_that_runs_already(dsn: str) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as running:
        with pytest.raises(asyncpg.InterfaceError, match="hand over one that does not run"):
            await create_pool(dsn, kernel=running)
        assert await running.fetchval("select 1") == 1, "it is not harmed"


async def test_a_kernel_without_a_pool(dsn: str) -> None:
    with pytest.raises(GalvoError, match=r"set `on = true` under \[pool\]"):
        await create_pool(dsn, kernel=Kernel.of({CachePlugin: {}}))


async def test_what_is_no_kernel(dsn: str) -> None:
    for wrong in ("kernel", {}, 7, Kernel):
        with pytest.raises(TypeError, match="kernel"):
            create_pool(dsn, kernel=wrong)


async def test_a_kernel_of_two_pools(dsn: str) -> None:
    shared = Kernel.of({PoolPlugin: {}})
    async with create_pool(dsn, kernel=shared, min_size=1) as pool:
        with pytest.raises((asyncpg.InterfaceError, PluginError)):
            await create_pool(dsn, kernel=shared, min_size=1)
        assert await pool.fetchval("select 1") == 1, "the first one goes on"


async def test_settings_that_cannot_be_read(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings").mkdir()
    monkeypatch.chdir(tmp_path)
    for text, part in (
        ("[pool\n", "galvo.toml"),
        ("[pool]\nmin_sice = 3\n", "min_sice"),
        ("[pool]\nmin_size = 'x'\n", "min_size"),
    ):
        (tmp_path / "settings" / "galvo.toml").write_text(text)
        with pytest.raises(GalvoError, match=part):
            await create_pool(dsn)
