"""Tasks of two classes; each worker process imports this module."""

from __future__ import annotations

import signal
import threading
import time

from galvo_tasks import celery_app
from tests.plugins.tasks.jobs import note

app = celery_app("test")


@app.task
def slow(text: str, seconds: float) -> None:
    note(f"{text} begins")
    try:
        time.sleep(seconds)
    finally:
        note(f"{text} ends")


@app.task(runtime="bulk", idempotent=True)
def long(seconds: float) -> None:
    note("long begins")
    time.sleep(seconds)
    note("long ends")


@app.task(runtime="laser")
def threaded(seconds: float = 0.0) -> None:
    note(threading.current_thread().name)
    time.sleep(seconds)


@app.task
def stubborn(seconds: float) -> None:
    """Takes no SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("stubborn begins")
    time.sleep(seconds)


@app.task
def handed() -> None:
    note("handed")


@app.task(keep_result=True)
def handing_on() -> None:
    handed.delay()
