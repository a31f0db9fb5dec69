"""All processes of the server stand still for a time, as in a snapshot of its machine, and go on."""

from __future__ import annotations

import asyncio
import os

import asyncpg
import pytest

from tests.plugins.pool.faults.load import TABLE, TIMES, Load
from tests.plugins.pool.faults.own import Own, frozen, processes
from tests.plugins.pool.faults.variants import VARIANTS, pooled
from tests.plugins.pool.faults.whole import whole

pytestmark = pytest.mark.anyio
PAUSE = float(os.environ.get("GALVO_FAULT_SECONDS", "2.5"))
"""Longer than every timeout of the pool."""


@pytest.mark.parametrize("variant", VARIANTS)
async def test_server_paused(own: Own, variant: str) -> None:
    dsn = await own.start()
    other = await asyncpg.connect(dsn)
    await other.execute(TABLE)
    async with pooled(dsn, variant, **TIMES) as pool:
        load = Load(pool)
        async with load.clients():
            with frozen(processes(await other.fetchval("select pg_backend_pid()"))):
                await asyncio.sleep(PAUSE)
            took = await load.recovers()
            await load.runs(50)
            print(f"{variant}: again {took:.3f} s after {PAUSE:g} s; {load.done} done, {dict(load.errors)}")
        await load.survived(other)
        await whole(pool, other)
    await other.close()
