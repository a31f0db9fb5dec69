"""`max_size = "auto"` on a real server."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from galvo import Kernel
from galvo_pool import PoolPlugin, create_pool, growth

pytestmark = pytest.mark.anyio


async def test_what_the_server_has_is_shared(dsn: str) -> None:
    """Two pools of one name get about half each, once both have looked."""
    role = "small_" + dsn.split("/")[3].split("?")[0]
    admin = await asyncpg.connect(dsn)
    await admin.execute(f"create role {role} login connection limit 20")
    url = dsn.replace("postgres@", f"{role}@")
    try:
        async with create_pool(url, kernel=None, min_size=1, max_size="auto") as first:
            alone = first.get_max_size()
            assert alone == 17, first.growth.why  # 85 % of 20
            async with create_pool(url, kernel=None, min_size=1, max_size="auto") as second:
                await first.growth.measure()
                assert (first.get_max_size(), second.get_max_size()) == (8, 8), second.growth.why
                lent = [await first.acquire() for _ in range(8)]
                with pytest.raises(TimeoutError):
                    await first.acquire(timeout=0.05)
                await asyncio.gather(*map(first.release, lent))
            await first.growth.measure()
            assert first.get_max_size() == alone
    finally:
        await admin.execute(f"drop role {role}")
        await admin.close()


async def test_a_server_that_does_not_tell(
    dsn: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(growth, "CEILING_SQL", "select 1 / 0")
    async with create_pool(dsn, kernel=None, min_size=1, max_size="auto") as pool:
        assert pool.get_max_size() == growth.USUAL
        assert await pool.fetchval("select 1") == 1
    assert "does not say how many connections it has (DivisionByZeroError)" in caplog.text


async def test_it_is_the_default_of_the_plugin(dsn: str) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn}}) as kernel:
        stats = kernel.plugin_stats("pool")
        assert stats["size"] == 2
        assert stats["limit"] == growth.first_size()
        assert await kernel.fetchval("select current_setting('application_name') ~ '^galvo/[0-9a-f]{8}$'")
        await asyncio.gather(*(kernel.fetch("select pg_sleep(0.05)") for _ in range(40)))
        assert kernel.plugin_stats("pool")["size"] <= growth.first_size() * 2
