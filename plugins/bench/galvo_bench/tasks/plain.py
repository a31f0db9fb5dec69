"""A worker's application as Celery makes it, with the configuration that its folder holds."""

from __future__ import annotations

import json
from typing import Any

from celery import Celery

from galvo_bench.tasks.jobs import PLAIN, jobs_of

SCHEME = "galvo"
"""Of galvo's transport for Redis."""


def celery(configuration: dict[str, Any]) -> Celery[Any]:
    if str(configuration["broker_url"]).startswith(SCHEME):
        from galvo_tasks.broker.transport import register  # not what workers without it should have to bear

        register()
    made: Celery[Any] = Celery("bench")
    made.conf.update(configuration)
    return made


if PLAIN.exists():
    app = celery(json.loads(PLAIN.read_text()))
    jobs_of(app)
