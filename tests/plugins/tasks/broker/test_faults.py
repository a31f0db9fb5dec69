"""What happens to Redis or to its connections while a worker runs tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.plugins.tasks.broker.shop import LEASE, Shop, shops
from tests.plugins.tasks.stand import Worker


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with shops() as shop:
        yield shop


@pytest.fixture(scope="module")
def worker(shop: Shop) -> Worker:
    return shop.stand.worker("--class", "quick", "--concurrency", "1")


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
    fault(shop)
    shop.end(name)
    shop.send("noted", f"after {name}")
    shop.noted(f"after {name}")
    shop.all_is_acknowledged()
    assert shop.stand.notes()[before:] == [f"begin {name}", f"end {name}", f"after {name}"]
    assert worker.process.poll() is None
