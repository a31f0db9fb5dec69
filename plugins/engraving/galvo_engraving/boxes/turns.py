"""Who draws, and when: small drawings in a thread, one by one; large ones in a child process, so that nobody waits.

Drawing is plain Python, which holds the interpreter's lock: in a thread, a large one would slow down everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from galvo_engraving.boxes.panel import POINTS, TooFine
from galvo_engraving.problems import Busy
from galvo_memory.budgets import WorkerDied, run_limited

T = TypeVar("T")
SMALL = 4_000
"""Points up to which it is drawn here: hundredths of a second, and nine of ten drawings."""
SMALL_ONES, LARGE_ONES = 200, 8
"""That may wait for their turn."""
BYTES = 256 << 20
"""For one large drawing, far more than POINTS need."""
SECONDS = 20

_here: RunVar[anyio.CapacityLimiter] = RunVar("galvo_engraving_small_drawings")
_beside: RunVar[anyio.CapacityLimiter] = RunVar("galvo_engraving_large_drawings")


async def drawn(draw: Callable[..., T], *args: Any, **options: Any) -> T:
    """`draw(*args, **options, points=...)`: a function of a module, with plain arguments. Raises what it does, Busy."""
    small = _free(_here, SMALL_ONES)
    try:
        return await anyio.to_thread.run_sync(partial(draw, *args, **options, points=SMALL), limiter=small)
    except TooFine:
        pass
    async with _free(_beside, LARGE_ONES):
        try:
            return await run_limited(partial(draw, *args, **options, points=POINTS), max_bytes=BYTES, timeout=SECONDS)
        except (MemoryError, TimeoutError, WorkerDied):
            raise _busy() from None


def _free(turns: RunVar[anyio.CapacityLimiter], most: int) -> anyio.CapacityLimiter:
    """Of this event loop. Raises Busy."""
    found = turns.get(None)
    if found is None:
        found = anyio.CapacityLimiter(1)
        turns.set(found)
    if found.statistics().tasks_waiting >= most:
        raise _busy()
    return found


def _busy() -> Busy:
    return Busy("too many drawings are being made: ask again in a few seconds", 2)
