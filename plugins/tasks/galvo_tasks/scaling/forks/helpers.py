"""The threads that do a loop's blocking work: asyncio's and anyio's."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType
from typing import Any

ANYIO = "AnyIO worker thread"


class Counted(ThreadPoolExecutor):
    """Knows whether it has work."""

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="governor")
        self._count = threading.Lock()
        self.busy = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        with self._count:
            self.busy += 1
        try:
            future = super().submit(fn, *args, **kwargs)
        except BaseException:
            self._ended()
            raise
        future.add_done_callback(self._ended)
        return future

    def _ended(self, _: object = None) -> None:
        with self._count:
            self.busy -= 1


def anyio_works() -> bool:
    """One of anyio's threads does something other than wait for work."""
    frames = sys._current_frames()
    return any(_works(thread, frames) for thread in threading.enumerate() if thread.name == ANYIO)


def _works(thread: threading.Thread, frames: dict[int, FrameType]) -> bool:
    frame = frames.get(thread.ident or 0)
    if frame is None:
        return False
    if (queue := getattr(thread, "queue", None)) is None or queue.qsize():
        return True
    while frame.f_back is not None and frame.f_code.co_filename == threading.__file__:
        frame = frame.f_back
    return frame.f_code.co_name != "get" or frame.f_locals.get("self") is not queue
