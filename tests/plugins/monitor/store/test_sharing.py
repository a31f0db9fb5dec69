"""Several processes and one set of numbers, on a real Redis that is paused, emptied and written by others."""

from __future__ import annotations

import logging
import random

import anyio
import pytest

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.monitor.store.crowd import INTERVAL, SIZE, Crowd, Process, last, queries

pytestmark = pytest.mark.anyio


async def test_numbers_of_all_processes_add_up(crowd: Crowd) -> None:
    first, second, third = crowd.join(), crowd.join(), crowd.join()
    for number, process in enumerate(crowd.processes):
        process.count(10**number)
        await process.exchange()
    for process in (first, second, third):
        merged = await process.exchange()
        assert queries(merged.now) == 111
        assert merged.processes == 3
        assert merged.problem is None
        assert merged.now.at == process.at
        assert dict(merged.now.gauges)[SIZE] == 300


async def test_a_rate_is_of_one_interval_of_each_whenever_it_came(crowd: Crowd) -> None:
    first, second = crowd.join(), crowd.join()
    second.count(1000)  # before anybody looked
    await second.exchange()
    await first.exchange()
    assert last(await first.exchange()) == 0
    second.count(7)
    await second.exchange()
    for _ in range(2):  # the second was heard once, and is as fast as before
        first.count(1)
        assert last(await first.exchange()) == 8
    for _ in range(2):
        second.count(9)
        await second.exchange()
    first.count(1)
    assert last(await first.exchange()) == 10


async def test_who_has_left_stays_counted_for_those_who_come_later_too(crowd: Crowd) -> None:
    first, second = crowd.join(), crowd.join()
    for process in (first, second):
        process.count(5)
        await process.exchange()
    second.count(2)
    await second.leave()
    merged = await first.exchange()
    assert (queries(merged.now), merged.processes, last(merged)) == (12, 1, 0)
    assert dict(merged.now.gauges)[SIZE] == 100
    await first.leave()
    third = crowd.join()
    assert queries((await third.exchange()).now) == 12


async def test_who_was_killed_is_counted_once_by_however_many_see_it(crowd: Crowd) -> None:
    killed, *others = [crowd.join() for _ in range(6)]
    killed.count(100)
    await killed.exchange()
    for process in others:
        await process.exchange()
    await crowd.age(killed)
    async with anyio.create_task_group() as tasks:
        for process in others:
            tasks.start_soon(process.exchange)
    for process in (*others, crowd.join()):
        merged = await process.exchange()
        assert queries(merged.now) == 100
        assert last(merged) == 0 if merged.before else True
    assert await crowd.redis.exists(crowd.key(killed.name)) == 0
    assert await crowd.redis.zscore(crowd.key("processes"), killed.name) is None


async def test_who_was_killed_and_is_lost_in_redis_stays_counted(crowd: Crowd) -> None:
    first, killed = crowd.join(), crowd.join()
    killed.count(100)
    await killed.exchange()
    await first.exchange()
    await crowd.redis.delete(crowd.key(killed.name))
    for _ in range(2):
        merged = await first.exchange()
        assert queries(merged.now) == 100
    first.now += 3 * INTERVAL + 1
    merged = await first.exchange()
    assert (queries(merged.now), merged.processes) == (100, 1)
    assert queries((await crowd.join().exchange()).now) == 100


async def test_who_was_only_slow_is_not_counted_twice(crowd: Crowd) -> None:
    slow, other = crowd.join(), crowd.join()
    slow.count(100)
    await slow.exchange()
    for lap in range(1, 4):
        await crowd.age(slow)
        assert queries((await other.exchange()).now) == 100 + 10 * (lap - 1)
        name = slow.name
        slow.count(10)
        merged = await slow.exchange()
        assert slow.name != name
        assert queries(merged.now) == 100 + 10 * lap
        assert last(merged) == 10
        merged = await other.exchange()
        assert queries(merged.now) == 100 + 10 * lap
        assert merged.processes == 2


@pytest.mark.parametrize("first", ["exchanges", "leaves", "cannot leave", "was slow"])
async def test_a_reload_goes_on_where_the_older_one_was(crowd: Crowd, first: str) -> None:
    """The new one starts before the older one ends, and counts in the same cells."""
    name = ""
    process, other = crowd.join(), crowd.join()
    process.count(10)
    await process.exchange()
    await other.exchange()
    for lap in range(1, 4):
        if first == "was slow":
            await crowd.age(process)
            await other.exchange()
            await process.exchange()
        older = process.reload()
        process.count(1)
        if first in ("exchanges", "was slow"):
            await process.exchange()
            name = process.name
        elif first == "cannot leave":
            await crowd.redis.config_set("maxmemory", 1)
        await older.leave(process.snapshot())
        await crowd.redis.config_set("maxmemory", 0)
        assert 0 <= queries((await other.exchange()).now) - (8 + 2 * lap) <= 1
        process.count(1)
        merged = await process.exchange()
        assert last(merged) >= 1
        if first == "exchanges":
            assert process.name == name
        assert queries(merged.now) == 10 + 2 * lap
        merged = await other.exchange()
        assert queries(merged.now) == 10 + 2 * lap
        assert merged.processes == 2
        await older.exchange(process.snapshot())  # what it still says does not count
        assert queries((await other.exchange()).now) == 10 + 2 * lap


