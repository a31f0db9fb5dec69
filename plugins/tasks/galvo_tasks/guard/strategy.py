"""How a message begins in a worker: at once if it comes for the first time, else as the guard decides."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from celery import Celery
from celery.worker.strategy import default

from galvo_local import printable
from galvo_tasks.broker.lost import LOST
from galvo_tasks.guard.guard import Guard, guard_of
from galvo_tasks.guard.guarded import Guarded
from galvo_tasks.guard.letter import attempt_of, letter_of, lost_of
from galvo_tasks.guard.verdict import Verdict, due_in, verdict

logger = logging.getLogger(__name__)


def guarded(task: Any, app: Celery[Any], consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's default strategy behind the guard: `Task.Strategy`."""
    begin = default(task, app, consumer, **options)
    guard = guard_of(app)
    guard.timer = consumer.timer
    redelivers = guard.redelivers
    again = partial(_again, guard, task, consumer.connection_errors)

    def arrived(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any) -> Any:
        redelivered = redelivers and message.delivery_info.get("redelivered", False)
        if redelivered or LOST in message.headers:
            return again(message, redelivered, ack, reject, lambda: begin(message, body, ack, reject, callbacks))
        return begin(message, body, ack, reject, callbacks)

    return arrived


def _again(
    guard: Guard,
    task: Any,
    errors: Any,
    message: Any,
    redelivered: bool,
    ack: Callable[..., Any],
    reject: Callable[..., Any],
    begin: Callable[[], Any],
) -> None:
    attempt = attempt_of(message.headers)
    done = partial(ack, logger, errors)
    if attempt and guard.known.has_ended(attempt):
        logger.info("%s came again after its end: acknowledged", printable(str(message.headers["id"])))
        done()
        return
    running = guard.known.request(attempt) if attempt else None
    if isinstance(running, Guarded) and running.runs:
        logger.info("%s came again while it runs here: that goes on", printable(str(message.headers["id"])))
        running.take_over(ack, reject)
        return
    if attempt and guard.known.was_not_begun(attempt):
        begin()
        return
    lost = lost_of(message.headers) + redelivered
    found, reason = verdict(
        idempotent=getattr(task, "idempotent", False),
        redelivered=redelivered,
        lost=lost,
        starts=guard.starts,
        due_in=due_in(message.headers, datetime.now(UTC)),
    )
    if found is Verdict.RUN:
        begin()
    elif found is Verdict.COUNT:
        guard.first(partial(guard.send_again, letter_of(message), lost=lost), done)
    else:
        guard.first(partial(guard.refuse, task, letter_of(message), reason), done)
