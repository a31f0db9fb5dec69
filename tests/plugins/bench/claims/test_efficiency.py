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
PLAIN, GALVO, AGAIN, LARGE = NAMES


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SECONDS": 0.1, "SETTLE": 0.2, "LOOK": 0.05, "CLIENTS": 12, "MOST": 12}.items():
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
    base = [Turn(640, 64), Turn(6_400, 64)]
    found = told(base, [Turn(800, 8), Turn(8_000, 8)])
    assert (found.plain, found.galvo, found.middle, found.noise) == (55, 550, 10, (1, 1))
    assert verdict(CLAIMS["efficiency"], found) == "met"
    lie = told(base, [Turn(800, 80), Turn(8_000, 80)])
    assert (lie.galvo, lie.middle, verdict(CLAIMS["efficiency"], lie)) == (55, 1, "missed")


@pytest.mark.parametrize("rate, expected", [(100, "met"), (96, "missed"), (20, "missed")])
def test_few_connections_that_answer_less_are_not_efficient(rate: float, expected: str) -> None:
    """A pool that is stuck at one is not."""
    base, stuck = [Turn(100, 10)] * 7, [Turn(rate, 1)] * 7
    assert verdict(CLAIMS["efficiency"], told(base, stuck)) == expected
    waits = {load: {PLAIN: base, GALVO: [Turn(100, 1)] * 7, AGAIN: base, LARGE: base} for load in efficiency.LOADS}
    waits[list(waits)[-1]][GALVO] = stuck
    assert verdict(CLAIMS["efficiency"], efficiency.told(waits)) == expected, "not with a wait, either"


def test_a_pool_that_may_answer_less_shows_nothing() -> None:
    base = [Turn(100, 10)] * 7
    mixed = [Turn(rate, 1) for rate in (60, 60, 60, 60, 120, 120, 120)]
    assert verdict(CLAIMS["efficiency"], told(base, mixed)) == "not shown"


def told(base: list[Turn], galvo: list[Turn]) -> Found:
    return efficiency.told({load: {PLAIN: base, GALVO: galvo, AGAIN: base, LARGE: base} for load in efficiency.LOADS})


def slow(url: str, **keywords: Any) -> Any:
    pool = create_pool(url, **keywords)
    fetch = pool.fetch

    async def late(*arguments: Any) -> Any:
        await asyncio.sleep(0.4)
        return await fetch(*arguments)

    pool.fetch = late  # type: ignore[method-assign]
    return pool
