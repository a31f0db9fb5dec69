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


@pytest.fixture(scope="module")
def module_shop() -> Iterator[Shop]:
    with shops() as shop:
        yield shop


@pytest.fixture
def shop(module_shop: Shop) -> Iterator[Shop]:
    yield module_shop
    module_shop.stand.close()
    module_shop.stand.workers.clear()
    module_shop.redis.flushall()
    for path in module_shop.stand.folder.glob("*"):
        if path.is_file() and path.suffix not in (".log", ".aof"):
            path.unlink()


def test_a_warm_end_waits_for_what_runs_and_leaves_the_rest_uncounted(shop: Shop) -> None:
    worker = shop.stand.worker("--class", "quick", "--concurrency", "1")
    shop.begin("one")
    shop.send("held", "two")
    worker.process.send_signal(signal.SIGTERM)
    time.sleep(LEASE * 2)  # longer than a lease: it goes on being renewed
    shop.end("one")
    assert worker.process.wait(20) == 0
    assert [headers.get(LOST) for headers in shop.waiting()] == [None]
    assert shop.redis.hlen(UNACKED) == 0


def test_a_cold_end_gives_back_at_once_what_it_has_begun_and_counts_it(shop: Shop) -> None:
    worker = shop.stand.worker("--class", "quick", "--concurrency", "1")
    shop.begin("one")
    shop.send("held", "two")
    worker.process.send_signal(signal.SIGQUIT)
    assert worker.process.wait(20) == 1
    assert [headers.get(LOST) for headers in shop.waiting()] == [1, None]
    assert shop.redis.hlen(UNACKED) == 0


def test_the_task_of_a_worker_that_was_killed_runs_in_another(shop: Shop) -> None:
    first = shop.stand.worker("--class", "quick", "--concurrency", "1")
    shop.send("noted", "x", kwargs={"seconds": 1000})
    shop.noted("x")
    first.kill()
    assert shop.redis.hlen(UNACKED) == 1
    shop.stand.worker("--class", "quick", "--concurrency", "1")
    shop.stand.until(lambda: shop.stand.notes() == ["x", "x"])


def test_who_was_stopped_for_longer_than_its_lease_has_lost_its_task(shop: Shop) -> None:
    first = shop.stand.worker("--class", "quick", "--concurrency", "1")
    shop.send("noted", "x", kwargs={"seconds": 1000})
    shop.noted("x")
    os.kill(first.process.pid, signal.SIGSTOP)
    second = shop.stand.worker("--class", "quick", "--concurrency", "1")
    shop.stand.until(lambda: shop.stand.notes() == ["x", "x"])
    os.kill(first.process.pid, signal.SIGCONT)
    first.until("away for longer than its lease")
    assert second.process.poll() is None
    assert shop.redis.hlen(UNACKED) == 1  # the second one's


@pytest.mark.parametrize("pool", ["processes", "threads"])
def test_remote_control_goes_through_it(shop: Shop, pool: str) -> None:
    """Celery's own traffic: to all workers by pub/sub, and answers in a queue that is consumed unacknowledged."""
    settings = shop.stand.folder / "settings" / "galvo.toml"
    text = settings.read_text()
    settings.write_text(text + f'[tasks.classes.quick]\npool = "{pool}"\n')
    try:
        shop.stand.worker("--class", "quick", "--concurrency", "2")
    finally:
        settings.write_text(text)
    shop.begin("one")
    with Celery("test", broker=str(shop.app.conf.broker_url)) as plain:
        for app in (shop.app, plain):
            (answer,) = app.control.inspect(timeout=5, limit=1).active().values()
            assert [task["args"] for task in answer] == [["one"]]
    shop.end("one")
    shop.all_is_acknowledged()
