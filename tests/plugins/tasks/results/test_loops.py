"""What waits in Redis for jobs is closed with its event loop."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from galvo_tasks import TasksSettings, celery_app, jobs
from galvo_tasks.jobs import Job, JobUnknown
from galvo_tasks.jobs import results as module
from tests.plugins.cache.coherence.own_redis import OwnRedis


@pytest.fixture
def app(own_redis: OwnRedis) -> Celery[Any]:
    return celery_app("test", TasksSettings.model_validate({"broker": own_redis.url}))


async def look(app: Celery[Any]) -> None:
    with pytest.raises(JobUnknown):
        await Job("x", app).result(timeout=20)


def waiting(redis: OwnRedis) -> int:
    with Redis.from_url(redis.url) as client:
        return [one["name"] for one in client.client_list()].count(module.WAITING)


def until_none_waits(redis: OwnRedis) -> None:
    """The server learns of it a bit later."""
    end = time.monotonic() + 20
    while left := waiting(redis):
        assert time.monotonic() < end, left


@pytest.mark.parametrize("redis_dies", [False, True])
def test_nothing_is_left_of_a_loop_that_has_ended(app: Celery[Any], own_redis: OwnRedis, redis_dies: bool) -> None:
    async def asking() -> None:
        await asyncio.gather(*(look(app) for _ in range(5)))
        assert waiting(own_redis) > 1
        if redis_dies:
            own_redis.kill()

    asyncio.run(asking())
    assert not module._OPEN
    if not redis_dies:
        until_none_waits(own_redis)


def test_who_waits_while_they_are_closed_is_answered_and_leaves_none_open(
    app: Celery[Any], own_redis: OwnRedis
) -> None:
    async def asking() -> None:
        await look(app)
        results = await module.results_of(app)
        own_redis.stop()
        asked = asyncio.create_task(results.read("x", 10, "state"))
        await asyncio.sleep(0)  # it begins
        await jobs.close()
        assert await module.results_of(app) is not results
        own_redis.go_on()
        assert await asked == [None]
        until_none_waits(own_redis)

    asyncio.run(asking())
