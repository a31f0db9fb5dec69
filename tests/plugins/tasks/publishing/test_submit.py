from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from galvo_tasks import Priority, celery_app
from galvo_tasks.publishing.problems import NotSerialisable, PayloadTooLarge, Refused
from galvo_tasks.publishing.publisher import close
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.stand import Stand

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(stand: Stand) -> Iterator[Celery[Any]]:
    made = celery_app("test", stand.settings)

    @made.task(name="tests.plugins.tasks.jobs.noted", shared=False)
    def noted(text: str, seconds: float = 0.0) -> None: ...

    yield made
    close(made)
    made.close()


@pytest.fixture
def redis(own_redis: OwnRedis) -> Iterator[Redis]:
    with Redis.from_url(own_redis.url) as client:
        yield client


def task(app: Celery[Any]) -> Any:
    return app.tasks["tests.plugins.tasks.jobs.noted"]


def messages(redis: Redis, queue: str) -> list[Any]:
    return [json.loads(raw) for raw in reversed(redis.lrange(queue, 0, -1))]


async def test_it_is_in_the_queue_of_its_class_and_its_priority(app: Celery[Any], redis: Redis) -> None:
    job = await task(app).submit(("a",), {"seconds": 1.5}, priority=Priority.URGENT)
    (message,) = messages(redis, "test.quick")
    assert message["headers"]["id"] == job.id
    assert message["headers"]["galvo-at"] > 1e9
    await task(app).submit(("b",), priority=Priority.BULK)
    assert len(messages(redis, "test.quick\x06\x169")) == 1


async def test_a_worker_runs_it(stand: Stand, app: Celery[Any]) -> None:
    await task(app).submit(("hello",))
    stand.worker()
    stand.until(lambda: stand.notes() == ["hello"])


async def test_what_is_asked_wrongly_is_refused_before_anything_is_sent(app: Celery[Any], redis: Redis) -> None:
    noted = task(app)
    for error, words in (
        (Refused, {"priority": 9}),
        (Refused, {"delay": -1}),
        (Refused, {"expires": float("nan")}),
        (PayloadTooLarge, {"args": ("x" * 300_000,)}),
        (NotSerialisable, {"args": (object(),)}),
        (TypeError, {"args": ()}),
    ):
        with pytest.raises(error) as caught:
            await noted.submit(**{"args": ("a",), **words})
        print(caught.value)
    assert not redis.keys("test.*")
