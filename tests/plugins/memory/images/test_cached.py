"""A thumbnail under its key in the kernel's cache: made once for the same contents and settings."""

from __future__ import annotations

import pytest

from galvo_memory.images import thumbnail, thumbnail_key
from tests.plugins.cache.stand import standing
from tests.plugins.memory.images.pictures import made

pytestmark = pytest.mark.anyio


async def test_it_is_made_once(dsn: str) -> None:
    calls = 0
    async with standing(dsn) as stand:

        async def small(data: bytes, width: int) -> bytes:
            async def load() -> bytes:
                nonlocal calls
                calls += 1
                return await thumbnail(data, width=width)

            key = await thumbnail_key(data, width=width)
            return await stand.kernel.cached(key, load, depends_on=["material"], shared=True)

        first = await small(made("jpeg"), 50)
        assert await small(made("jpeg"), 50) is first
        assert calls == 1
        assert await small(made("jpeg"), 60) != first
        assert await small(made("png"), 50) != first
        assert calls == 3
        await stand.kernel.execute("update material set name = 'x' where id = 1")
        assert await small(made("jpeg"), 50) == first
        assert calls == 4


async def test_a_key_for_each_setting() -> None:
    data = made("png")
    keys = {
        await thumbnail_key(data, width=50),
        await thumbnail_key(data, width=51),
        await thumbnail_key(data, width=50, height=50),
        await thumbnail_key(data, width=50, quality=90),
        await thumbnail_key(data, width=50, format="webp"),
        await thumbnail_key(made("jpeg"), width=50),
    }
    assert len(keys) == 6
    assert await thumbnail_key(bytes(bytearray(data)), width=50) in keys
