"""The tasks that are run; they leave their notes in the worker's folder."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec
from celery import Celery, signals

READY, BEGUN, DONE, PLAIN = Path("ready"), Path("begun"), Path("done"), Path("celery.json")


class Jobs(msgspec.Struct, frozen=True):
    """One application's own."""

    app: Any
    timed: Any
    """Notes its kind and when it began, then takes that many seconds."""
    nothing: Any
    awaited: Any
    """Nothing, as a coroutine: for applications of galvo only."""
    kept: Any
    """Nothing, its result kept, where the broker is a Redis."""
    last: Any
    """Says that all before it are done."""


def jobs_of(app: Celery[Any]) -> Jobs:
    """Tasks for the application of a worker, or for that of who publishes to it."""

    @app.task(name="bench.timed", shared=False)
    def timed(kind: str, seconds: float) -> None:
        with BEGUN.open("a") as file:
            os.write(file.fileno(), f"{kind} {time.monotonic()}\n".encode())
        time.sleep(seconds)

    @app.task(name="bench.nothing", shared=False)
    def nothing() -> None:
        pass

    async def awaited() -> None:
        pass

    @app.task(name="bench.kept", shared=False, keep_result=not str(app.conf.broker_url).startswith("amqp"))
    def kept() -> int:
        return 1

    @app.task(name="bench.last", shared=False)
    def last() -> None:
        DONE.touch()

    return Jobs(app, timed, nothing, app.task(name="bench.awaited", shared=False)(awaited), kept, last)


@signals.worker_ready.connect
def _ready(**_: object) -> None:
    READY.touch()
