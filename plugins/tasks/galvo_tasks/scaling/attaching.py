"""A worker that scales: what Celery's WorkController is given for it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from celery import bootsteps
from celery.signals import worker_shutdown
from celery.worker.components import Pool

from galvo_tasks.metering import recorder
from galvo_tasks.scaling.autoscaler import TICK, Autoscaler, follow
from galvo_tasks.scaling.crew import Crew
from galvo_tasks.scaling.governor import Governor
from galvo_tasks.scaling.plan import PYTHON
from galvo_tasks.scaling.plugin import Scaling
from galvo_tasks.scaling.tree import resident

KIB = 1024


def attach(crew: Crew) -> Governor:
    """Give the next worker of its application a governor. It begins with the worker's pool, unless somebody starts it
    before.
    """
    governor = Governor(Path(), Scaling, crew=crew)
    crew.app.steps["worker"].add(type("Governing", (Governing,), {"crew": crew, "governor": governor}))
    return governor


def options(crew: Crew) -> dict[str, Any]:
    """What Celery's WorkController is to be made with."""
    number = crew.wanted.number
    if not crew.processes:
        return {"pool": "threads", "concurrency": number}
    most_tasks = min((one.max_tasks for one in crew.classes if one.max_tasks), default=None)
    return {
        "pool": "prefork",
        "autoscale": (number, 1),
        "autoscaler_cls": partial(Autoscaler, crew.ceiling),
        "max_tasks_per_child": most_tasks,
        # billiard compares the peak of RSS, which has what a child shares with the main process
        "max_memory_per_child": (resident() + 2 * PYTHON + crew.memory) // KIB,
    }


class Governing(bootsteps.StartStopStep):
    """The governor begins when the pool's first processes are there, and ends after all of them."""

    label = "Governor"
    requires = (Pool,)
    crew: ClassVar[Crew]
    governor: ClassVar[Governor]

    def start(self, worker: Any) -> None:
        self.crew.worker = worker
        follow(worker, self.crew.ceiling.now)
        self.governor.start()
        recorder.send_to(self.governor.record)
        worker_shutdown.connect(self._ended, weak=False)

    def stop(self, worker: Any) -> None:
        """Not yet: tasks end after this, and their metrics are told."""

    def terminate(self, worker: Any) -> None:
        self._ended()

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        if not self.crew.processes:
            hub.call_repeatedly(TICK, lambda: follow(worker, self.crew.ceiling.now))

    def info(self, worker: Any) -> Any:
        return {"governor": {"concurrency": self.crew.ceiling.now, "why": self.crew.ceiling.why}}

    def _ended(self, **_: Any) -> None:
        worker_shutdown.disconnect(self._ended)
        recorder.send_to(None)
        self.governor.stop()
