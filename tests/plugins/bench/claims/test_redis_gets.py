from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from galvo import GalvoError
from galvo_bench.cache.readers import Reader, readers_of
from galvo_bench.claims import redis_gets
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.results.model import Missing
from galvo_bench.running.stand import Stand
from tests.plugins.bench.claims.conftest import Clock

pytestmark = pytest.mark.anyio
LATE = 0.01


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_gets, "CALLS", 32)
    monkeypatch.setattr(redis_gets, "OTHERS", 32)


async def test_a_slow_redis_is_seen(stand: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_gets, "perf_counter", clock)

    def late(reader: Reader) -> Reader:
        async def get(key: Any) -> Any:
            clock.seconds += LATE
            return await reader.get(key)

        return msgspec.structs.replace(reader, get=get)

    honest = await redis_gets.measure(stand)
    titles = [section.title for section in honest.sections]
    assert titles == [
        f"Redis, {name}, {tasks}" for name in ("get", "set", "delete") for tasks in ("1 task", "16 tasks")
    ]
    monkeypatch.setattr(redis_gets, "readers_of", changed(late))
    lie = await redis_gets.measure(stand)
    assert lie.galvo >= LATE > honest.high
    assert lie.middle == lie.galvo
    assert "of the slowest: get" in lie.explains
    assert verdict(CLAIMS["redis"], honest) == "met"
    assert verdict(CLAIMS["redis"], lie) == "missed"


async def test_answers_that_are_not_those_stored_are_refused(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """galvo's gives None at once while it thinks that Redis is down."""

    def empty(reader: Reader) -> Reader:
        async def get(key: Any) -> Any:
            return None

        return msgspec.structs.replace(reader, get=get)

    monkeypatch.setattr(redis_gets, "readers_of", changed(empty))
    with pytest.raises(GalvoError, match="32 of 32 answers of galvo L2 get"):
        await redis_gets.measure(stand)


def test_a_machine_on_which_a_ping_is_late_shows_nothing() -> None:
    """Unless galvo is slower than the plain client is."""
    took = {redis_gets.PLAIN: 0.5e-3, redis_gets.GALVO: 3e-3, redis_gets.AGAIN: 0.5e-3}

    def said(ping: float) -> str:
        works = [(lane, name, tasks) for lane in took for name in ("get", "set", "delete") for tasks in (1, 16)]
        found = {one: [redis_gets.Turn(took[one[0]], took[one[0]])] * 6 for one in works}
        return verdict(CLAIMS["redis"], redis_gets.told(found, ping))

    assert said(0.1e-3) == said(2e-3) == "missed"
    took[redis_gets.PLAIN] = took[redis_gets.AGAIN] = 3e-3
    assert (said(0.1e-3), said(2e-3)) == ("missed", "not shown")
    took[redis_gets.GALVO] = 0.9e-3
    assert said(2e-3) == "met"


async def test_every_get_is_timed_from_its_own_beginning() -> None:
    """One in 50 is late: it is the 99th percentile, and not the median."""
    keys = iter(range(1_000))

    async def get(key: Any) -> None:
        await asyncio.sleep(LATE if next(keys) % 50 == 0 else 0)

    turn = await redis_gets.turn(redis_gets.Work(get, range(960), redis_gets._nothing), tasks=16)
    assert turn.p50 < LATE <= turn.p99


def changed(change: Callable[[Reader], Reader]) -> Any:
    async def others(*arguments: Any, **keywords: Any) -> tuple[list[Reader], list[Missing]]:
        readers, missing = await readers_of(*arguments, **keywords)
        ours = redis_gets.READS[redis_gets.GALVO]
        return [change(reader) if reader.name == ours else reader for reader in readers], missing

    return others
