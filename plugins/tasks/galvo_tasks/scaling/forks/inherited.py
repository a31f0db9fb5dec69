"""What a child inherits of a loop whose thread it does not have."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from contextlib import suppress
from typing import Any


def disarm(loop: asyncio.AbstractEventLoop) -> None:
    """Put nothing (/dev/null) in the place of its epoll and of all that it watches: the objects still own the numbers,
    and whatever they do to them now reaches neither the parent's epoll nor its connections.
    """
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        for descriptor in descriptors(loop):
            with suppress(OSError):
                os.dup2(nothing, descriptor, inheritable=False)
    finally:
        os.close(nothing)
    if tracemalloc.is_tracing():
        tracemalloc.stop()  # whoever began it would have ended it, in the parent


def descriptors(loop: Any) -> list[int]:
    """Its epoll's own first. None of a loop that is not asyncio's own."""
    selector = getattr(loop, "_selector", None)
    if selector is None:
        return []
    found = [selector.fileno()] if hasattr(selector, "fileno") else []
    return [*found, *(key.fd for key in selector.get_map().values()), loop._csock.fileno()]
