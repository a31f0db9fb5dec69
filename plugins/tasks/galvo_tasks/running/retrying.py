"""A task that is tried again."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import celery
from celery.exceptions import Ignore, Reject, Retry
from kombu.exceptions import OperationalError

from galvo_tasks.broker.headers import AT, DELAY, ETA, KEY, KEY_TTL
from galvo_tasks.broker.lost import LOST
from galvo_tasks.config.preset import kind_of
from galvo_tasks.jobs.errors import ResultsAway
from galvo_tasks.running import process
from galvo_tasks.running.errors import WrongThread
from galvo_tasks.running.retries import STATE, Backoff, Waits

log = logging.getLogger("galvo.tasks")

OF_ONE_MESSAGE = frozenset({AT, DELAY, ETA, KEY, KEY_TTL, LOST, "redelivered"})
"""Headers that the next message does not inherit; with the key of this one it would count as published already."""
AWAY, PAUSE = 30.0, 0.5
"""Seconds for which a broker that is away is asked again to take the retry, and between two times."""
KEPT = 600.0
"""Seconds for which Redis refuses to take the same retry a second time."""


class Again(Retry):
    """A coroutine asks for a retry: the thread that waits for it publishes, since a loop must not wait for that."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        super().__init__("asked for in a coroutine")
        self.asked = asked


class Retrying(celery.Task[Any, Any]):
    """Mixed into `Task`."""

    abstract = True

    backoff: Backoff | None = None
    """What is tried again after an exception, and when; None: nothing is, unless the task calls `self.retry()`."""

    def retry(
        self, args: Any = None, kwargs: Any = None, exc: Any = None, throw: bool = True, eta: Any = None,
        countdown: float | None = None, max_retries: int | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        """Celery's, with the task's own `backoff` where no time is said; what it has of headers goes along.

        Raises Retry; `exc`, or what is being handled, when the budget is used up; Reject while the broker is away.
        """
        asked = {"args": args, "kwargs": kwargs, "exc": exc, "throw": throw, "eta": eta, **options}
        asked |= {"countdown": countdown, "max_retries": max_retries}
        request = self.request
        if request.called_directly:
            return super().retry(**asked)
        if (thread := process.running_thread()) is not None and thread.inside:
            if not throw:
                raise WrongThread(f"{self.name}: self.retry(throw=False) publishes at once; in a coroutine, raise it")
            raise Again(asked)
        headers = {name: value for name, value in (request.headers or {}).items() if name not in OF_ONE_MESSAGE}
        asked["headers"] = headers | (options.get("headers") or {})
        if self.backoff is not None and countdown is None and not eta:
            error = exc or sys.exc_info()[1] or self.MaxRetriesExceededError(f"{self.name} was not to be tried again")
            waits = self._waits(self.backoff, error)
            if waits is None:
                raise error
            asked["headers"] |= {STATE: waits.header}
            asked |= {"countdown": waits.last, "max_retries": sys.maxsize}
        return self._published(asked)

    def apply_async(  # type: ignore[override]  # the stubs name each option
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> Any:
        """A retry has a key of its own, so that Redis takes it once however often it is published."""
        if (retries := options.get("retries")) and self.request.id == task_id and self._on_redis:
            # By what it follows: a task that is given to workers anew has its own retries again.
            follows = vars(self.request).get(AT)
            key = {KEY: f"{task_id}.{retries}.{follows}", KEY_TTL: KEPT}
            options["headers"] = (options.get("headers") or {}) | key
        return super().apply_async(args, kwargs, task_id=task_id, **options)

    def retrying(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call it, and have it tried again as `backoff` says. Raises Retry, or what it raised if that was the last."""
        try:
            return function(*args, **kwargs)
        except Again as again:
            raise self.retry(**again.asked) from again.__cause__
        except (Retry, Ignore, Reject):
            raise
        except Exception as error:
            if self.backoff is None or self.request.called_directly:
                raise
            raise self.retry(exc=error) from error

    def _waits(self, backoff: Backoff, error: BaseException) -> Waits | None:
        policy = backoff.policy(error)
        if policy is None:
            return None
        before = Waits.of((self.request.headers or {}).get(STATE))
        after = before.next(policy)
        if after is None:
            said = "%s is not tried again: it has waited %.3g s, and its budget is %.3g s"
            log.warning(said, self.name, before.total, policy.budget)
        return after

    @property
    def _on_redis(self) -> bool:
        return kind_of(str(self.app.conf.broker_url)) == "redis"

    def _published(self, asked: dict[str, Any]) -> Any:
        """Celery would drop a task whose retry is not published: its message is given back in the end.

        If it may have arrived, and arriving twice would do harm, it is put aside for somebody to look.
        """
        twice = self._on_redis or getattr(self, "idempotent", False)
        end = time.monotonic() + AWAY
        while True:
            try:
                return super().retry(**asked)
            except Reject as rejected:
                reason = rejected.args[0]
            if not isinstance(reason, OperationalError | ResultsAway):
                raise reason  # asked wrongly: the task has failed
            unsure = getattr(reason, "may_arrive", False) and not twice
            if unsure or time.monotonic() >= end:
                raise Reject(reason, requeue=not unsure)
            log.warning("%s is to be tried again, but that could not be published: %s", self.name, reason)
            time.sleep(PAUSE)
