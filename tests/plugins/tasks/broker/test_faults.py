"""What happens to Redis or to its connections while a worker runs tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from galvo_tasks import celery_app
from galvo_tasks.broker.leases import LEASES, UNACKED
from tests.conftest import reachable_folder
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.stand import Stand, Worker, standing

LEASE = 1.0


class Shop:
    """A stand, a client of its Redis, and what the tests of this module do with both."""

    def __init__(self, stand: Stand, redis: OwnRedis) -> None:
        self.stand = stand
        self.server = redis
        self.redis = Redis.from_url(redis.url)
        self.app = celery_app("test", stand.settings)

    def send(self, name: str, text: str, **options: Any) -> None:
        self.app.send_task(f"tests.plugins.tasks.broker.jobs.{name}", (text,), **options)

    def begin(self, text: str, **options: Any) -> None:
        """A task that runs until `end`."""
        self.send("held", text, **options)
        self.noted(f"begin {text}")

    def end(self, text: str) -> None:
        (self.stand.folder / text).touch()
        self.noted(f"end {text}")

    def noted(self, text: str) -> None:
        self.stand.until(lambda: text in self.stand.notes())

    def all_is_acknowledged(self) -> None:
        self.stand.until(lambda: not self.redis.hlen(UNACKED) and not self.redis.zcard(LEASES))


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with reachable_folder() as folder:
        redis = OwnRedis(folder, "--appendonly", "yes", "--appendfsync", "always")
        redis.start()
        with standing(folder, redis.url, app="tests.plugins.tasks.broker.jobs:app", lease=LEASE) as stand:
            made = Shop(stand, redis)
            yield made
            made.redis.close()
            made.app.close()
        redis.close()


@pytest.fixture(scope="module")
def worker(shop: Shop) -> Worker:
    return shop.stand.worker("--class", "quick", "--concurrency", "2")


def killed_connections(shop: Shop) -> None:
    shop.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def restarted(shop: Shop) -> None:
    shop.server.kill()
    shop.server.start()


def paused(shop: Shop) -> None:
    shop.server.stop()
    time.sleep(LEASE * 2)
    shop.server.go_on()


def read_only(shop: Shop) -> None:
    shop.redis.replicaof("127.0.0.1", 1)
    time.sleep(LEASE * 2)
    shop.redis.replicaof("NO", "ONE")


def full(shop: Shop) -> None:
    shop.redis.config_set("maxmemory", 1)
    time.sleep(LEASE * 2)
    shop.redis.config_set("maxmemory", 0)


@pytest.mark.parametrize("fault", [killed_connections, restarted, paused, read_only, full])
def test_what_runs_goes_on_and_is_acknowledged(shop: Shop, worker: Worker, fault: Callable[[Shop], None]) -> None:
    name = fault.__name__
    before = len(shop.stand.notes())
    shop.begin(name)
    shop.send("held", f"{name}-2")
    fault(shop)
    shop.noted(f"begin {name}-2")
    shop.end(name)
    shop.send("noted", f"after {name}")
    shop.noted(f"after {name}")
    shop.end(f"{name}-2")
    shop.all_is_acknowledged()
    expected = [f"begin {name}", f"begin {name}-2", f"end {name}", f"after {name}", f"end {name}-2"]
    assert sorted(shop.stand.notes()[before:]) == sorted(expected)
    assert worker.process.poll() is None
