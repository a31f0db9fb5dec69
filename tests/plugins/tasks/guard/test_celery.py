"""What the guard relies on of Celery that is not its public interface: an upgrade that changes it fails here."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from celery.worker import state
from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.request import Request as CeleryRequest
from celery.worker.request import create_request_cls
from celery.worker.strategy import default

from galvo_tasks.guard.consumer import Consumer
from galvo_tasks.guard.guarded import Guarded, _why
from galvo_tasks.request import Request


def names(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_methods_that_are_overridden() -> None:
    assert names(CeleryRequest.on_failure) == names(Guarded.on_failure)
    assert names(CeleryRequest.reject) == names(Guarded.reject) == ["self", "requeue"]
    assert names(CeleryRequest.acknowledge) == names(Guarded.acknowledge) == ["self"]
    for name in ("on_unknown_task", "on_unknown_message", "on_invalid_task", "on_decode_error", "on_close"):
        assert names(getattr(CeleryConsumer, name)) == names(getattr(Consumer, name)), name
    assert names(CeleryConsumer.register_with_event_loop) == ["self", "hub"]
    assert names(CeleryConsumer.create_task_handler) == names(Consumer.create_task_handler) == ["self", "promise"]
    assert names(CeleryConsumer.on_connection_error_after_connected) == ["self", "exc"]


def test_the_class_of_a_task_asks_the_guard() -> None:
    """Celery's own on_success comes before it: it must acknowledge through `self`, and hand failures on."""
    source = inspect.getsource(create_request_cls)
    assert "class Request(base)" in source
    assert "self.acknowledge()" in source
    assert "self.on_failure(retval, return_ok=True)" in source
    assert "self._apply_result = maybe(ref, result)" in source
    order = Request.__mro__
    assert order.index(Guarded) < order.index(CeleryRequest)


@pytest.mark.parametrize("name", ["_on_ack", "_on_reject", "_apply_result", "_already_cancelled", "_already_revoked"])
def test_attributes(name: str) -> None:
    assert hasattr(CeleryRequest, name)


def test_the_strategy() -> None:
    assert names(default)[:3] == ["task", "app", "consumer"]
    source = inspect.getsource(default)
    assert "def task_message_handler(message, body, ack, reject, callbacks" in source
    assert "on_ack=ack, on_reject=reject" in source


def test_what_a_connection_that_is_lost_forgets() -> None:
    """on_close drops what has not begun, and its connection is None then, but not when the worker ends."""
    source = inspect.getsource(CeleryConsumer.on_connection_error_after_connected)
    assert "connection, self.connection = self.connection, None" in source
    assert {"reserved_requests", "requests"} <= set(vars(state))


def test_how_billiard_says_that_a_process_is_lost() -> None:
    from celery.exceptions import WorkerLostError

    said = WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 3.")
    assert _why(said) == "signal 9 (SIGKILL), as when memory runs out"
    assert _why(WorkerLostError("Worker exited prematurely: exitcode 3.")) == "exitcode 3"
    assert _why(SystemExit(3)) == "SystemExit(3)"
