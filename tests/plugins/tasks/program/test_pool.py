"""A worker that is told to end, or loses its connection, while a task is on its way to a process."""

from __future__ import annotations

import inspect
from collections import deque
from types import SimpleNamespace
from typing import Any

from celery.concurrency import asynpool
from celery.concurrency.asynpool import AsynPool as CeleryAsynPool

from galvo_tasks.program.pool import AsynPool, TaskPool
from galvo_tasks.program.worker import Worker


class Job(SimpleNamespace):
    """billiard's ApplyResult, as far as a flush sees it."""

    def discard(self) -> None:
        self.cache.pop(self.number, None)

    def ready(self) -> bool:
        return bool(self.done)

    def _writer(self) -> None:
        return None


def pool(kind: type[CeleryAsynPool]) -> Any:
    """One that ends; a job is with a process that has not said so, one waits for a process, one has been accepted."""
    made: Any = object.__new__(kind)
    process = SimpleNamespace(inqW_fd=7, _is_alive=lambda: True)
    cache: dict[int, Job] = {}
    places = {1: (process, False), 2: (None, False), 3: (process, True)}
    for number, (place, accepted) in places.items():
        cache[number] = Job(
            cache=cache, number=number, _write_to=place, _scheduled_for=None, _accepted=accepted, done=False
        )
    vars(made).update(_cache=cache, _state=asynpool.RUN, synack=False, outbound_buffer=deque())
    vars(made).update(_active_writers=set(), _active_writes=set(), _busy_workers={7}, maintain_pool=lambda: None)
    return made


def test_what_was_handed_to_a_process_is_not_forgotten() -> None:
    ours = pool(AsynPool)
    ours.flush()
    assert set(ours._cache) == {1, 3}
    assert ours._busy_workers == {7}


def test_celery_forgets_it() -> None:
    """When this fails, galvo_tasks.program.pool is no longer needed."""
    theirs = pool(CeleryAsynPool)
    theirs.flush()
    assert set(theirs._cache) == {3}


def test_workers_have_that_pool() -> None:
    assert TaskPool.Pool is AsynPool
    assert list(inspect.signature(CeleryAsynPool.flush).parameters) == ["self"]
    made: Any = object.__new__(Worker)
    made.pool_cls = "prefork"
    made.prepare_args()
    assert made.pool_cls is TaskPool
