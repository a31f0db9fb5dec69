"""Under pressure the cache has fewer bytes to keep, says truly what it freed, and grows back when it is over."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from typing import Any

import anyio
import pytest

from galvo import Freed, Level, MemoryPressure
from galvo_cache import budget
from galvo_cache.budget import LEAST, STEP, Budget
from galvo_cache.sieve import Sieve
from tests.plugins.cache.stand import PRICE, standing

pytestmark = pytest.mark.anyio
SETTINGS = {"max_bytes": 2**16, "max_entry_bytes": 4096}


async def fill(stand: Any, count: int = 300) -> None:
    for number in range(count):
        await stand.kernel.fetchval(PRICE, number)


async def relieve(stand: Any, level: Level) -> Freed:
    return await stand.kernel.relieve(MemoryPressure(level))


@pytest.mark.parametrize(
    "level, share", [(Level.ELEVATED, 0.75), (Level.HIGH, 0.5), (Level.CRITICAL, 0.0)], ids=lambda value: str(value)
)
async def test_the_budget_shrinks_while_pressure_lasts(dsn: str, level: Level, share: float) -> None:
    async with standing(dsn, SETTINGS, max_size=1) as stand:
        await fill(stand)
        full = stand["bytes"]
        freed = await relieve(stand, level)
        assert freed == Freed(int(full - stand["bytes"]), "cache")
        assert stand["bytes"] <= share * full
        assert stand["budget"] == max(int(share * full), 2**16 // LEAST)
        for number in range(300):
            await stand.kernel.fetchval(PRICE, 1000 + number)
            assert stand["bytes"] <= stand["budget"] < 2**16


async def test_it_goes_on_shrinking_and_keeps_a_little(dsn: str) -> None:
    async with standing(dsn, SETTINGS, max_size=1) as stand:
        budgets = []
        for _ in range(8):
            await fill(stand)
            await relieve(stand, Level.HIGH)
            budgets.append(stand["budget"])
        assert budgets == sorted(budgets, reverse=True)
        assert budgets[0] > budgets[1]
        assert budgets[-1] == 2**16 // LEAST
        await stand.warm(PRICE, 1)


async def test_it_grows_back_step_by_step_when_the_level_is_normal(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PAUSE", 0)
    async with standing(dsn, SETTINGS, max_size=1) as stand:
        await fill(stand)
        await relieve(stand, Level.CRITICAL)
        seen = [stand["budget"]]
        await anyio.wait_all_tasks_blocked()
        assert stand["budget"] == seen[0], "nobody has said that it is over"
        await relieve(stand, Level.NORMAL)
        with anyio.fail_after(10):
            while stand["budget"] < 2**16:
                await anyio.lowlevel.checkpoint()
                seen.append(stand["budget"])
        budgets = sorted(set(seen))
        assert seen == sorted(seen)
        assert len(budgets) == 14
        assert all(after <= before * STEP + 1 for before, after in itertools.pairwise(budgets))
        await fill(stand)
        assert stand["bytes"] > 2**15


def test_pressure_stops_the_growth() -> None:
    sieve = Sieve(1600)
    limited = Budget(sieve)
    limited.follow(Level.NORMAL)
    assert not limited._eased.is_set()
    limited.follow(Level.CRITICAL)
    assert sieve.max_bytes == 100
    limited.follow(Level.NORMAL)
    limited.grow()
    assert sieve.max_bytes == 126
    assert limited._eased.is_set()
    limited.follow(Level.ELEVATED)
    assert not limited._eased.is_set()
    assert sieve.max_bytes == 100
    for _ in range(13):
        limited.grow()
    assert sieve.max_bytes == 1600
    assert not limited._eased.is_set()


ROWS = """
select g as id, 'name ' || g as name, g * 1.5 as price, repeat('x', 40) as note
from generate_series(1000, 1000 + $1) g
"""
ONE = "select md5($1::text)"
LARGE = "select repeat('x', 5000) || $1"
TEXTS = "select repeat('y', 300) || g, 1.5::float8 * g from generate_series($1::int, $1 + 9) g"


@pytest.mark.parametrize(
    "sql, arguments",
    [(ROWS, range(100, 200)), (ONE, map(str, range(2000))), (LARGE, map(str, range(400))), (TEXTS, range(400))],
    ids=["many rows", "one value", "large values", "texts"],
)
@pytest.mark.usefixtures("traced")
async def test_what_it_says_it_freed_is_what_python_gets_back(dsn: str, sql: str, arguments: Any) -> None:
    async with standing(dsn, {"max_bytes": 2**26, "max_entry_bytes": 2**20}, max_size=1) as stand:
        for argument in arguments:
            await stand.kernel.fetch(sql, argument)
            stand.gate.seen.clear()  # it keeps queries, and with them their arguments
        assert stand["entries"] > 50
        gc.collect()
        before = held()
        freed = await relieve(stand, Level.CRITICAL)
        gc.collect()
        # asyncpg keeps up to 2,000 records for the next answers.
        assert freed.bytes == pytest.approx(before - held(), rel=0.1)


@pytest.fixture
def traced() -> Any:
    tracemalloc.start(1)
    yield
    tracemalloc.stop()


def held() -> int:
    return tracemalloc.get_traced_memory()[0]
