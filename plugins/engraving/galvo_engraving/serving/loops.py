"""The event loop under the server."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, on uvloop where it is installed: it writes an answer's head and body at once, for less CPU."""
    with asyncio.Runner(loop_factory=fastest()) as runner:
        return runner.run(main)


def fastest() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """None: asyncio's own."""
    try:
        found: Any = importlib.import_module("uvloop")
    except ImportError:  # Windows, PyPy
        return None
    new: Callable[[], asyncio.AbstractEventLoop] = found.new_event_loop
    return new
