"""A task with `keep_result=True`, while it is asked for and while it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import celery
from amqp.exceptions import ChannelError, MessageNacked
from celery import uuid
from celery.exceptions import Ignore, Reject, Retry
from redis.exceptions import ResponseError

from galvo_tasks.broker.headers import DAY, KEY, KEY_TTL
from galvo_tasks.errors import TasksProblem
from galvo_tasks.jobs.encoding import encoded
from galvo_tasks.jobs.errors import UNTOLD, Cancelled, JobProblem, ResultsAway, Stopped
from galvo_tasks.jobs.ledger import Ledger, ledger_of
from galvo_tasks.jobs.running import RUNNING, Run
from galvo_tasks.jobs.state import State
from galvo_tasks.jobs.surely import Surely
from galvo_tasks.jobs.watch import watch_of

LOG = logging.getLogger("galvo.tasks")


class Tracked(celery.Task[Any, Any]):
    """Mixed into `Task`, outside of whatever runs one, inside of whatever refuses to publish one."""

    abstract = True

    keep_result: bool = False
    """Its progress and result are kept for whoever waits for it."""
    cancel_grace: float = 10.0
    """Seconds that it may go on after it was cancelled; then its process is ended."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request = self.request
        if not self.keep_result or request.called_directly or request.is_eager:
            return super().__call__(*args, **kwargs)
        call = super().__call__
        return _followed(self, cast(str, request.id), lambda: call(*args, **kwargs))

    def apply_async(  # type: ignore[override]  # its many options pass through
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> Any:
        """Raises ResultsAway, and JobProblem for the id of a cancelled one: nothing was sent then."""
        if self.keep_result and not self.app.conf.task_always_eager:
            task_id = task_id or uuid()
            headers = options.get("headers") or {}
            anew, key = not options.get("retries") and KEY not in headers, 0.0
            if KEY in headers:
                key = float(headers.get(KEY_TTL) or DAY)
            ledger = ledger_of(self.app)
            known = ledger.announce(task_id, anew=anew, key=key)
            if anew and known is State.CANCELLED:  # its message may wait still, and is not to begin
                raise JobProblem(f"job {task_id} was cancelled: ask for it with another task_id")
            try:
                return super().apply_async(args, kwargs, task_id=task_id, **options)
            except Exception as error:
                if known is None and _is_refusal(error):
                    with suppress(ResultsAway):
                        ledger.forget(task_id)
                raise
        return super().apply_async(args, kwargs, task_id=task_id, **options)


def _followed(task: Tracked, id: str, call: Callable[[], Any]) -> Any:
    ledger, surely = ledger_of(task.app), Surely(task)
    with watch_of(task.app).running(id, task.cancel_grace) as run:
        _begin(ledger, id)
        token = RUNNING.set(run)
        try:
            value = call()
            result = encoded(value, ledger.limit)
        except Retry:
            with suppress(ResultsAway):  # it has been published: the next one says so itself
                if surely(lambda: ledger.leave(id, State.RETRYING, **run.fields())) is State.CANCELLED:
                    raise Stopped(f"job {id} was cancelled") from None  # the next one will find that out and not run
            raise
        except (Exception, Cancelled, asyncio.CancelledError) as error:  # noqa: BLE001  # it is raised again
            raise _ended(ledger, surely, run, error) from error.__cause__
        finally:
            RUNNING.reset(token)
        surely(lambda: ledger.leave(id, State.DONE, result=result, **run.fields()))
    return value


def _is_refusal(error: Exception) -> bool:
    """Whether it is certain that nothing arrives: asked wrongly, too late, or the broker has said so."""
    cause = error.__cause__ or error  # kombu wraps what its client raises
    if isinstance(error, TasksProblem):
        return not getattr(error, "may_arrive", False)
    return isinstance(cause, TypeError | ValueError | ResponseError | MessageNacked | ChannelError)


def _begin(ledger: Ledger, id: str) -> None:
    """Raises Stopped when there is nothing to do any more."""
    try:
        state = ledger.begin(id)
    except ResultsAway as error:
        LOG.warning("job %s begins unseen: %s", id, error)
        return
    if state is not State.RUNNING:
        raise Stopped(f"job {id} is {state} already")


def _ended(ledger: Ledger, surely: Surely, run: Run, error: BaseException) -> BaseException:
    """What Celery is to see. A cancelled job is never called failed, whatever came of its end."""
    kind = "Ignored" if isinstance(error, Ignore | Reject) else type(error).__name__
    seen = Stopped(f"job {run.id} was cancelled") if run.cancelled else error
    try:
        if run.cancelled:
            surely(lambda: ledger.leave(run.id, State.CANCELLED, **run.fields()))
        elif isinstance(error, Exception):
            surely(lambda: ledger.fail(run.id, kind, str(error)))
    except ResultsAway as away:
        LOG.error("job %s: the worker's main process is to tell how it ended: %s", run.id, away)
        with suppress(Exception):  # it may take no attributes
            setattr(seen, UNTOLD, kind)
    return seen
