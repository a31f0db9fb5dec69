"""How a worker ends, or does not: what it has begun, what it has not, and what others see of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from celery import Celery

from galvo_tasks.broker.leases import UNACKED
from galvo_tasks.broker.lost import LOST
from tests.plugins.tasks.broker.shop import LEASE, Shop, shops
from tests.plugins.tasks.stand import Worker


@pytest.fixture
def shop() -> Iterator[Shop]:
    with shops() as shop:
        yield shop


def started(shop: Shop) -> Worker:
    return shop.stand.worker("--class", "quick", "--concurrency", "1")


def answers_remote_control(shop: Shop) -> None:
    """Celery's own traffic: to all workers by pub/sub, and answers in a queue that is consumed unacknowledged."""
    with Celery("test", broker=str(shop.app.conf.broker_url)) as plain:
        for app in (shop.app, plain):
            (answer,) = app.control.inspect(timeout=10, limit=1).active().values()
            assert [task["args"] for task in answer] == [["one"]]


def test_a_warm_end_waits_for_what_runs_and_leaves_the_rest_uncounted(shop: Shop) -> None:
    worker = started(shop)
    shop.begin("one")
    answers_remote_control(shop)
    shop.send("held", "two")
    worker.process.send_signal(signal.SIGTERM)
    time.sleep(LEASE * 1.5)  # longer than a lease: it goes on being renewed
    shop.end("one")
    assert worker.process.wait(20) == 0
    assert [headers.get(LOST) for headers in shop.waiting()] == [None]
    assert shop.redis.hlen(UNACKED) == 0


def test_the_task_of_a_worker_that_is_lost_runs_in_the_next(shop: Shop) -> None:
    """Killed; stopped for longer than its lease; ended cold, which gives back at once."""
    killed = started(shop)
    shop.send("noted", "x", kwargs={"seconds": 1000})
    shop.noted("x")
    killed.kill()
    assert shop.redis.hlen(UNACKED) == 1
    stopped = started(shop)
    shop.stand.until(lambda: shop.stand.notes() == ["x", "x"])
    os.kill(stopped.process.pid, signal.SIGSTOP)
    ended = started(shop)
    shop.stand.until(lambda: shop.stand.notes() == ["x", "x", "x"])
    os.kill(stopped.process.pid, signal.SIGCONT)
    stopped.until("away for longer than its lease")
    assert shop.redis.hlen(UNACKED) == 1  # the last one's
    stopped.kill()
    shop.send("held", "two")
    ended.process.send_signal(signal.SIGQUIT)
    assert ended.process.wait(20) == 1
    assert [headers.get(LOST) for headers in shop.waiting()] == [3, None]
    assert shop.redis.hlen(UNACKED) == 0


def test_threads_take_and_acknowledge_by_it_too(shop: Shop) -> None:
    """They have no event loop: Celery drains the connection."""
    with (shop.stand.folder / "settings" / "galvo.toml").open("a") as settings:
        settings.write('[tasks.classes.quick]\npool = "threads"\n')
    worker = shop.stand.worker("--class", "quick", "--concurrency", "3")
    shop.begin("one")
    answers_remote_control(shop)
    shop.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    for number in range(20):
        shop.send("noted", str(number))
    shop.stand.until(lambda: len(shop.stand.notes()) == 21)
    shop.end("one")
    shop.all_is_acknowledged()
    assert worker.stop() == 0
