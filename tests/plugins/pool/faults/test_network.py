"""The network between the pool and its server fails in each of its ways."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.plugins.pool.faults.load import TIMES, Load
from tests.plugins.pool.faults.proxy import Proxy, proxied
from tests.plugins.pool.faults.test_paused import PAUSE
from tests.plugins.pool.faults.variants import VARIANTS, pooled
from tests.plugins.pool.faults.whole import whole

pytestmark = pytest.mark.anyio


async def cut(proxy: Proxy) -> None:
    """Three times, under load."""
    for _ in range(3):
        proxy.cut()
        await asyncio.sleep(0.1)


async def refused(proxy: Proxy) -> None:
    """And those that there were are gone."""
    await proxy.become("refused")
    proxy.cut()
    await asyncio.sleep(PAUSE / 2)


async def paused(proxy: Proxy) -> None:
    await proxy.become("paused")
    await asyncio.sleep(PAUSE)


async def silent(proxy: Proxy) -> None:
    """What is sent is taken and lost; connections from that time stay silent for ever."""
    await proxy.become("silent")
    await asyncio.sleep(PAUSE)


FAULTS = {made.__name__: made for made in (cut, refused, paused, silent)}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("variant", VARIANTS)
async def test_network_fails(dsn: str, other: asyncpg.Connection, variant: str, fault: str) -> None:
    async with proxied(dsn) as proxy, pooled(proxy.dsn, variant, **TIMES) as pool:
        load = Load(pool)
        async with load.clients():
            await FAULTS[fault](proxy)
            await proxy.become("open")
            took = await load.recovers()
            await load.runs(50)
            print(f"{fault}, {variant}: again after {took:.3f} s; {load.done} done, {dict(load.errors)}")
        assert load.errors
        await load.survived(other)
        await whole(pool, other)
