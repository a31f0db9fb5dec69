"""Where the values go: to the kernel of the worker's main process, once it is there."""

from __future__ import annotations

import os
from collections.abc import Callable

from galvo import Metric

Sink = Callable[[Metric, float], None]


class _Recorder:
    """This process's."""

    sink: Sink | None = None


def record(metric: Metric, value: float = 1) -> None:
    """From any thread; nowhere, while nobody listens."""
    if (sink := _Recorder.sink) is not None:
        sink(metric, value)


def send_to(sink: Sink | None) -> None:
    """`sink` gets all values from now on, in the thread of whoever records them; None: nobody does."""
    _Recorder.sink = sink


def _forget() -> None:
    _Recorder.sink = None  # its kernel lives in the parent


os.register_at_fork(after_in_child=_forget)
