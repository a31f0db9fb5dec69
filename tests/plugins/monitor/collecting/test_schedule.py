"""On time, without drift, and more often while somebody looks."""

from __future__ import annotations

import anyio
import pytest
from trio.testing import MockClock

from galvo_monitor.collecting.schedule import LIVE, WATCHED, Schedule

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def turns(schedule: Schedule, until: float) -> list[tuple[float, bool]]:
    """When, from now, and whether to collect."""
    began, made = anyio.current_time(), []
    with anyio.move_on_after(until):
        while True:
            full = await schedule.next()
            made.append((round(anyio.current_time() - began, 3), full))
    return made


async def test_every_interval_without_drift() -> None:
    schedule = Schedule(30.0, clock=anyio.current_time)
    made = []
    began = anyio.current_time()
    for _ in range(4):
        assert await schedule.next()
        made.append(anyio.current_time() - began)
        await anyio.sleep(7.0)  # the collection itself takes its time
    assert made == [0.0, 30.0, 60.0, 90.0]


async def test_a_pause_of_the_process_is_not_caught_up() -> None:
    schedule = Schedule(30.0, clock=anyio.current_time)
    await schedule.next()
    await anyio.sleep(1000.0)
    assert [at for at, _ in await turns(schedule, 61.0)] == [0.0, 30.0, 60.0]


async def test_while_somebody_looks_it_glances() -> None:
    schedule = Schedule(30.0, clock=anyio.current_time)
    await schedule.next()
    schedule.watched()
    made = await turns(schedule, 31.0)
    glances = [at for at, full in made if not full]
    assert glances[0] <= LIVE
    assert max(glances) <= WATCHED + LIVE
    assert len(glances) >= WATCHED / LIVE - 1
    assert made[-1] == (30.0, True)


async def test_a_first_look_is_answered_at_once() -> None:
    schedule = Schedule(30.0, clock=anyio.current_time)
    await schedule.next()
    async with anyio.create_task_group() as tasks:
        found: list[tuple[float, bool]] = []

        async def wait() -> None:
            found.append((anyio.current_time(), await schedule.next()))

        tasks.start_soon(wait)
        await anyio.sleep(5.0)
        asked = anyio.current_time()
        schedule.watched()
        await anyio.sleep(0.5)
        assert len(found) == 1
        assert not found[0][1]
        assert anyio.current_time() - asked == pytest.approx(0.5)
