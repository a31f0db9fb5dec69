"""How much waits in the broker, and how much was put aside: told every so often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.to_thread
from celery import Celery

from galvo import Metric
from galvo_local import Surviving
from galvo_tasks.broker.depths import Depth, depths
from galvo_tasks.guard.dead import DEAD, dead_letters

INTERVAL = 15.0
"""Seconds."""
Attributes = tuple[tuple[str, str], ...]


async def tell_depth(
    app: Celery[Any], queues: Mapping[str, str], record: Callable[[Metric, float], None], surviving: Surviving
) -> None:
    """Never ends. `queues`: classes by the names of their queues. What has had tasks is told as 0 once it has none."""
    limiter = anyio.CapacityLimiter(1)
    told: dict[Attributes, bool] = {}
    while True:
        with surviving.part("asking the broker how much waits"):
            found = await anyio.to_thread.run_sync(waiting, app, queues, limiter=limiter)
            known = {attributes(queues, one): one for one in found}
            for key in told.keys() - known.keys():
                record(Metric("galvo.tasks.depth", "gauge", "{task}", key), 0)
                if told[key]:
                    record(Metric("galvo.tasks.oldest", "gauge", "s", key), 0.0)
            for key, one in known.items():
                told[key] = one.oldest is not None
                record(Metric("galvo.tasks.depth", "gauge", "{task}", key), one.tasks)
                if one.oldest is not None:
                    record(Metric("galvo.tasks.oldest", "gauge", "s", key), one.oldest)
        with surviving.part("asking the broker how many tasks were put aside"):
            record(DEAD, await anyio.to_thread.run_sync(dead_letters(app).count, limiter=limiter))
        await anyio.sleep(INTERVAL)


def waiting(app: Celery[Any], queues: Mapping[str, str]) -> list[Depth]:
    """Blocks. Raises NoBroker."""
    return depths(str(app.conf.broker_url), list(queues))


def attributes(queues: Mapping[str, str], depth: Depth) -> Attributes:
    """RabbitMQ does not tell priorities apart: all of them."""
    priority = "all" if depth.priority is None else depth.priority.name.lower()
    return ("priority", priority), ("queue", queues.get(depth.queue, depth.queue))
