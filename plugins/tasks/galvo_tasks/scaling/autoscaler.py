"""Grows and shrinks the pool between its tasks and the ceiling. Called by Celery, in the main thread."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from celery.worker.autoscale import Autoscaler as CeleryAutoscaler

from galvo_tasks.scaling.ceiling import Ceiling

TICK = 1.0
"""Seconds between two looks; besides, it looks at each task that comes."""
IDLE = 30.0
"""Seconds for which nobody has needed a process before it is ended."""
log = logging.getLogger("galvo.tasks")


class Autoscaler(CeleryAutoscaler):
    pool: Any
    """Of processes: celery.concurrency.prefork."""

    def __init__(self, ceiling: Ceiling, pool: Any, max_concurrency: int, min_concurrency: int, **given: Any) -> None:
        super().__init__(pool, max_concurrency, min_concurrency, **{**given, "keepalive": TICK})
        self._ceiling = ceiling
        self._needed = monotonic()
        """When the pool was last as large as its tasks wanted."""

    def _maybe_scale(self, req: Any = None) -> bool:
        follow(self.worker, self._ceiling.now)
        self.max_concurrency = most = self._ceiling.now
        size, wanted = self.processes, min(max(self.qty, self.min_concurrency, 1), most)
        if wanted >= size or self.qty >= size:
            self._needed = monotonic()
        if wanted > size:
            self._grow(wanted - size)
            return True
        if size > most:
            return end_idle(self.pool._pool, size - most) > 0
        if wanted < size and monotonic() - self._needed > IDLE:
            return end_idle(self.pool._pool, size - wanted) > 0
        return False

    def _grow(self, n: int) -> None:
        log.debug("%d more processes", n)
        self.pool.grow(n)


def end_idle(pool: Any, number: int) -> int:
    """End at most so many child processes that have no task; gives how many.

    Not by Celery's `shrink`: that also ends a child whose task is on its way to it, which then counts as lost.
    """
    ended = [one for one in pool._pool if _idle(pool, one)][:number]
    for one in ended:
        pool._all_inqueues.discard(one.inqW_fd)
        pool._processes -= 1
        pool._putlock.shrink()
        one.terminate_controlled()
    return len(ended)


def _idle(pool: Any, one: Any) -> bool:
    """Neither has it a task, nor is one on its way to it, nor is it about to begin or to end."""
    busy = one.inqW_fd in pool._busy_workers or pool._worker_active(one)
    return not (busy or one in pool._waiting_to_start or getattr(one, "_controlled_termination", False))


def follow(worker: Any, most: int) -> None:
    """Take no more tasks from the broker than that: worker_disable_prefetch asks `max_concurrency`, and RabbitMQ is
    told the change of its prefetch count.
    """
    change = most - (worker.max_concurrency or worker.concurrency)
    worker.max_concurrency = most
    consumer = worker.consumer
    if not change or consumer is None:
        return
    consumer.initial_prefetch_count = most * consumer.prefetch_multiplier  # of the next connection
    if getattr(consumer, "qos", None) is not None:
        consumer._update_qos_eventually(change)
