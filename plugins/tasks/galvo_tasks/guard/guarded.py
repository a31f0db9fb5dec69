"""A request that is acknowledged only once nothing can be lost by it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from celery.exceptions import Ignore, Reject, Retry, Terminated, WorkerLostError
from celery.utils.functional import noop
from celery.worker.request import Request
from celery.worker.state import task_ready

from galvo_local import printable
from galvo_tasks.guard.entry import entry
from galvo_tasks.guard.guard import guard_of
from galvo_tasks.guard.letter import attempt_of, letter_of
from galvo_tasks.guard.verdict import poison
from galvo_tasks.publishing.problems import NotFollowed

logger = logging.getLogger(__name__)

WAS_LOST = "its process was lost while it ran"
REJECTED = "the task has rejected it"
FAILED = "it has failed for good"
NOT_FOLLOWED = "it has run, but what follows could not be asked for"


class Guarded(Request):
    """Mixed into `Request`."""

    # Celery's own, which its stubs leave out
    _apply_result: Any
    _already_cancelled: bool
    _already_revoked: bool
    _on_ack: Callable[..., Any]

    def __init__(self, message: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(message, *arguments, **options)
        app: Any = self.app
        self._guard = guard_of(app)
        self.attempt = attempt_of(message.headers)
        self._connection = self._first_connection = self._guard.known.connection
        self._before: Callable[[], None] | None = None
        """What must have succeeded before it is acknowledged."""
        self._asked = False
        """The guard does that now."""
        self._comes_again = False
        self._is_elsewhere = False
        """Its message has been given to another worker while it ran here."""
        if self.attempt:
            self._guard.known.arrived(self)

    @property
    def begins(self) -> bool:
        """It has been handed to the pool."""
        return self._apply_result is not None

    @property
    def runs(self) -> bool:
        return self.begins and not self.acknowledged

    def take_over(self, ack: Callable[..., Any], reject: Callable[..., Any]) -> None:
        """Acknowledge by a later delivery of the same message, since this one's connection or lease is gone."""
        now = self._guard.known.connection
        if self._connection == now:
            if not self._is_elsewhere:  # then it is a copy, and this delivery still stands for it
                ack(logger, self.connection_errors)
                return
            self._on_ack(logger, self.connection_errors)  # of what is no longer this worker's, or of a copy
        self._connection = now
        self._on_ack, self._on_reject = ack, reject

    def lost_lease(self) -> None:
        """What the broker's leases tell, from their thread, and perhaps only after its end."""
        self._is_elsewhere = True
        if self.acknowledged:
            self._settle()

    def acknowledge(self) -> None:
        if self.acknowledged or self._asked:
            return
        if self._before is None:
            self._acknowledge()
        else:
            self._asked = True
            self._guard.first(self._before, self._acknowledge)

    def reject(self, requeue: bool = False) -> None:
        """A copy is sent, or it is put aside: what a broker does with a message that is rejected tells nobody why."""
        if self._before is None and requeue:
            self._count("")
            self._send_again()
        elif self._before is None:
            self._put_aside(REJECTED)
        self.acknowledge()

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        error = _exception(exc_info)
        if self._is_lost(error):
            return self._lost(exc_info, error)
        if isinstance(error, MemoryError):
            return self._out_of_memory(exc_info, error)
        if isinstance(error, Reject) and not getattr(error, "requeue", False):
            reason = getattr(error, "reason", None)
            self._put_aside(REJECTED, reason if isinstance(reason, BaseException) else error)
        elif isinstance(error, NotFollowed):
            self._put_aside(NOT_FOLLOWED, error, str(exc_info.traceback))
        elif getattr(self.task, "dead_on_failure", False) and not isinstance(
            error, Terminated | Ignore | Reject | Retry | SystemExit | KeyboardInterrupt
        ):
            self._put_aside(FAILED, error, str(exc_info.traceback))
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def _is_lost(self, error: BaseException) -> bool:
        """Its process has ended, but not because somebody cancelled it."""
        return isinstance(error, WorkerLostError | SystemExit | KeyboardInterrupt)

    def _lost(self, exc_info: Any, error: BaseException) -> Any:
        if self._already_cancelled or self._already_revoked:
            task_ready(self)  # a cold shutdown: the broker gives it to others
            return None
        letter = letter_of(self.message)
        lost = letter.lost + 1
        why = _why(error)
        if not getattr(self.task, "idempotent", False):
            self._put_aside(f"{WAS_LOST}: {why}", error)
        elif lost >= self._guard.starts:
            self._put_aside(f"{poison(lost)}: {why}", error)
        else:
            logger.warning("task %s[%s] is sent again: %s: %s", self.name, printable(str(self.id)), WAS_LOST, why)
            self._count("lost", error)
            self._send_again(lost)
            task_ready(self)
            self.acknowledge()
            return None
        self._guard.tell_job(letter, type(error).__name__, f"{WAS_LOST}: {why}")
        return super().on_failure(exc_info)

    def _out_of_memory(self, exc_info: Any, error: MemoryError) -> None:
        """Celery raises it in the main process, which ends the whole worker for what one task has asked for."""
        if getattr(self.task, "dead_on_failure", False):
            self._put_aside(FAILED, error, str(exc_info.traceback))
        self._count("failure", error)
        task_ready(self)
        self.acknowledge()
        logger.error("task %s[%s] has failed: MemoryError", self.name, printable(str(self.id)))

    def _count(self, outcome: str, error: BaseException | None = None) -> None:
        """Say so before the part that measures takes it for something else: see metering.measured."""
        ended: Callable[[str, str], None] = getattr(self, "ended")  # noqa: B009
        ended(outcome, type(error).__name__ if error is not None else "")

    def _put_aside(self, reason: str, error: BaseException | None = None, traceback: str = "") -> None:
        self._count("dead", error)
        put = entry(letter_of(self.message), reason, error, traceback)
        self._before = partial(self._guard.put_aside, put)

    def _send_again(self, lost: int | None = None) -> None:
        self._comes_again = True
        self._before = partial(self._guard.send_again, letter_of(self.message), lost=lost)

    def _acknowledge(self) -> None:
        self._asked = False
        known = self._guard.known
        if self._guard.redelivers and self._connection != known.connection:
            self._on_ack = noop  # its channel is gone
        super().acknowledge()
        self._settle()

    def _settle(self) -> None:
        """Remember its end, and that others may have been given it before that."""
        if not self.attempt or self._comes_again:
            return
        known = self._guard.known
        known.ended(self.attempt, None if self._is_elsewhere else self._connection)
        if self._is_elsewhere or self._first_connection != known.connection:
            self._guard.settle(letter_of(self.message))


def _exception(exc_info: Any) -> BaseException:
    found: BaseException = exc_info.exception
    return getattr(found, "exc", found) if type(found).__name__ == "ExceptionWithTraceback" else found


def _why(error: BaseException) -> str:
    """billiard's "Worker exited prematurely: signal 9 (SIGKILL) Job: 3." in fewer words."""
    if isinstance(error, WorkerLostError):
        text = str(error).removeprefix("Worker exited prematurely: ").split(" Job: ")[0].rstrip(".")
        return f"{text}, as when memory runs out" if "SIGKILL" in text else text
    return f"{type(error).__name__}({error})"
