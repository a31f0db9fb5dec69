"""The application's own pool is as large as galvo's would be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from galvo_engraving.config import EngravingSettings
from galvo_engraving.serving.opening import plain

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "given, sizes", [({"min_size": 3, "max_size": 4}, (3, 4)), ({"max_size": 5}, (2, 5)), ({}, (2, 10))]
)
async def test_the_plain_pool_has_its_sizes(
    dsn: str, tmp_path: Path, given: dict[str, int], sizes: tuple[int, int]
) -> None:
    async with plain(dsn, EngravingSettings(), {"pool": given}, tmp_path) as shop:
        pool: Any = shop.db._pool  # type: ignore[attr-defined]
        assert (pool.get_min_size(), pool.get_max_size()) == sizes
