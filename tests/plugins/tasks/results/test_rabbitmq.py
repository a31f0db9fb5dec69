"""Tasks in RabbitMQ, their progress and results in Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from galvo_tasks import jobs
from galvo_tasks.jobs import JobCancelled, State
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.rabbit import Rabbit
from tests.plugins.tasks.results.asking import APP, Asking, until
from tests.plugins.tasks.stand import standing
from tests.thorough import THOROUGH

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not THOROUGH, reason="one test does not start a RabbitMQ by default"),
]


async def test_the_broker_is_another(tmp_path: Path, own_redis: OwnRedis, rabbit: Rabbit) -> None:
    with standing(tmp_path, rabbit.fresh(), app=APP, results=own_redis.url) as stand:
        asking = Asking(stand)
        early = asking.ask("counted", 2)
        assert await early.cancel() is State.CANCELLED
        stand.worker()
        assert await asking.ask("counted", 3).result(timeout=30) == 3
        for name, text in (("counted", "step 0"), ("deaf", "")):
            job = asking.ask(name, *([1, "never"] if text else []))
            await (until(job, text) if text else asking.noted("begin deaf"))
            assert await job.cancel() is State.RUNNING
            with pytest.raises(JobCancelled):
                await job.result(timeout=20)
        assert await asking.ask("again", 0.05).result(timeout=30) == 1
        await asyncio.to_thread(stand.workers[0].stop)
        assert [note for note in stand.notes() if "begin" in note] == ["begin 3", "begin 1", "begin deaf"]
        asking.close()
        await jobs.close()
