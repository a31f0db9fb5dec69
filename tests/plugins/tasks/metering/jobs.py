"""Tasks that end in each way; the worker's main process notes what it records."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from celery.exceptions import Ignore, Reject
from celery.signals import worker_process_init, worker_ready

from galvo import Metric
from galvo_tasks import celery_app
from galvo_tasks.jobs.errors import Stopped
from galvo_tasks.metering import recorder
from galvo_tasks.running.retries import Backoff
from tests.plugins.tasks.jobs import note

app = celery_app("test")


def _note(metric: Metric, value: float) -> None:
    words = [metric.name, *(f"{name}={text.rpartition('.')[2]}" for name, text in metric.attributes)]
    note(f"{' '.join(words)} {value:.3f}")


@worker_ready.connect
def _listen(**_: Any) -> None:
    """In the place of the governor."""
    recorder.send_to(_note)


@worker_process_init.connect
def _child(**_: Any) -> None:
    recorder.record(Metric("never told, as it is a child's"))


@app.task
def works(seconds: float = 0.0) -> None:
    time.sleep(seconds)


@app.task
async def overlong() -> None:
    time.sleep(60)  # noqa: ASYNC251


@app.task
def ends(how: str) -> None:
    match how:
        case "ignore":
            raise Ignore
        case "reject":
            raise Reject("no use")
        case "stopped":
            raise Stopped("somebody cancelled it")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
    raise type(how, (Exception,), {})("of a class that nobody can import")


@app.task(backoff=Backoff(0.05, floor=0.02))
def again() -> None:
    if again.request.retries == 0:
        raise OSError("once")
