"""What is overridden or set of Celery's and billiard's, and is not public: an upgrade that changes it fails here."""

from __future__ import annotations

import inspect

from billiard import pool as billiard
from celery.apps.worker import Worker as CeleryWorker
from celery.worker import state
from celery.worker.consumer import consumer
from celery.worker.worker import WorkController

from galvo_tasks.program.worker import Worker


def words(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)


def test_the_worker() -> None:
    for name in ("emit_banner", "install_platform_tweaks", "set_process_status", "on_before_init", "on_init_blueprint"):
        theirs, ours = words(getattr(CeleryWorker, name)), words(getattr(Worker, name))
        assert [word for word in theirs if word != "kwargs"] == [word for word in ours if word != "options"]
    assert words(WorkController.register_with_event_loop) == words(Worker.register_with_event_loop)


def test_the_end() -> None:
    assert (state.should_stop, state.should_terminate) == (None, None)
    assert words(consumer.Consumer.cancel_active_requests) == ["self"]
    assert WorkController.exitcode is None


def test_the_texts_of_the_log() -> None:
    assert consumer.CONNECTION_ERROR.count("%s") == 3
    assert "re-establish" in consumer.CONNECTION_RETRY
    assert "CONNECTION_ERROR, conn.as_uri(), exc, next_step" in inspect.getsource(consumer.Consumer.ensure_connected)
    assert "warn('%s (%r)', CONNECTION_RETRY, exc)" in inspect.getsource(
        consumer.Consumer.on_connection_error_after_connected
    )


def test_what_a_process_waits_for_at_its_end() -> None:
    assert isinstance(billiard.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT, int)
    assert billiard.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_INTERVAL == 0.1
    source = inspect.getsource(billiard.Worker._ensure_messages_consumed)
    assert "range(GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT)" in source
