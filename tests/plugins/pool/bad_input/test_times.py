"""Calls at a time when they cannot be: asyncpg's exception where it has one, else what to change."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from galvo_embedded import Servers
from tests.plugins.pool.bad_input.kinds import CALLS, KINDS, made, outcome, raised

pytestmark = pytest.mark.anyio


@KINDS
@pytest.mark.parametrize("call", CALLS)
async def test_before_it_is_open_and_after_it_is_closed(dsn: str, kind: str, call: str) -> None:
    outcomes = []
    for which in ("asyncpg", kind):
        pool = made(dsn, which, min_size=1)
        before = await raised(partial(CALLS[call], pool))
        await pool
        await pool.close()
        after = await raised(partial(CALLS[call], pool))
        pool = made(dsn, which, min_size=1)
        await pool
        pool.terminate()
        outcomes.append((before, after, await raised(partial(CALLS[call], pool))))
    assert outcomes[1] == outcomes[0]


@KINDS
async def test_a_lent_connection_after_its_release(dsn: str, kind: str) -> None:
    outcomes = []
    for which in ("asyncpg", kind):
        async with made(dsn, which, min_size=1, max_size=2) as pool, made(dsn, which, min_size=1) as foreign:
            lent = await pool.acquire()
            wrong = await raised(partial(foreign.release, lent))
            await pool.release(lent)
            outcomes.append(
                (
                    wrong and wrong[0],
                    await raised(partial(lent.fetch, "select 1")),
                    await raised(partial(pool.release, lent)),
                )
            )
    assert outcomes[1] == outcomes[0]


@KINDS
async def test_taking_one_while_the_only_one_is_held(dsn: str, kind: str) -> None:
    async with made(dsn, kind, min_size=1, max_size=1) as pool, pool.acquire():
        for call in (lambda: pool.acquire(timeout=0.05),):
            with pytest.raises(TimeoutError) as caught:
                await call()
            told = str(caught.value)
            assert "no connection became free within 0.05 s" in told
            assert re.search(rf"they are with {re.escape(__file__)}:\d+ in test_taking_one\w+ for \d+\.\d s", told), (
                told
            )
    async with made(dsn, kind, min_size=1, max_size=1, acquire_timeout=0.05) as pool, pool.acquire(timeout=20) as lent:
        for work in (pool.acquire(), pool.fetchval("select 1"), pool.execute("select 1"), pool.fetch("select 1")):
            with pytest.raises(TimeoutError, match=r"test_times\.py:\d+ in "):
                await work
        assert await lent.fetchval("select 1") == 1
        assert pool.get_idle_size() == 0


REFUSED = {asyncpg.TooManyConnectionsError, asyncpg.ConnectionDoesNotExistError}
"""The server says why and closes at once; sometimes asyncpg hears the second before the first, its own pool too."""


@KINDS
async def test_more_than_the_server_has(folder: Path, kind: str) -> None:
    """asyncpg's exception, at the start and later; nobody waits for ever, and "auto" asks what there is."""
    servers = Servers(folder, options={"max_connections": "10", "superuser_reserved_connections": "0"})
    try:
        url = await servers.postgres()
        for which in ("asyncpg", kind):
            error = await outcome(lambda which=which: made(url, which, min_size=30, max_size=30))
            assert type(error) in REFUSED, which
        async with made(url, kind, min_size=1, max_size=30) as pool:
            work = [pool.fetchval("select 1 from pg_sleep(0.2)") for _ in range(60)]
            async with asyncio.timeout(60):
                found = await asyncio.gather(*work, return_exceptions=True)
            assert {one if one == 1 else type(one) for one in found} <= {1, *REFUSED}
            assert await pool.fetchval("select 1") == 1, "those that are open go on"
        if kind == "chained":
            async with made(url, kind, min_size=1, max_size="auto") as pool:
                work = [pool.fetchval("select 1 from pg_sleep(0.1)") for _ in range(60)]
                assert await asyncio.gather(*work) == [1] * 60
                assert pool.get_max_size() <= 10
    finally:
        servers.close()
