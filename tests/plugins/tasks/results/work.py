"""Tasks whose results are waited for; each worker process imports this module."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from galvo_tasks import celery_app
from galvo_tasks.jobs import progress, watch
from tests.plugins.tasks.jobs import note
from tests.plugins.tasks.results.asking import KEPT

app = celery_app("test")
watch.LOOK = 1000.0  # workers are told whom to cancel: they do not look by themselves here
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]
VALUES: dict[str, Any] = KEPT | {"bytes": b"", "set": {1}, "nan": float("nan"), "large": "x" * 3000, "deep": DEEP}


@app.task(keep_result=True)
def counted(steps: int, gate: str = "") -> int:
    """Tells each step; waits between them until the file `gate` is there."""
    note(f"begin {steps}")
    for step in range(steps):
        progress(step, steps, f"step {step}")
        while gate and not Path(gate).exists():
            progress(step, steps, f"step {step}")
            time.sleep(0.01)
    progress(steps, steps, "all")
    return steps


@app.task(keep_result=True)
def value(name: str) -> Any:
    return VALUES[name]


@app.task(keep_result=True)
def broken() -> None:
    progress(1, 2)
    raise LookupError("nothing\nthere")


@app.task(keep_result=True)
def wrong(steps: int, gate: str) -> None:
    counted.run(steps, gate)
    raise LookupError("wrong")


@app.task(keep_result=True)
def wrapped() -> None:
    """Makes a failure of its own cancellation."""
    note("begin wrapped")
    try:
        while True:
            progress(0)
            time.sleep(0.01)
    finally:
        raise ValueError("cleaned up badly")


@app.task(keep_result=True, cancel_grace=0.2)
def deaf() -> None:
    note("begin deaf")
    time.sleep(60)


@app.task(keep_result=True)
async def awaited(steps: int) -> int:
    """Tells each step; notes that it was cancelled. Without steps it waits for ever."""
    for step in range(steps):
        progress(step + 1, steps, "coroutine")
        await asyncio.sleep(0)
    note("begin awaited")
    try:
        await asyncio.sleep(0 if steps else 60)
    except asyncio.CancelledError:
        note("cancelled inside")
        raise
    return steps


@app.task(keep_result=True, cancel_grace=0.2)
async def stubborn() -> None:
    note("begin stubborn")
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


@app.task(keep_result=True, time_limit=1)
def slow() -> None:
    time.sleep(60)


@app.task(keep_result=True, bind=True, max_retries=5)
def again(self: Any, countdown: float) -> int:
    note(f"try {self.request.retries}")
    if self.request.retries == 0:
        raise self.retry(countdown=countdown)
    return int(self.request.retries)
