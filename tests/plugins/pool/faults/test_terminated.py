"""An administrator ends connections at random, while they are used."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.plugins.pool.faults.load import TIMES, Load
from tests.plugins.pool.faults.variants import NAME, VARIANTS, pooled
from tests.plugins.pool.faults.whole import whole

pytestmark = pytest.mark.anyio
KILL = """select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = $1 and datname = current_database() order by random() limit $2"""


@pytest.mark.parametrize("variant", VARIANTS)
async def test_backends_terminated(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    async with pooled(dsn, variant, **TIMES) as pool:
        load = Load(pool)
        async with load.clients():
            for count in (1, 1, 2, 1, 4, 1, 2, 4):
                while not await other.fetch(KILL, NAME, count):
                    pass  # those of the last time are just being replaced
                await load.runs(20)
                await asyncio.sleep(0.02)
            await other.fetch(KILL, NAME, 4)
            print(f"{variant}: again after {await load.recovers():.3f} s; {load.done} done, {dict(load.errors)}")
        assert load.errors, "some were in use"
        await load.survived(other)
        await whole(pool, other)
