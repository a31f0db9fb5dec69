"""Give what the allocator holds and nobody uses back to the system.

Measured after eight threads of image work: 166 -> 25 MiB in 33 ms (research, 2b).
"""

from __future__ import annotations

import anyio
import anyio.to_thread

from galvo_memory.allocator import malloc_trim


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
