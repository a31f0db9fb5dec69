from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from galvo_bench.cache.readers import Reader, readers_of
from galvo_bench.claims import redis_gets
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.results.model import Missing
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio
LATE = 0.01


async def test_a_slow_redis_is_seen(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_gets, "GETS", 32)
    honest = await redis_gets.measure(stand)
    monkeypatch.setattr(redis_gets, "readers_of", late)
    lie = await redis_gets.measure(stand)
    assert lie.galvo >= LATE > honest.low
    assert lie.middle == lie.galvo
    idle, busy = (msgspec.structs.replace(lie, able=able) for able in (True, False))
    assert verdict(CLAIMS["redis"], idle) == "missed"
    assert verdict(CLAIMS["redis"], busy) == "not shown"


def test_a_machine_on_which_the_driver_is_late_shows_nothing() -> None:
    """Which is told by the driver alone, whatever galvo takes."""
    took = {redis_gets.PLAIN: 0.5e-3, redis_gets.GALVO: 3e-3, redis_gets.AGAIN: 0.5e-3}

    def told() -> redis_gets.Found:
        return redis_gets.told({(name, tasks): [redis_gets.Turn(p99, p99)] * 3
                                for name, p99 in took.items() for tasks in redis_gets.TASKS})  # fmt: skip

    assert verdict(CLAIMS["redis"], told()) == "missed"
    took[redis_gets.PLAIN] = took[redis_gets.AGAIN] = 2e-3
    assert verdict(CLAIMS["redis"], told()) == "not shown"
    took[redis_gets.GALVO] = 0.9e-3
    assert verdict(CLAIMS["redis"], told()) == "met"


async def test_every_get_is_timed_from_its_own_beginning() -> None:
    """One in 50 is late: it is the 99th percentile, and not the median."""
    keys = iter(range(1_000))

    async def get(key: Any) -> None:
        await asyncio.sleep(LATE if next(keys) % 50 == 0 else 0)

    turn = await redis_gets.turn(Reader("sometimes late", get, None), tasks=16)
    assert turn.p50 < LATE <= turn.p99


async def late(*arguments: Any, **keywords: Any) -> tuple[list[Reader], list[Missing]]:
    readers, missing = await readers_of(*arguments, **keywords)

    def delayed(reader: Reader) -> Reader:
        async def get(key: Any) -> Any:
            await asyncio.sleep(LATE)
            return await reader.get(key)

        return msgspec.structs.replace(reader, get=get)

    return [delayed(reader) if reader.name == redis_gets.GALVO else reader for reader in readers], missing
