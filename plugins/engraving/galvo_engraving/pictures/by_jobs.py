"""Rasters that workers make: galvo's tasks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from celery import Celery

from galvo_engraving.jobs.engrave import PictureGone
from galvo_engraving.pictures.told import BROKEN, LOST, Told
from galvo_engraving.problems import Away
from galvo_engraving.shop import Shop
from galvo_memory import images
from galvo_tasks import NotPublished, Priority
from galvo_tasks.jobs import Job, JobCancelled, JobFailed, JobProblem, JobTimeout, JobUnknown, Progress, State
from galvo_tasks.publishing.asking import id_of

TASK = "engraving.engrave"
SENTENCES = {PictureGone.__name__} | {
    name for name in images.__all__ if isinstance(kind := getattr(images, name), type) and issubclass(kind, Exception)
}
"""Exceptions whose words are for customers; what others say is for the log."""
SLOW = "it took too long: make it smaller"
LIMITS = {"TimeLimitExceeded", "SoftTimeLimitExceeded"}
AWAY = "whoever engraves pictures cannot be reached: ask again in a minute"
SECONDS = 5.0
"""To read why one has failed."""


class ByJobs:
    """With this Celery application."""

    def __init__(self, app: Celery[Any]) -> None:
        self._app = app
        self._task: Any = app.tasks[TASK]

    def named(self) -> tuple[str, str]:
        """A new job's id, and what `begin` wants with it."""
        key = uuid4().hex
        return id_of(self._task, key), key

    async def begin(self, shop: Shop, id: str, key: str, further: bool) -> None:
        """`further`: its user has others already, so everybody's first one comes before it. Raises Away."""
        priority = Priority.LOW if further else Priority.NORMAL
        try:
            await self._task.submit(kwargs={"raster": id}, key=key, priority=priority)
        except (NotPublished, JobProblem):
            raise Away(AWAY) from None

    async def look(self, id: str) -> Told | None:
        """None: nobody knows it. Raises Away."""
        async with aclosing(self.changes(id)) as changes:
            async for told in changes:
                return told
        return None

    async def changes(self, id: str) -> AsyncGenerator[Told, None]:
        """What is known now, then each change of it, until it has ended. Raises Away."""
        try:
            async with aclosing(Job(id, self._app).progress()) as updates:
                async for seen in updates:
                    yield await self._told(id, seen)
        except JobUnknown:
            return
        except JobProblem:
            raise Away(AWAY) from None

    async def cancel(self, id: str) -> None:
        """Ask for its end. Raises Away."""
        try:
            await Job(id, self._app).cancel()
        except JobUnknown:
            return
        except JobProblem:
            raise Away(AWAY) from None

    async def _told(self, id: str, seen: Progress) -> Told:
        done, total = round(seen.done), round(seen.total)
        match seen.state:
            case State.FAILED:
                return Told("failed", done, total, await self._why(id))
            case State.RETRYING:
                return Told("waiting")
            case State.DONE:
                return Told("done", done, total)
            case State.CANCELLED:
                return Told("cancelled", done, total)
            case State.RUNNING:
                return Told("running", done, total)
        return Told("waiting")

    async def _why(self, id: str) -> str:
        try:
            await Job(id, self._app).result(SECONDS)
        except JobFailed as error:
            if error.kind in SENTENCES:
                return error.text
            return SLOW if error.kind in LIMITS else BROKEN
        except (JobUnknown, JobTimeout, JobCancelled):
            return LOST
        return BROKEN
