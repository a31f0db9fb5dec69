"""Tasks that take memory and time."""

from __future__ import annotations

import os
import time

from galvo_tasks import celery_app
from galvo_tasks.scaling import autoscaler
from tests.plugins.tasks.jobs import note

app = celery_app("scaled")
MIB = 1 << 20
autoscaler.IDLE = 0.5  # 30 s would be long for a test


@app.task(runtime="quick")
def process() -> None:
    """Notes in which process it ran."""
    note(f"process {os.getpid()}")


@app.task(runtime="image", idempotent=True)
def image(number: int, mib: int, seconds: float) -> None:
    """Holds so much memory for so long."""
    held = bytearray(os.urandom(4096)) * (mib * MIB // 4096)
    time.sleep(seconds)
    note(f"image {number} {len(held)}")


@app.task(runtime="quick")
def short(number: int, seconds: float) -> None:
    time.sleep(seconds)
    note(f"short {number}")
