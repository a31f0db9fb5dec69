"""A worker's application as Celery makes it, with the configuration that its folder holds."""

from __future__ import annotations

import json
from typing import Any

from celery import Celery

from galvo_bench.tasks.jobs import PLAIN, jobs_of


def celery(configuration: dict[str, Any]) -> Celery[Any]:
    made: Celery[Any] = Celery("bench")
    made.conf.update(configuration)
    return made


if PLAIN.exists():
    app = celery(json.loads(PLAIN.read_text()))
    jobs_of(app)
