"""What malloc says it holds while RSS grows (`allocator.heap`); without glibc 2.33 nobody knows.

Python's small objects are not in it: pymalloc maps its arenas itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from galvo.sizes import show
from galvo_memory.allocator import Heap
from galvo_memory.verdict.growth import Growth

FREED = 0.5
"""Share of the growth that malloc has to hold as free for it to be fragmentation, or as used for it to be malloc's."""
IDLE_SHARE, IDLE_BYTES = 0.2, 16 << 20
"""Free memory that is worth a word when RSS does not grow: of RSS, and bytes."""
LOOKS = 20


class Kept(NamedTuple):
    freed: bool
    """What RSS gained is mostly free memory of malloc's."""
    sentence: str


class Looks:
    """At the heap while RSS grows: which part of it grew along. At most 20 are kept."""

    def __init__(self, heap: Callable[[], Heap | None]) -> None:
        self._heap = heap
        self._looks: deque[tuple[float, Heap]] = deque(maxlen=LOOKS)

    def add(self, at: float) -> None:
        seen = self._heap()
        if seen is not None:
            self._looks.append((at, seen))

    def clear(self) -> None:
        self._looks.clear()

    def idle(self, rss: int) -> int:
        """Bytes that malloc holds as free, if they are worth a word, else 0."""
        seen = self._heap()
        return seen.free if seen is not None and seen.free >= max(IDLE_SHARE * rss, IDLE_BYTES) else 0

    def kept(self, growth: Growth) -> Kept:
        """Where `growth` of RSS is, in bytes per second."""
        if not self._looks:
            return Kept(False, "whether malloc holds freed memory cannot be told without glibc's mallinfo2")
        (began, first), (ended, last) = self._looks[0], self._looks[-1]
        rise = growth.slope * (ended - began)
        if ended - began < growth.seconds / 4:  # one look tells less: malloc reuses what is free before it grows
            if last.free >= FREED * growth.rise:
                return Kept(True, f"malloc holds {show(last.free)} that were freed; malloc_trim may return them")
            return Kept(False, f"malloc holds only {show(last.free)} that were freed")
        if last.free - first.free >= FREED * rise:
            grew = f"grew by {show(last.free - first.free)} in {(ended - began) / 60:.0f} minutes"
            return Kept(True, f"what was freed and malloc still holds {grew}; malloc_trim may return it")
        if last.used - first.used >= FREED * rise:
            grew = f"grew by {show(last.used - first.used)} in {(ended - began) / 60:.0f} minutes"
            return Kept(False, f"what is in use of malloc {grew}: buffers of extension modules or of Python's own")
        return Kept(
            False, "what malloc holds does not: it was mapped past it (mmap, stacks, half empty arenas of Python)"
        )
