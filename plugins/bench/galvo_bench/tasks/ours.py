"""A worker's application as galvo makes it, with the settings that its folder holds."""

from __future__ import annotations

from pathlib import Path

from galvo_bench.tasks.jobs import jobs_of
from galvo_tasks import celery_app

NAME = Path("name")
"""Of the application, in its folder: queues are called by it."""

if NAME.exists():
    app = celery_app(NAME.read_text())
    jobs_of(app)
