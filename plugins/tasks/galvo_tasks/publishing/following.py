"""What follows a task: the next step of its chain, and its callbacks, which its process asks for once it has ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celery.signals import task_failure

from galvo_tasks.broker.headers import AT, KEY, KEY_TTL
from galvo_tasks.jobs.errors import ResultsAway
from galvo_tasks.publishing.asking import kind
from galvo_tasks.publishing.problems import NotFollowed, NotPublished
from galvo_tasks.running import retrying
from galvo_tasks.running.limits import limits_of
from galvo_tasks.settings import settings_of

if TYPE_CHECKING:
    from galvo_tasks.task import Task

log = logging.getLogger("galvo.tasks")

PLACE = "galvo_followed"
"""The attribute of a request that holds it."""
LEAST = 0.1
"""Seconds for asking at all, however little of the time limit is left."""


class Followed:
    """A run of a task that something follows. Celery would acknowledge it, and forget what follows, if that fails."""

    def __init__(self, task: Any) -> None:
        self.ended = False
        """Its function has returned: what is asked for now follows it."""
        self._name = task.name
        self._request = task.request
        hard = limits_of(task, self._request.timelimit).first
        self._until = None if hard is None else time.monotonic() + hard

    @classmethod
    def of(cls, task: Any) -> Followed | None:
        """Of one that begins; None for one that nothing follows, or that calls itself as a function."""
        request = task.request
        if not (request.chain or request.callbacks) or request.is_eager or PLACE in vars(request):
            return None
        found = cls(task)
        setattr(request, PLACE, found)
        return found

    def ask(self, task: Task, id: str, options: dict[str, Any], publish: Callable[[dict[str, Any], float], Any]) -> Any:
        """Again and again while the broker is away, for as long as a retry is; `publish`: with options and deadline.

        On Redis it has a key, so that it is taken once however often it is published. Raises NotFollowed.
        """
        on_redis = kind(task.app) == "redis"
        twice = on_redis or task.idempotent
        if on_redis:
            options = {**options, "headers": {**(options.get("headers") or {}), **self._key(id)}}
        deadline, end = settings_of(task.app).deadline, time.monotonic() + retrying.AWAY
        if self._until is not None:
            end = min(end, self._until - LEAST)
        while True:
            left = end - time.monotonic()
            try:
                return publish(options, max(LEAST, min(deadline, left)))
            except Exception as error:
                away = isinstance(error, NotPublished | ResultsAway)
                unsure = getattr(error, "may_arrive", False) and not twice
                if not away or unsure or time.monotonic() + retrying.PAUSE >= end:
                    raise self.problem(f"{task.name}, which follows it,", error) from error
                log.warning("%s is to follow %s, but that could not be published: %s", task.name, self._name, error)
            time.sleep(retrying.PAUSE)

    def problem(self, what: str, error: BaseException) -> NotFollowed:
        return NotFollowed(f"task {self._name} has run, but {what} could not be asked for: {error}")

    def _key(self, id: str) -> dict[str, Any]:
        """By what it follows: one that is given to workers anew is followed again."""
        of = self._request
        return {KEY: f"{id}.{of.id}.{of.retries}.{vars(of).get(AT)}", KEY_TTL: retrying.KEPT}


def ended_of(task: Any) -> Followed | None:
    """Of the task that runs in this thread, if there is one and its function has returned."""
    found: Followed | None = vars(task.request).get(PLACE) if task else None
    return found if found is not None and found.ended else None


@task_failure.connect
def _tell(sender: Any, exception: BaseException, einfo: Any, **_: Any) -> None:
    """Of what this application has no task for, and Celery asks for by itself: the main process is told the same."""
    if einfo is not None and not isinstance(exception, NotFollowed) and (ended := ended_of(sender)):
        einfo.exception = ended.problem("what follows it", exception)
