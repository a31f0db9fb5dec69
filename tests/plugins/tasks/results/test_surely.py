"""How long a task may take to tell its end."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery

from galvo_tasks.jobs import surely as module
from galvo_tasks.jobs.surely import PATIENCE, Surely
from tests.plugins.tasks.results.asking import Asking

pytestmark = pytest.mark.anyio


def _nothing() -> None: ...


def times(app: Celery[Any], **options: Any) -> Surely:
    task: Any = app.task(name=f"tests.{options}", shared=False, **options)(_nothing)
    return Surely(task)


async def test_it_is_less_than_what_is_left_of_the_next_limit(idle: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "monotonic", lambda: 0.0)
    hard, both, long = (
        times(idle.app, **limits)
        for limits in ({"time_limit": 20}, {"time_limit": 20, "soft_time_limit": 15}, {"time_limit": 500})
    )
    assert (hard.left, both.left, long.left) == (19, 14, PATIENCE)
    monkeypatch.setattr(module, "monotonic", lambda: 16.0)  # the soft limit has passed: it cleans up
    assert (hard.left, both.left, long.left) == (3, 3, PATIENCE)
    monkeypatch.setattr(module, "monotonic", lambda: 19.5)
    assert hard.left == 0
