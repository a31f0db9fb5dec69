"""The class of all tasks of an application that `configure` has seen."""

from __future__ import annotations

from typing import Any

import celery

from galvo_tasks.jobs.tracked import Tracked
from galvo_tasks.publishing.submitting import Submitting
from galvo_tasks.running.coroutines import Running


class Task(Submitting, Tracked, Running, celery.Task[Any, Any]):
    """What `@app.task(runtime="image", idempotent=True)` makes."""

    abstract = True
    Request = "galvo_tasks.request:Request"

    runtime: str = "quick"
    """The runtime class: which queue it waits in, whose workers run it."""
    idempotent: bool = False
    """Running it twice is the same as running it once: it is given to another worker when its own has died."""
