"""A worker as its governor knows it: what it is for, and the processes or threads that run its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.worker import state

from galvo_tasks.config.preset import queue_name
from galvo_tasks.config.processors import processors
from galvo_tasks.scaling.ceiling import Ceiling
from galvo_tasks.scaling.plan import PYTHON, Plan, planned
from galvo_tasks.settings import settings_of


class Crew:
    def __init__(self, app: Celery[Any], runtimes: Sequence[str], concurrency: int = 0) -> None:
        """`concurrency`: of the command line; 0: as configured."""
        self.app = app
        self.runtimes = tuple(runtimes)
        self.classes = [settings_of(app).classes[name] for name in runtimes]
        self.most = concurrency or min((one.concurrency for one in self.classes if one.concurrency), default=0)
        self.processes = all(one.pool == "processes" for one in self.classes)
        """False: threads."""
        self.memory = max(one.memory_bytes for one in self.classes)
        """Bytes, of one task."""
        self.cpus = processors().usable
        self.worker: Any = None
        """Celery's, once its pool runs."""
        self.wanted = planned(cpus=self.cpus, most=self.most, limit=None, others=0, each=PYTHON + self.memory)
        """What it would be with memory without end."""
        self.ceiling = Ceiling(Plan(1, "how much memory there is has not been looked at yet"))

    @property
    def queues(self) -> dict[str, str]:
        """Names of the classes by those of their queues."""
        return {queue_name(str(self.app.main), name): name for name in self.runtimes}

    @property
    def size(self) -> int:
        """Child processes, or threads."""
        return int(self.worker.pool.num_processes) if self.worker else 0

    @property
    def running(self) -> int:
        """Tasks."""
        return len(state.active_requests)

    @property
    def pids(self) -> list[int]:
        """Of the children; none with threads."""
        pool = getattr(getattr(self.worker, "pool", None), "_pool", None)
        return [one.pid for one in list(getattr(pool, "_pool", ())) if one.pid]
