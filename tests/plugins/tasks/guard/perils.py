"""Tasks that end badly; each worker process of these tests imports this module."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from celery.exceptions import Reject

from galvo_tasks import celery_app
from tests.plugins.tasks.jobs import note

app = celery_app("perils")


@app.task
def once(name: str) -> None:
    _held(name)


@app.task(idempotent=True)
def twice(name: str) -> None:
    _held(name)


@app.task
def brief_once(name: str) -> None:
    _brief(name)


@app.task(idempotent=True)
def brief_twice(name: str) -> None:
    _brief(name)


def _brief(name: str) -> None:
    note(f"begin {name}")
    time.sleep(0.02)
    note(f"end {name}")


def _held(name: str) -> None:
    """Ends once the file `name`.go is there."""
    note(f"begin {name}")
    while not os.path.exists(f"{name}.go"):
        time.sleep(0.01)
    note(f"end {name}")


@app.task
def deadly(name: str) -> None:
    note(f"begin {name}")
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(idempotent=True)
def poison(name: str) -> None:
    note(f"begin {name}")
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(idempotent=True)
def unlucky(name: str) -> None:
    """Its first process is killed."""
    note(f"begin {name}")
    if not os.path.exists(f"{name}.killed"):
        os.close(os.open(f"{name}.killed", os.O_CREAT))
        os.kill(os.getpid(), signal.SIGKILL)
    note(f"end {name}")


@app.task
def greedy(name: str) -> None:
    note(f"begin {name}")
    raise MemoryError


@app.task(dead_on_failure=True)
def faulty(name: str) -> None:
    note(f"begin {name}")
    raise ValueError(f"no {name}")


@app.task(bind=True, max_retries=1, default_retry_delay=0, dead_on_failure=True)
def stubborn(self: Any, name: str) -> None:
    note(f"begin {name}")
    raise self.retry(exc=KeyError(name))


@app.task
def refused(name: str) -> None:
    note(f"begin {name}")
    raise Reject("not for me", requeue=False)


@app.task
def not_now(name: str) -> None:
    """Sends itself back once."""
    note(f"begin {name}")
    if not os.path.exists(f"{name}.sent"):
        os.close(os.open(f"{name}.sent", os.O_CREAT))
        raise Reject("later", requeue=True)
    note(f"end {name}")


@app.task
def opaque(name: str) -> object:
    """Its result cannot be told to what follows it."""
    note(f"begin {name}")
    return object()
