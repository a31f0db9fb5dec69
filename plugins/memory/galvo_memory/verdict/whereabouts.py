"""Which lines run while RSS grows: what can be known in Python of memory that Python did not allocate.

The event loop's thread is traced line by line, and RSS is read (1.5 us) at each of the program's own lines. That slows
them down 4 to 400 times, so it is done in bursts that take a fifth of the time, and only for native leaks.
"""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
import time
from collections import Counter
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any, NamedTuple

SHARE = 0.2
"""Of the growth, which a line needs to be named."""
BURST, EVERY = 0.01, 0.05
"""Seconds: nothing waits longer than a burst because of it."""
GRACE = 5.0
"""Seconds that the loop may take to say that the last burst is over."""
Rss = Callable[[], int]
Place = tuple[str, int]


class Whereabout(NamedTuple):
    file: str
    line: int
    bytes: int
    """By which RSS grew while the line, or what it called, ran."""
    share: float
    """Of what RSS grew."""

    def __str__(self) -> str:
        return f"{self.share:.0%} of RSS's growth came while {self.file}:{self.line} ran"


class Tracer:
    """A trace function (`sys.settrace`) that charges each line with what RSS gains until the next one.

    Standard library and installed packages are charged to the program's line that called them.
    """

    def __init__(self, rss: Rss) -> None:
        self._rss = rss
        self._last = 0
        self._until = 0.0
        self._at: Place | None = None
        self.gained: Counter[Place] = Counter()
        self.rise = 0
        """Of RSS, while it traced."""
        paths = sysconfig.get_paths()
        self._foreign = (*{f"{paths[name]}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")}, "<", __file__)

    def begin(self) -> bool:
        """In the thread to be traced; after a burst it takes itself off. False: somebody else traces it."""
        if sys.gettrace() is not None:
            return False
        self._at, self._last, self._until = None, self._rss(), monotonic() + BURST
        sys.settrace(self)
        return True

    def end(self) -> None:
        """In the same thread; again is no matter."""
        if sys.gettrace() is self:
            sys.settrace(None)
        if self._until:
            self._charge(None)
        self._until = 0.0

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if monotonic() > self._until:
            self.end()
            return None
        if frame.f_code.co_filename.startswith(self._foreign):
            return None
        self._charge(frame)
        return self._line

    def _line(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Frames keep it, and ask it again in a later burst, or when a debugger begins."""
        if monotonic() > self._until:
            self.end()
            return None
        self._charge(frame.f_back if event == "return" else frame)
        return self._line

    def _charge(self, following: FrameType | None) -> None:
        now = self._rss()
        gained, self._last = now - self._last, now
        self.rise += gained
        if self._at is not None:
            self.gained[self._at] += gained
        while following is not None and following.f_code.co_filename.startswith(self._foreign):
            following = following.f_back
        self._at = None if following is None else (following.f_code.co_filename, following.f_lineno)


def whereabouts(loop: asyncio.AbstractEventLoop, seconds: float, rss: Rss) -> list[Whereabout]:
    """Lines of the loop's thread during which RSS grew, most first; none if a debugger or coverage traces it already.

    Blocks: call it in another thread. It tells who touched new memory first, which need not be who keeps it, and
    charges the loop's thread with what other threads gain meanwhile.
    """
    tracer, ended = Tracer(rss), threading.Event()

    def burst() -> None:
        if tracer.begin():
            loop.call_later(BURST, tracer.end)

    def last() -> None:
        tracer.end()
        ended.set()

    until = monotonic() + seconds
    while monotonic() < until:
        loop.call_soon_threadsafe(burst)
        time.sleep(EVERY)
    loop.call_soon_threadsafe(last)
    ended.wait(GRACE)
    grown = [(place, size) for place, size in tracer.gained.most_common(3) if size > 0 and size >= SHARE * tracer.rise]
    return [Whereabout(*place, size, min(1.0, size / max(tracer.rise, size))) for place, size in grown]
