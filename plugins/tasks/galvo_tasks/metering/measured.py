"""What is measured of a request, in the worker's main process."""

from __future__ import annotations

from functools import lru_cache
from time import time
from typing import Any

from billiard.einfo import ExceptionWithTraceback  # type: ignore[attr-defined]  # unknown to the stubs
from billiard.exceptions import Terminated, WorkerLostError
from celery.exceptions import Ignore, Reject, Retry
from celery.utils.serialization import UnpickleableExceptionWrapper
from celery.worker.request import Request

from galvo_tasks.broker.headers import AT
from galvo_tasks.config.preset import kind_of
from galvo_tasks.jobs.errors import Stopped
from galvo_tasks.metering.metrics import done, run_time, wait_time
from galvo_tasks.metering.recorder import record
from galvo_tasks.priority import Priority


class Measured(Request):
    """Mixed into `Request`.

    Celery makes a subclass for each task whose `on_success` is its own; all tasks are acknowledged late, so their
    acknowledgement says that they have succeeded, unless something else was said before.
    """

    _told = False

    def ended(self, outcome: str, error: str = "") -> None:
        """Tell `outcome` in `galvo.tasks.done`; whoever says it first is right. "": it is counted elsewhere."""
        if self._told:
            return
        self._told = True
        if not outcome:
            return
        record(done(self.type, outcome, error))
        if self.time_start is not None:
            record(run_time(self.type), max(0.0, time() - self.time_start))

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        super().on_accepted(pid, time_accepted)
        since = self.request_dict.get(AT)
        if isinstance(since, int | float) and self.time_start is not None:
            if self.eta is not None:
                since = max(since, self.eta.timestamp())
            # The publisher's clock may be ahead of this one.
            priority = name_of_priority(kind_at(self.app), self.delivery_info["priority"])
            record(wait_time(self.type, priority), max(0.0, self.time_start - since))

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if not soft:
            self.ended("failure", "TimeLimitExceeded")
        super().on_timeout(soft, timeout)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        outcome = outcome_of(exc_info.exception)
        if outcome is not None:
            self.ended(*outcome)
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, expired: bool) -> None:
        self.ended("cancelled")
        super()._announce_revoked(reason, terminated, signum, expired)  # type: ignore[misc]  # unknown to the stubs

    def acknowledge(self) -> None:
        if not self.acknowledged and self.task.acks_late:
            self.ended("success")
        super().acknowledge()


@lru_cache(8)
def kind_at(app: Any) -> str:
    """That of the broker which a worker of this application has."""
    return kind_of(str(app.conf.broker_url))


@lru_cache(64)
def name_of_priority(kind: str, number: int | None) -> str:
    return Priority.of(kind, number).name.lower()


def outcome_of(error: BaseException) -> tuple[str, str] | None:
    """Outcome and error's name of a request whose task raised; None: it has not ended, as its message goes back."""
    if isinstance(error, ExceptionWithTraceback):
        error = error.exc
    if isinstance(error, Retry):
        return "retry", name_of(error.exc) if error.exc is not None else ""
    if isinstance(error, Reject):
        reason, requeue = error.args
        return None if requeue else ("failure", name_of(reason))
    if isinstance(error, Stopped | Terminated):
        return "cancelled", ""
    if isinstance(error, Ignore):
        return "success", ""
    if isinstance(error, WorkerLostError | SystemExit | KeyboardInterrupt):
        return "lost", name_of(error)
    return "failure", name_of(error)


def name_of(error: object) -> str:
    if isinstance(error, UnpickleableExceptionWrapper):
        return str(error.exc_cls_name)
    return type(error).__name__
