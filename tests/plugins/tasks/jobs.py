"""Tasks for tests; each worker process imports this module. Helpers: put yours into a module of your own."""

from __future__ import annotations

import os
import time
from pathlib import Path

from galvo_tasks import celery_app

app = celery_app("test")
NOTES = Path("notes")
"""What ran, a line each, in the worker's working directory."""


def note(text: str) -> None:
    """Append a line, at once and whole."""
    with NOTES.open("a") as file:
        os.write(file.fileno(), f"{text}\n".encode())


@app.task
def noted(text: str, seconds: float = 0.0) -> None:
    note(text)
    time.sleep(seconds)
