from __future__ import annotations

import logging
from functools import partial

import anyio
import pytest

from galvo import Metric
from galvo_local import Surviving
from galvo_tasks import Priority, TasksSettings, celery_app
from galvo_tasks.metering import depth
from tests.plugins.cache.coherence.own_redis import OwnRedis

pytestmark = pytest.mark.anyio
NAMES = {"galvo.tasks.depth": "depth", "galvo.tasks.oldest": "oldest", "galvo.tasks.dead": "dead"}


async def test_what_waits_is_told_by_queue_and_priority_and_its_end_too(
    own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(depth, "INTERVAL", 0.01)
    app = celery_app("scaled", TasksSettings.model_validate({"broker": own_redis.url}))
    for _ in range(3):
        app.send_task("any", queue="scaled.image", priority=Priority.BULK, headers={"galvo-at": 1.0})
    told: dict[tuple[str, ...], float] = {}
    more = anyio.Event()

    def record(metric: Metric, value: float) -> None:
        told[NAMES[metric.name], *(text for _, text in metric.attributes)] = value
        if metric.name == "galvo.tasks.dead":
            more.set()

    surviving = Surviving(logging.getLogger("test"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(depth.tell_depth, app, {"scaled.image": "image"}, record, surviving))
        await more.wait()
        assert told["depth", "bulk", "image"] == 3
        assert told["oldest", "bulk", "image"] > 1e9
        assert told["dead",] == 0
        await anyio.to_thread.run_sync(app.control.purge)
        while told["depth", "bulk", "image"]:
            more = anyio.Event()
            await more.wait()
        assert told["oldest", "bulk", "image"] == 0
        tasks.cancel_scope.cancel()
    assert surviving.faults == 0
    app.close()
