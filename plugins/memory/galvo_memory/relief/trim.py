"""Give what the allocator holds and nobody uses back to the system: `malloc_trim`, which only glibc has.

Measured after eight threads of image work: 166 -> 25 MiB in 33 ms (research, 2b).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import anyio
import anyio.to_thread


@cache
def malloc_trim() -> Callable[[int], int] | None:
    """glibc's own, or None under another libc. It locks one arena after the other, and not the interpreter."""
    try:
        found = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    found.argtypes, found.restype = (ctypes.c_size_t,), ctypes.c_int
    return found  # type: ignore[no-any-return]  # ctypes does not tell


async def trim() -> bool:
    """In a thread, so that the event loop goes on; False where there is nothing to call."""
    call = malloc_trim()
    if call is None:
        return False
    try:
        await anyio.to_thread.run_sync(call, 0)
    except (RuntimeError, MemoryError):  # there is not even room for a thread's stack: that is when it matters most
        call(0)
    return True
