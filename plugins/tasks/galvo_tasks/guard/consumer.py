"""A worker's consumer that drops no message, and gives back what it has not begun."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import signals
from celery.worker import state
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.common import ignore_errors
from vine import promise

from galvo_tasks.errors import TasksProblem
from galvo_tasks.guard.entry import entry
from galvo_tasks.guard.guard import Guard, guard_of
from galvo_tasks.guard.guarded import Guarded
from galvo_tasks.guard.letter import letter_of

logger = logging.getLogger(__name__)

LATE = "delivery acknowledgement"
"""What RabbitMQ says then."""
_UNUSABLE = (TypeError, ValueError, AttributeError, LookupError, OverflowError, RecursionError)
LOOK = 0.5
"""Seconds between looks at the pool: a process that is killed closes its files, which is what Celery waits for, just
before its end can be seen, and Celery looks again only after five seconds.
"""


class Consumer(CeleryConsumer):
    """Celery's setting `worker_consumer`."""

    # Celery's own, which its stubs leave out
    task_consumer: Any
    connection_errors: Any
    channel_errors: Any

    @property
    def guard(self) -> Guard:
        found = guard_of(self.app)
        found.timer = self.timer
        return found

    def register_with_event_loop(self, hub: Any) -> None:
        super().register_with_event_loop(hub)
        hub.call_repeatedly(LOOK, self.pool.maintain_pool)

    def create_task_handler(self, promise: Any = promise) -> Callable[[Any], Any]:
        """Headers that Celery cannot use, as an id or eta of another type, are not to end one worker after another."""
        handle = super().create_task_handler(promise)

        def received(message: Any) -> Any:
            try:
                return handle(message)
            except _UNUSABLE as error:
                if any(request.message is message for request in list(state.reserved_requests)):
                    raise  # it has become a task that runs
                return self.on_invalid_task(None, message, error)

        return received

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
        name, id = message.headers.get("task"), message.headers.get("id")
        told = partial(signals.task_unknown.send, sender=self, message=message, exc=exc, name=name, id=id)
        self._aside(message, f"this worker has no task {name}", told)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        told = partial(signals.task_rejected.send, sender=self, message=message, exc=None)
        self._aside(message, "it is no task", told)

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:
        told = partial(signals.task_rejected.send, sender=self, message=message, exc=exc)
        self._aside(message, "it is not a task as Celery sends one", told, exc)

    def on_decode_error(self, message: Any, exc: Any) -> None:
        self._aside(message, "it cannot be read", lambda: None, exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """RabbitMQ closes the channel of a task that takes over half an hour; any other fault of a channel would come
        again with each connection, as that of a queue that was declared otherwise.
        """
        refused = isinstance(exc, self.channel_errors) and not isinstance(exc, self.connection_errors)
        if refused and LATE not in str(exc):
            raise TasksProblem(f"the broker refuses what this worker asks for: {exc}") from exc
        super().on_connection_error_after_connected(exc)

    def on_close(self) -> None:
        """Its connection is lost, or the worker ends."""
        if self.connection is None:
            self.guard.known.lose_connection(request.attempt for request in unbegun() if request.attempt)
        elif self.guard.redelivers and self.task_consumer:
            ignore_errors(self.connection, self.task_consumer.cancel)  # what it is given until then is given back, too
            self._give_back([request for request in unbegun() if not request.acknowledged])
        super().on_close()

    def _give_back(self, those: list[Guarded]) -> None:
        """As copies: RabbitMQ would say of the messages themselves that they have been delivered."""
        if not those:
            return
        try:
            self.guard.send_again(*(letter_of(request.message) for request in those))
        except Exception:  # they stay where they are, and come back as if they had begun
            logger.exception("cannot give back %d tasks that have not begun", len(those))
            return
        for request in those:
            if (waits := getattr(request, "_eta_timer_entry", None)) is not None:
                self.timer.cancel(waits)
            request.message.ack_log_error(logger, self.connection_errors)
            request.acknowledged = True
            state.requests.pop(request.id, None)
        logger.info("%d tasks that had not begun are given back", len(those))

    def _aside(self, message: Any, reason: str, told: Callable[[], Any], error: BaseException | None = None) -> None:
        """In the place of Celery's own, which logs the whole message, arguments and all."""

        def done() -> None:
            message.ack_log_error(logger, self.connection_errors)
            told()

        self.guard.first(partial(self.guard.put_aside, entry(letter_of(message), reason, error)), done)


def unbegun() -> list[Guarded]:
    """What has arrived in this worker and was not handed to its pool."""
    those = [*state.reserved_requests, *getattr(state, "scheduled_requests", ())]
    return [request for request in those if isinstance(request, Guarded) and not request.begins]
