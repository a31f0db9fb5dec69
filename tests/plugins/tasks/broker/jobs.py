"""Tasks of the workers of this folder's tests."""

from __future__ import annotations

import time
from pathlib import Path

from galvo_tasks import celery_app
from tests.plugins.tasks.jobs import note

app = celery_app("test")
app.conf.worker_enable_remote_control = True


@app.task(idempotent=True)
def noted(text: str, seconds: float = 0.0) -> None:
    note(text)
    time.sleep(seconds)


@app.task
def once(text: str, seconds: float = 0.0) -> None:
    noted(text, seconds)


@app.task
def held(text: str) -> None:
    """Runs until there is a file of this name."""
    note(f"begin {text}")
    while not Path(text).exists():
        time.sleep(0.01)
    note(f"end {text}")
