"""A short look at where Python allocates what it keeps: tracemalloc for some seconds, one frame deep, then never more.

While it is open, all of the process allocates 5 times slower: that is why it is short, and rare.
"""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple

from galvo.sizes import show
from galvo_memory.errors import MemoryProblem

LONGEST = 60.0
"""Seconds."""
REST = 600.0
"""Seconds between two windows."""
HELD = 4 << 20
"""Bytes that tracemalloc itself may hold, about 65,000 allocations; then the window closes early."""
GLANCE = 0.25
"""Seconds between two looks at that."""
MOST, TRIFLE = 10, 0.01
"""Lines that are told of, and the least that one has to keep of what the first keeps."""
OWN = (tracemalloc.__file__, __file__)


class WindowRefused(MemoryProblem):
    """No window now: somebody else traces, one is open, or the last one was just now."""


class Line(NamedTuple):
    """A line of Python and what it allocated and has not freed."""

    file: str
    line: int
    bytes: int
    """By which it grew within the second half of the window."""
    blocks: int
    """By which they are more."""
    seconds: float
    """Within which it grew so."""

    def __str__(self) -> str:
        blocks = f", {self.blocks:,} blocks of {show(self.bytes / self.blocks)}" if self.blocks > 0 else ""
        return f"{self.file}:{self.line} keeps {show(self.bytes)} more after {self.seconds:.1f} s{blocks}"


Place = tuple[str, int]


class Windows:
    """The process's; one at a time, and not too often."""

    def __init__(self, rest: float = REST) -> None:
        """`rest`: seconds between two."""
        self._rest = rest
        self._open = threading.Lock()
        self._closed: float | None = None

    def look(self, seconds: float = 20.0) -> list[Line]:
        """The lines that grow most, at most 10, most bytes first. Blocks: call it in a thread.

        Raises WindowRefused. The two snapshots stop all threads for about 0.04 s each at the most that is held.
        """
        if not 0 < seconds <= LONGEST:
            raise WindowRefused(f"a window of {seconds:g} s: it has to be more than 0 and at most {LONGEST:g}")
        with self._alone():
            tracemalloc.start(1)
            try:
                _wait(seconds / 2)
                first, began = tracemalloc.take_snapshot(), monotonic()
                _wait(seconds / 2)
                second, ended = tracemalloc.take_snapshot(), monotonic()
            except RuntimeError:
                raise WindowRefused("tracemalloc was stopped by somebody else while the window was open") from None
            finally:
                tracemalloc.stop()
        before, after = _kept(first), _kept(second)
        after[0].subtract(before[0])
        after[1].subtract(before[1])
        most = after[0].most_common(MOST)
        return [Line(*at, size, after[1][at], ended - began) for at, size in most if size > TRIFLE * most[0][1] >= 0]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._open.acquire(blocking=False):
            raise WindowRefused("a window is open already: wait for its answer")
        try:
            if tracemalloc.is_tracing():
                raise WindowRefused("tracemalloc traces already (PYTHONTRACEMALLOC, or start()): ask it, or stop it")
            if self._closed is not None and (left := self._closed + self._rest - monotonic()) > 0:
                raise WindowRefused(f"the last window was just now: the next may open in {left:.0f} s")
            try:
                yield
            finally:
                self._closed = monotonic()
        finally:
            self._open.release()


def _wait(seconds: float) -> None:
    """Less, if tracemalloc gets too large."""
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0 and tracemalloc.get_tracemalloc_memory() < HELD:
        time.sleep(min(GLANCE, left))


def _kept(snapshot: tracemalloc.Snapshot) -> tuple[Counter[Place], Counter[Place]]:
    """Bytes and blocks by line; by hand, as `Snapshot.statistics` takes seconds."""
    sizes: Counter[Place] = Counter()
    counts: Counter[Place] = Counter()
    for trace in snapshot.traces:
        frame = trace.traceback[0]
        if frame.filename not in OWN:
            place = (frame.filename, frame.lineno)
            sizes[place] += trace.size
            counts[place] += 1
    return sizes, counts


process = Windows()


def window(seconds: float = 20.0) -> list[Line]:
    """`Windows.look` of the process's own windows, which are at least 10 minutes apart."""
    return process.look(seconds)
