from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from galvo_bench.claims import connecting
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.method import rounds
from galvo_bench.pool.connections import take_from
from galvo_bench.running.stand import Stand
from galvo_pool.pool import Pool
from tests.plugins.bench.claims.conftest import Clock

pytestmark = pytest.mark.anyio
LATE = 0.05
"""Seconds: far more than any pool takes."""


async def test_a_slow_galvo_is_seen(stand: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rounds.CLOCKS, "wall", clock)

    def slow(pool: Any) -> Callable[[], Awaitable[object]]:
        take = take_from(pool)

        async def taken() -> None:
            if isinstance(pool, Pool):
                clock.seconds += LATE
            await take()

        return taken

    monkeypatch.setattr(connecting, "REPEATS", 4)
    honest = await connecting.measure(stand)
    monkeypatch.setattr(connecting, "take_from", slow)
    lie = await connecting.measure(stand)
    assert lie.galvo >= LATE > honest.galvo
    assert lie.middle > honest.middle
    assert verdict(CLAIMS["connecting"], msgspec.structs.replace(lie, noise=None)) == "missed"
    names = [row.name for row in honest.sections[0].rows]
    assert names == [connecting.BASELINE, connecting.OURS, "psycopg_pool", "the first again (A/A)"]
