"""Workers that are killed at random, and a Redis that is killed with them: whatever was published runs."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.plugins.tasks.broker.shop import Shop, shops
from tests.plugins.tasks.stand import Worker
from tests.thorough import THOROUGH

TASKS = 1000 if THOROUGH else 150
KILLS = 40 if THOROUGH else 5
SEED = int(os.environ.get("SEED", "8"))


@pytest.fixture
def shop() -> Iterator[Shop]:
    with shops() as shop:
        yield shop


def test_all_tasks_run_whoever_is_killed(shop: Shop) -> None:
    chance = random.Random(SEED)

    def started() -> Worker:
        return shop.stand.worker("--class", "quick", "--concurrency", "4")

    for number in range(TASKS):
        priority = chance.randrange(10)
        delay = {"countdown": chance.uniform(0, 2)} if chance.random() < 0.2 else {}
        shop.send("noted", str(number), kwargs={"seconds": 0.01}, priority=priority, **delay)
    alive = [started(), started()]
    for kill in range(KILLS):
        time.sleep(chance.uniform(0, 0.3))
        victim = alive.pop(chance.randrange(len(alive)))
        victim.kill()
        if kill % 4 == 3:
            shop.server.kill()
            shop.server.start()
        alive.append(started())
    shop.stand.until(lambda: len(set(shop.stand.notes())) == TASKS, 60)
    shop.all_is_acknowledged()
    ran = Counter(shop.stand.notes())
    assert set(ran) == {str(number) for number in range(TASKS)}
    again = sum(ran.values()) - TASKS
    assert again <= KILLS * 4  # only what ran in a worker that was killed
    assert shop.redis.keys("test.quick*") in ([], [b"test.quick\x06\x16wake"])
