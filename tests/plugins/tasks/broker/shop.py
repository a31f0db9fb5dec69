"""A stand whose Redis survives what tests do to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis

from galvo_tasks import celery_app
from galvo_tasks.broker.leases import LEASES, UNACKED
from tests.conftest import reachable_folder
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.stand import Stand, standing

LEASE = 1.0


class Shop:
    """A stand, a client of its Redis, and what tests do with both."""

    def __init__(self, stand: Stand, redis: OwnRedis) -> None:
        self.stand = stand
        self.server = redis
        self.redis = Redis.from_url(redis.url)
        self.app = celery_app("test", stand.settings)
        self.ids: dict[str, str] = {}

    def send(self, name: str, text: str, **options: Any) -> None:
        self.ids[text] = str(self.app.send_task(f"tests.plugins.tasks.broker.jobs.{name}", (text,), **options).id)

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

    def waiting(self) -> list[dict[str, Any]]:
        """The headers of what waits, the next one first."""
        lists = ["test.quick", *(f"test.quick\x06\x16{step}" for step in range(1, 10))]
        return [json.loads(raw)["headers"] for name in lists for raw in reversed(self.redis.lrange(name, 0, -1))]


@contextmanager
def shops(**settings: Any) -> Iterator[Shop]:
    with reachable_folder() as folder:
        redis = OwnRedis(folder, "--appendonly", "yes", "--appendfsync", "always")
        redis.start()
        try:
            app = "tests.plugins.tasks.broker.jobs:app"
            with standing(folder, redis.url, app=app, lease=LEASE, starts=100, **settings) as stand:
                made = Shop(stand, redis)
                yield made
                made.redis.close()
                made.app.close()
        finally:
            redis.close()
