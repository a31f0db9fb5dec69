"""Which lines run while RSS grows: what can be known in Python of memory that Python did not allocate.

The event loop's thread is traced line by line for a second or two, and RSS is read (1.5 us) at each of the program's
own lines. That slows them down tenfold and more, so it is short, and only for native leaks.
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
GRACE = 5.0
"""Seconds that the loop may take to notice that it is to be traced, or no longer."""
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

    def __init__(self, rss: Rss, until: float) -> None:
        """`until`: of the monotonic clock; after that it takes itself off."""
        self._rss = rss
        self._until = until
        self._last = rss()
        self._at: Place | None = None
        self.ended = False
        """Frames keep their trace function, and ask it again if a debugger begins later."""
        self.gained: Counter[Place] = Counter()
        paths = sysconfig.get_paths()
        self._foreign = (*{f"{paths[name]}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")}, "<", __file__)

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if monotonic() > self._until:
            self.end()
        if self.ended or frame.f_code.co_filename.startswith(self._foreign):
            return None
        self._charge(frame)
        return self._line

    def _line(self, frame: FrameType, event: str, arg: Any) -> Any:
        if self.ended:
            return None
        self._charge(frame.f_back if event == "return" else frame)
        return self._line

    def end(self) -> None:
        """In the thread that is traced."""
        self.ended = True
        if sys.gettrace() is self:
            sys.settrace(None)

    def _charge(self, following: FrameType | None) -> None:
        now = self._rss()
        if self._at is not None:
            self.gained[self._at] += now - self._last
        self._last = now
        while following is not None and following.f_code.co_filename.startswith(self._foreign):
            following = following.f_back
        self._at = None if following is None else (following.f_code.co_filename, following.f_lineno)


def whereabouts(loop: asyncio.AbstractEventLoop, seconds: float, rss: Rss) -> list[Whereabout]:
    """Lines of the loop's thread during which RSS grew, most first; none if a debugger or coverage traces it already.

    Blocks: call it in another thread. It tells who touched new memory first, which need not be who keeps it, and
    charges the loop's thread with what other threads gain meanwhile.
    """
    begun, ended = threading.Event(), threading.Event()
    tracer = Tracer(rss, monotonic() + seconds + GRACE)

    def begin() -> None:
        if sys.gettrace() is None:
            sys.settrace(tracer)
        begun.set()

    def end() -> None:
        tracer.end()
        ended.set()

    before = rss()
    loop.call_soon_threadsafe(begin)
    if begun.wait(GRACE):
        time.sleep(seconds)
    loop.call_soon_threadsafe(end)
    ended.wait(GRACE)
    rise = rss() - before
    grown = [(place, size) for place, size in tracer.gained.most_common(3) if size > 0 and size >= SHARE * rise]
    return [Whereabout(*place, size, min(1.0, size / max(rise, size))) for place, size in grown]
