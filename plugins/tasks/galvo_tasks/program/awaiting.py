"""A worker that is started before its broker."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from galvo_tasks.config.server import Server, server
from galvo_tasks.errors import NoBroker
from galvo_tasks.program.shown import say

FIRST, LONGEST = 0.5, 5.0
"""Seconds between two tries."""
AGAIN = 60.0
"""Seconds after which it is said once more."""


def awaited(url: str, *, patient: bool) -> Server:
    """What the broker's server says of itself, as soon as it is there.

    Raises NoBroker unless it is `patient`.
    """
    pause, told, begun = FIRST, 0.0, time.monotonic()
    while True:
        try:
            found = server(url)
        except NoBroker as error:
            if not patient:
                raise
            if not told or time.monotonic() - told >= AGAIN:
                told = time.monotonic()
                say(f"{error}; waits for it")
        else:
            if told:
                say(f"the broker is there, after {time.monotonic() - begun:.0f} s")
            return found
        time.sleep(pause)
        pause = min(LONGEST, pause * 1.5)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Before a worker has handlers of its own, SIGTERM is Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
