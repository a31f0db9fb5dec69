from __future__ import annotations

import asyncio
from typing import Any

import pytest
from celery.signals import after_task_publish
from redis import Redis

from galvo import Context, Kernel
from galvo_pool import PoolPlugin
from galvo_tasks.outbox import Relay, outbox
from galvo_tasks.publishing.lifespan import publishing
from galvo_tasks.publishing.publisher import PLACE
from tests.plugins.tasks.publishing.conftest import until

pytestmark = pytest.mark.anyio
QUEUE = "test.quick\x06\x165"


async def test_it_relays_while_the_kernel_runs_and_leaves_nothing_behind(dsn: str, noted: Any, redis: Redis) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        async with publishing(Context(kernel, "tasks"), noted.app, outbox=True):
            async with kernel.transaction() as session:
                for n in range(150):
                    await outbox(session, noted, (f"{n}",))
            await until(lambda: redis.llen(QUEUE) > 0)  # and stop in the middle
        published = redis.llen(QUEUE)
        assert PLACE not in vars(noted.app)
        assert await kernel.fetchval("select count(*) from galvo.task_outbox") == 150 - published
        async with publishing(Context(kernel, "tasks"), noted.app, outbox=True):
            await until(lambda: redis.llen(QUEUE) == 150)


async def test_a_relay_that_is_told_to_end_does_so_after_what_is_under_way(dsn: str, noted: Any, redis: Redis) -> None:
    loop = asyncio.get_running_loop()
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        relay = Relay(Context(kernel, "tasks"), noted.app)
        async with kernel.transaction() as session:
            for n in range(3):
                await outbox(session, noted, (f"{n}",))

        def published(**_: Any) -> None:  # in the thread that publishes
            loop.call_soon_threadsafe(relay.end)

        after_task_publish.connect(published)
        try:
            await relay.run()
        finally:
            after_task_publish.disconnect(published)
        assert redis.llen(QUEUE) == 1
        assert await kernel.fetchval("select count(*) from galvo.task_outbox") == 2
