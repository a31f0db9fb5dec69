"""The same task in a plain Celery application, with Celery's defaults."""

from __future__ import annotations

import os
import time

from celery import Celery

app = Celery("plain", broker=os.environ["BROKER"])
MIB = 1 << 20


@app.task
def image(number: int, mib: int, seconds: float) -> None:
    held = bytearray(os.urandom(4096)) * (mib * MIB // 4096)
    time.sleep(seconds)
    with open("notes", "a") as file:
        file.write(f"image {number} {len(held)}\n")
