"""Which of the messages that were taken Celery may have begun to run."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Protocol

from celery import signals
from celery.worker import state

if TYPE_CHECKING:
    from celery.worker.request import Request


class Notes(Protocol):
    """Who wants to know of the request that Celery makes of a message."""

    def note(self, tag: str, request: Request) -> None: ...


_INTERESTED: weakref.WeakKeyDictionary[Any, Notes] = weakref.WeakKeyDictionary()


def tell(channel: Any, notes: Notes) -> None:
    """Note the requests of messages that this channel delivers."""
    _INTERESTED[channel] = notes


def may_have_begun(request: Request | None) -> bool:
    """Whether it has been given to the pool."""
    # The stubs do not know what Request calls its handle in the pool.
    return request is not None and (request.time_start is not None or vars(request).get("_apply_result") is not None)


def lost_lease(request: Request | None) -> None:
    """Tell it that its message has been given to another worker, if it wants to know."""
    if (told := getattr(request, "lost_lease", None)) is not None:
        told()


def runs(request: Request | None) -> bool:
    """Whether the pool runs it now."""
    return request in state.active_requests


def stopping() -> bool:
    """Whether this worker has been told to end, warm or cold."""
    flags: tuple[Any, ...] = (state.should_stop, state.should_terminate)  # an exit code, which may be 0
    return any(flag is not None and flag is not False for flag in flags)


def _received(request: Request, **_: Any) -> None:
    message = request.message
    if (notes := _INTERESTED.get(message.channel)) is not None:
        notes.note(message.delivery_tag, request)


signals.task_received.connect(_received, weak=False)
