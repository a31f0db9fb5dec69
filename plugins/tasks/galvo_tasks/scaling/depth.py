"""How much waits in the broker, told every so often."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Protocol

import anyio
import anyio.to_thread

from galvo import Metric
from galvo.surviving import Surviving
from galvo_tasks.priority import Priority
from galvo_tasks.scaling.crew import Crew

INTERVAL = 15.0
"""Seconds."""


class Depth(Protocol):
    queue: str
    priority: Priority
    tasks: int
    oldest: float | None


async def tell_depth(crew: Crew, record: Callable[[Metric, float], None], surviving: Surviving) -> None:
    """Never ends. Each queue and priority that has had tasks before is told as 0 once it has none."""
    limiter = anyio.CapacityLimiter(1)
    while True:
        with surviving.part("asking the broker how much waits"):
            found = await anyio.to_thread.run_sync(waiting, crew, limiter=limiter)
            for one in found:
                queue = crew.queues.get(one.queue, one.queue)
                attributes = (("priority", Priority(one.priority).name.lower()), ("queue", queue))
                record(Metric("galvo.tasks.depth", "gauge", "{task}", attributes), one.tasks)
                record(Metric("galvo.tasks.oldest", "gauge", "s", attributes), one.oldest or 0.0)
        await anyio.sleep(INTERVAL)


def waiting(crew: Crew) -> Iterable[Depth]:
    """Blocks. Raises TasksProblem."""
    module = importlib.import_module("galvo_tasks.broker.depths")
    found: Iterable[Depth] = module.depths(str(crew.app.conf.broker_url), list(crew.queues))
    return found
