"""Which Redis keeps the jobs of an application."""

from __future__ import annotations

from typing import Any

from celery import Celery

from galvo_tasks.broker.address import redis_url
from galvo_tasks.jobs.errors import JobProblem
from galvo_tasks.settings import TasksSettings

SCHEMES = ("redis://", "rediss://", "unix://")


def results_url(app: Celery[Any]) -> str:
    """As redis-py wants it. Raises JobProblem."""
    settings: TasksSettings = app.galvo  # type: ignore[attr-defined]  # see configure
    url = settings.results.get_secret_value() or settings.broker.get_secret_value()
    if url == "embedded":
        url = str(app.conf.broker_url or "")
    url = redis_url(url)
    if not url.startswith(SCHEMES):
        raise JobProblem("no Redis for progress and results: set results under [tasks] to a Redis")
    return url
