"""The server stops at once under load, and comes back."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.plugins.pool.faults.load import TABLE, TIMES, Load
from tests.plugins.pool.faults.own import Own
from tests.plugins.pool.faults.variants import VARIANTS, pooled
from tests.plugins.pool.faults.whole import whole

pytestmark = pytest.mark.anyio
AWAY = 1.0
"""Seconds between the server's end and its next start."""


@pytest.mark.parametrize("variant", VARIANTS)
async def test_server_restarted(own: Own, variant: str) -> None:
    dsn = await own.start()
    other = await asyncpg.connect(dsn)
    await other.execute(TABLE)
    await other.close()
    async with pooled(dsn, variant, **TIMES) as pool:
        load = Load(pool)
        async with load.clients():
            for _ in range(2):
                await own.stop()
                await asyncio.sleep(AWAY)
                await own.start()
                took = await load.recovers()
                await load.runs(50)
            print(f"{variant}: again {took:.3f} s after the server's return; {load.done} done, {dict(load.errors)}")
        other = await asyncpg.connect(dsn)
        await load.survived(other)
        await whole(pool, other)
        await other.close()
