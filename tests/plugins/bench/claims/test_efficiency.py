from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

from galvo_bench.claims import efficiency
from galvo_bench.claims.claim import Found
from galvo_bench.claims.efficiency import NAMES, Turn
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.kernel.hot_path import SCHEMA
from galvo_bench.running.stand import Stand
from galvo_pool import create_pool

pytestmark = pytest.mark.anyio
PLAIN, GALVO, AGAIN = NAMES
WAITS, KEYS = efficiency.LOADS


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SECONDS": 0.1, "SETTLE": 0.2, "AWAKE": 0.05, "LOOK": 0.05, "CLIENTS": 12, "MOST": 12}.items():
        monkeypatch.setattr(efficiency, name, value)


async def test_a_slow_galvo_is_seen(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = await efficiency.measure(stand)
    monkeypatch.setattr(efficiency, "create_pool", slow)
    lie = await efficiency.measure(stand)
    assert lie.galvo < honest.galvo
    assert verdict(CLAIMS["efficiency"], msgspec.structs.replace(lie, noise=None)) == "missed"


@pytest.mark.parametrize("size", [2, 5])
async def test_connections_are_those_that_the_server_has(dsn: str, size: int) -> None:
    """However few of them are busy."""
    watcher = await asyncpg.connect(dsn)
    await watcher.execute(SCHEMA)
    keywords = {"min_size": size, "max_size": 12, "server_settings": {"application_name": "counted"}}
    async with create_pool(dsn, kernel=None, **keywords) as pool:
        pool._queue.limit = 1
        found = await efficiency.turn(pool, "counted", watcher, 0.1)
    await watcher.close()
    assert found.connections == size
    assert found.rate > 0


def test_the_figure_is_that_of_pairs() -> None:
    base = [Turn(640, 10), Turn(6_400, 10)] * 3
    found = told(base, [Turn(1_280, 8), Turn(12_800, 8)] * 3)
    assert (found.plain, found.galvo, found.middle, found.noise) == (3_520, 7_040, 2, (1, 1))
    assert verdict(CLAIMS["efficiency"], found) == "met"
    lie = told(base, [Turn(640, 1), Turn(6_400, 1)] * 3)
    assert (lie.galvo, lie.middle, verdict(CLAIMS["efficiency"], lie)) == (3_520, 1, "missed")


@pytest.mark.parametrize("rate, expected", [(100, "met"), (96, "missed"), (20, "missed")])
def test_what_is_lost_without_waits_is_not_efficient(rate: float, expected: str) -> None:
    base = [Turn(100, 10)] * 7
    assert verdict(CLAIMS["efficiency"], told(base, [Turn(200, 20)] * 7, [Turn(rate, 20)] * 7)) == expected


def test_a_pool_that_may_answer_less_shows_nothing() -> None:
    base = [Turn(100, 10)] * 7
    mixed = [Turn(rate, 1) for rate in (60, 60, 60, 60, 120, 120, 120)]
    assert verdict(CLAIMS["efficiency"], told(base, [Turn(200, 20)] * 7, mixed)) == "not shown"


def told(base: list[Turn], waits: list[Turn], keys: list[Turn] | None = None) -> Found:
    turns = {WAITS: waits, KEYS: keys or base}
    return efficiency.told({load: {PLAIN: base, GALVO: galvo, AGAIN: base} for load, galvo in turns.items()})


def slow(url: str, **keywords: Any) -> Any:
    pool = create_pool(url, **keywords)
    fetch = pool.fetch

    async def late(*arguments: Any) -> Any:
        await asyncio.sleep(0.4)
        return await fetch(*arguments)

    pool.fetch = late  # type: ignore[method-assign]
    return pool
