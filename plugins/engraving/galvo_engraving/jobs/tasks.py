"""Which jobs there are, and in which runtime class each runs."""

from __future__ import annotations

from typing import Any

from celery import Celery

from galvo_engraving.jobs.engrave import engrave
from galvo_engraving.jobs.estimate import estimate
from galvo_engraving.jobs.raster import raster
from galvo_tasks import TasksSettings, celery_app

NAME = "engraving"


def shop(settings: TasksSettings | None = None) -> Celery[Any]:
    """The application; `settings`: those of the working directory. Raises SettingsError, NoBroker."""
    app = celery_app(NAME, settings)
    for function, runtime in ((raster, "image"), (engrave, "image"), (estimate, "quick")):
        # What they keep is the same each time: what a lost worker had begun may be done again.
        made = app.task(name=f"{NAME}.{function.__name__}", runtime=runtime, idempotent=True, keep_result=True)
        made(function)
    return app
