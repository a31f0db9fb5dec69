from __future__ import annotations

from typing import Any

import pytest
from celery.concurrency.base import BasePool
from celery.concurrency.prefork import TaskPool as Processes
from celery.concurrency.thread import TaskPool as Threads
from kombu import Message

from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.request import Request
from galvo_tasks.running.limits import GRACE, Limits, limits_of

CLASSES = {"quick": {"time_limit": 7}}


@pytest.fixture
def app() -> Any:
    return celery_app("limits", TasksSettings.model_validate({"broker": "redis://127.0.0.1:1", "classes": CLASSES}))


def asked(app: Any, task: Any, said: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """What Celery's pool is told for a message that says this."""
    message = Message(
        body="[[], {}, {}]", headers={"id": "1", "task": task.name, "timelimit": said},
        content_type="application/json", content_encoding="utf-8", accept=["application/json"],
    )  # fmt: skip
    return Request(message, app=app, task=task).time_limits


@pytest.mark.parametrize(
    "said, wanted",
    [
        ((None, None), Limits(7)), ((3, None), Limits(3)), ((None, 2), Limits(7, 2)), ((3, 2), Limits(3, 2)),
        ((3, 4), Limits(3)), (None, Limits(7)),
    ],
)  # fmt: skip
def test_what_was_asked_for_goes_before_the_class(app: Any, said: Any, wanted: Limits) -> None:
    assert limits_of(app.task(name="plain")(_nothing), said) == wanted


def test_the_task_goes_before_the_class_and_a_soft_limit_alone_has_an_end(app: Any) -> None:
    assert limits_of(app.task(name="own", time_limit=5, soft_time_limit=4)(_nothing), None) == Limits(5, 4)
    unknown = app.task(name="unknown", runtime="elsewhere", soft_time_limit=4)(_nothing)
    assert limits_of(unknown, None) == Limits(4 + GRACE, 4)


def test_the_pool_kills_a_coroutine_only_when_it_has_not_cleaned_up(app: Any) -> None:
    assert asked(app, app.task(name="plain")(_nothing), (3, 2)) == (3, 2)
    assert asked(app, app.task(name="coroutine")(_coroutine), (3, 2)) == (3 + GRACE, 3 + GRACE)
    assert asked(app, app.task(name="coroutine")(_coroutine), (None, None)) == (7 + GRACE, None)


def test_celerys_pools_still_tell_whether_they_have_processes() -> None:
    assert (BasePool.uses_semaphore, Threads.uses_semaphore, Processes.uses_semaphore) == (False, False, True)


def _nothing() -> None: ...


async def _coroutine() -> None: ...
