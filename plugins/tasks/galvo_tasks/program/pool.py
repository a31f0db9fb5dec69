"""Celery's pool of processes, which forgets no task that it has handed to one of them."""

from __future__ import annotations

from typing import Any

from celery.concurrency.asynpool import AsynPool as CeleryAsynPool
from celery.concurrency.prefork import TaskPool as CeleryTaskPool


class AsynPool(CeleryAsynPool):
    _cache: Any
    _busy_workers: Any

    def flush(self) -> None:
        """At a worker's end, and when its connection is lost: what has not begun is left to the broker.

        Celery takes for "not begun" whatever a process has not been heard to accept. One that was written to a process
        is run by it nevertheless; forgotten, its result would never be read, nor its message acknowledged.
        """
        written = {number: job for number, job in self._cache.items() if job._write_to and not job._accepted}
        super().flush()
        for number, job in written.items():
            if not job.ready():
                self._cache[number] = job
                if job._write_to._is_alive():
                    self._busy_workers.add(job._write_to.inqW_fd)


class TaskPool(CeleryTaskPool):
    Pool = AsynPool
