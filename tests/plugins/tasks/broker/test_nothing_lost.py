"""Workers that are killed at random, and a Redis that is killed with them: nothing that was published is lost."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from galvo_tasks.guard.dead import dead_letters
from tests.plugins.tasks.broker.shop import Shop, shops
from tests.plugins.tasks.stand import Worker
from tests.thorough import THOROUGH

TASKS = 1000 if THOROUGH else 150
KILLS = 40 if THOROUGH else 2
SEED = int(os.environ.get("SEED", "8"))


@pytest.fixture
def shop() -> Iterator[Shop]:
    with shops() as shop:
        yield shop


def test_all_tasks_run_or_are_put_aside_whoever_is_killed(shop: Shop) -> None:
    """Idempotent ones run; one that is not runs once, or is on the dead-letter list."""
    chance = random.Random(SEED)

    def started() -> Worker:
        return shop.stand.worker("--class", "quick", "--concurrency", "4", ready=60)

    for number in range(TASKS):
        delay = {"countdown": chance.uniform(0, 2)} if chance.random() < 0.2 else {}
        name = "noted" if number % 2 else "once"
        shop.send(name, str(number), kwargs={"seconds": 0.01}, priority=chance.randrange(10), **delay)
    alive = [started()]
    for kill in range(KILLS):
        time.sleep(chance.uniform(0, 0.3))
        alive.pop(0).kill()
        if kill % 4 == 1:
            shop.server.kill()
            shop.server.start()
        alive.append(started())

    def put_aside() -> set[str]:
        return {entry.letter.id for entry in dead_letters(shop.app).entries()}

    ids = shop.ids
    shop.stand.until(lambda: {ids[text] for text in shop.stand.notes()} | put_aside() == set(ids.values()), 60)
    shop.all_is_acknowledged()
    ran = Counter(shop.stand.notes())
    assert {int(text) for text in ran} >= {number for number in range(TASKS) if number % 2}
    assert max(count for text, count in ran.items() if int(text) % 2 == 0) == 1
    assert sum(ran.values()) - len(ran) <= KILLS * 4  # only what ran in a worker that was killed
    assert shop.redis.keys("test.quick*") in ([], [b"test.quick\x06\x16wake"])