async def test_redis_that_is_emptied_takes_nothing_away(crowd: Crowd) -> None:
    first, second, third = crowd.join(), crowd.join(), crowd.join()
    for process in crowd.processes:
        process.count(10)
        await process.exchange()
    await third.leave()
    for process in (first, second):
        assert queries((await process.exchange()).now) == 30
    await crowd.redis.flushall()
    assert await first.sharing.total() is None, "less than before"
    for _ in range(2):
        for process in (first, second):
            assert queries((await process.exchange()).now) == 30
    assert queries((await crowd.join().exchange()).now) == 30
    total = await first.sharing.total()
    assert total is not None
    assert queries(total) == 30


async def test_who_is_heard_again_just_in_time_is_not_folded(crowd: Crowd) -> None:
    first, second = crowd.join(), crowd.join()
    second.count(10)
    await second.exchange()
    await crowd.age(second)
    other = first.sharing._others
    await first.sharing._tell_and_hear(first.snapshot(), None)
    assert not other[second.name].alive
    name = second.name
    await second.exchange()
    await first.sharing._fold_silent()
    assert (await first.exchange()).processes == 2
    await second.exchange()
    assert second.name == name


async def test_a_paused_redis_costs_no_more_than_the_timeout_and_is_said_once(
    own_redis: OwnRedis, crowd: Crowd, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = crowd.join(), crowd.join()
    for process in (first, second, first):
        process.count(10)
        await process.exchange()
    own_redis.stop()
    first.sharing._timeout = 0.1
    with caplog.at_level(logging.WARNING), anyio.fail_after(30):
        for _ in range(3):
            first.count(1)
            merged = await first.exchange()
            assert merged.problem is not None
            assert last(merged) == 1
            assert merged.processes == 1
            assert dict(merged.now.gauges)[SIZE] == 100
    assert queries(merged.now) == 33
    said = [record.getMessage() for record in caplog.records if record.name == "galvo.monitor"]
    assert said == ["the numbers are this process's own: Redis does not answer (TimeoutError)"]
    second.count(5)  # not told
    own_redis.go_on()
    first.sharing._timeout = 5.0
    with anyio.fail_after(30):
        while (await second.exchange()).problem is not None:
            pass
        while (merged := await first.exchange()).problem is not None:
            pass
    assert queries(merged.now) == 38
    assert merged.processes == 2


async def test_a_redis_that_comes_back_empty(own_redis: OwnRedis, crowd: Crowd) -> None:
    first, second = crowd.join(), crowd.join()
    for process in (first, second, first):
        process.count(10)
        await process.exchange()
    own_redis.kill()
    assert queries((await first.exchange()).now) == 30
    own_redis.start()
    for process in (first, second, first):
        merged = await process.exchange()
        assert queries(merged.now) == 30
    assert merged.processes == 2


async def test_who_is_back_is_given_time_after_redis_was_away(own_redis: OwnRedis, crowd: Crowd) -> None:
    """All are silent while Redis is: nobody is gone for that."""
    first, second = crowd.join(), crowd.join()
    for process in (first, second, first):
        process.count(10)
        await process.exchange()
    name = second.name
    own_redis.kill()
    assert (await first.exchange()).problem is not None
    first.now += 10_000
    own_redis.start()
    await first.exchange()
    await second.exchange()
    merged = await first.exchange()
    assert (queries(merged.now), merged.processes, second.name) == (30, 2, name)


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_goes_backwards_or_is_counted_twice_whatever_happens(crowd: Crowd, seed: int) -> None:
    """Processes come, go, are killed and are slow, and Redis is emptied; what was told is what is counted."""
    chance = random.Random(seed)
    crowd.join(), crowd.join()
    ended: list[Process] = []
    seen: dict[Process, float] = {}

    async def exchange(process: Process) -> None:
        merged = await process.exchange()
        assert merged.problem is None
        assert queries(merged.now) >= seen.get(process, 0)
        assert merged.before is None or last(merged) >= 0
        seen[process] = queries(merged.now)

    scraped: list[float] = [0]

    async def scrape(process: Process) -> None:
        """Of any of them, as a balancer does it."""
        if (total := await process.sharing.total()) is not None:
            scraped.append(queries(total))
        assert scraped == sorted(scraped)

    for _ in range(60):
        living = [process for process in crowd.processes if process not in ended]
        process = chance.choice(living)
        match chance.choice(["count", "count", "count", "count", "age", "kill", "leave", "join"]):
            case "count":
                process.count(chance.randrange(5))
                await exchange(process)
            case "age":
                await crowd.age(process)
            case "kill" if len(living) > 2 and process.told:
                ended.append(process)
                await crowd.age(process)
            case "leave" if len(living) > 2:
                await process.leave()
                ended.append(process)
            case _:
                await exchange(crowd.join())
        await scrape(chance.choice([process for process in crowd.processes if process not in ended]))
    living = [process for process in crowd.processes if process not in ended]
    for process in living * 3:
        await exchange(process)
    for process in living:
        await scrape(process)
    assert scraped[-len(living) :] == [sum(process.told for process in crowd.processes)] * len(living)
    assert len(scraped) > 30
    assert {seen[process] for process in living} == {sum(process.told for process in crowd.processes)}
