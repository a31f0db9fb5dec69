"""Ends of a job that its own process cannot tell: in the worker's main process."""

from __future__ import annotations

from typing import Any, cast

from billiard.einfo import ExceptionInfo
from billiard.exceptions import WorkerLostError
from celery.worker.request import Request

from galvo_tasks.jobs.errors import UNTOLD, ResultsAway, Stopped
from galvo_tasks.jobs.ledger import Ledger
from galvo_tasks.jobs.state import State
from galvo_tasks.jobs.telling import Act, teller_of
from galvo_tasks.jobs.tracked import Tracked


class Requested(Request):
    """Mixed into `Request`, outermost."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, WorkerLostError) and self._cancelled():
            exc_info = _stopped(self.id)
        if isinstance(error, ResultsAway):
            self._tell(
                lambda ledger: ledger.fail(self.id, "ResultsAway", "its end could not be told to the Redis of results")
            )
        elif kind := getattr(error, UNTOLD, ""):
            self._tell(lambda ledger: _told(ledger, self.id, error, kind))
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if not soft:
            self._tell(lambda ledger: ledger.fail(self.id, "TimeLimitExceeded", f"longer than {timeout:g} s"))
        super().on_timeout(soft, timeout)

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, expired: bool) -> None:
        if expired:
            self._tell(lambda ledger: ledger.fail(self.id, "Expired", "no worker had time before expires"))
        else:
            self._tell(lambda ledger: ledger.leave(self.id, State.CANCELLED))
        super()._announce_revoked(reason, terminated, signum, expired)  # type: ignore[misc]  # unknown to the stubs

    def _cancelled(self) -> bool:
        if not cast(Tracked, self.task).keep_result:
            return False
        found = teller_of(self.task.app).ask(self.id, lambda ledger: ledger.state(self.id))
        return bool(found == State.CANCELLED.value.encode())

    def _tell(self, act: Act) -> None:
        if cast(Tracked, self.task).keep_result:
            teller_of(self.task.app).tell(self.id, act)


def _told(ledger: Ledger, id: str, error: BaseException, kind: str) -> State:
    if isinstance(error, Stopped):
        return ledger.leave(id, State.CANCELLED)
    return ledger.fail(id, kind, str(error))


def _stopped(id: str) -> Any:
    try:
        raise Stopped(f"job {id} was cancelled")
    except Stopped:
        return ExceptionInfo()
