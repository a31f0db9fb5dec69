"""The class of all tasks of an application that `configure` has seen."""

from __future__ import annotations

import warnings
from typing import Any

import celery
from celery.exceptions import CDeprecationWarning

from galvo_tasks.jobs.tracked import Tracked
from galvo_tasks.publishing.submitting import Submitting
from galvo_tasks.running.coroutines import Running


class Task(Submitting, Tracked, Running, celery.Task[Any, Any]):
    """What `@app.task(runtime="image", idempotent=True)` makes."""

    abstract = True
    Request = "galvo_tasks.request:Request"
    Strategy = "galvo_tasks.guard.strategy:guarded"

    runtime: str = "quick"
    """The runtime class: which queue it waits in, whose workers run it."""
    idempotent: bool = False
    """Running it twice is the same as running it once: it is given to another worker when its own has died."""
    dead_on_failure: bool = False
    """When its retries are exhausted it goes to the dead-letter list, where somebody can try it again."""

    @classmethod
    def bind(cls, app: celery.Celery[Any]) -> celery.Celery[Any]:
        with warnings.catch_warnings():  # it means Celery's numbers: ours are a Priority, and publishing translates it
            warnings.filterwarnings("ignore", r"\s*The 'priority' task attribute", CDeprecationWarning)
            return super().bind(app)
