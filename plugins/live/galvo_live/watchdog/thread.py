"""The thread that looks.

It wakes twice per `watch`, and finds the loop waiting: that is all. Finds it in a callback, it asks the loop to say
that it goes on (`call_soon_threadsafe`); an answer that does not come while the callback stays the same is a block.
A call that keeps Python's lock, a regular expression perhaps, keeps this thread from looking, too: that shows as its
own lateness, less what it waited for a CPU, together with the CPU time of the loop's turn, and Python hands the lock
over right at the end of it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType

import msgspec

from galvo_live.watchdog.clocks import Clocks, Reading, busy, computed, keeping
from galvo_live.watchdog.stack import Call, callback, calls, debugged, importing, turn

log = logging.getLogger("galvo.live")
HUNG = 10.0
"""Seconds after which it is told though it has not ended."""


class Block(msgspec.Struct, frozen=True):
    """A callback that has kept the event loop from everything else."""

    seconds: float
    stack: list[Call]
    importing: bool


class Watchdog:
    """Between `start` and `stop`, which the loop's own thread calls."""

    def __init__(self, watch: float, told: Callable[[Block], None], hung: Callable[[Block], None]) -> None:
        """`watch`: seconds. `told` is called on the loop after a block, `hung` in the thread during a very long one."""
        self._watch = watch
        self._told = told
        self._hung = hung
        self._end = threading.Lock()
        """Held until the end: waiting for it costs half of waiting for an event."""
        self._suspect: _Suspect | None = None

    def start(self) -> None:
        self._end.acquire()
        self._loop = asyncio.get_running_loop()
        self._of = threading.get_ident()
        self._clocks = Clocks()
        self._thread = threading.Thread(target=self._run, name="galvo live watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._end.release()
        self._thread.join(1)
        self._suspect = None
        self._clocks.close()

    @property
    def blocked(self) -> bool:
        """A block is under way, and will be told when it has ended."""
        return self._suspect is not None and bool(self._suspect.stack) and not self._suspect.ended

    def _run(self) -> None:
        own = Clocks()
        tick, before, queued, unread = self._watch / 2, self._clocks.glance(), own.waiting(), 0.0
        due = monotonic() + tick
        try:
            while not self._end.acquire(timeout=max(0.0, due - monotonic())):
                now = self._clocks.glance()
                late = max(0.0, now.wall - due)
                unread += late
                looks = now.cpu != before.cpu or self._suspect is not None  # else it was found waiting, and still does
                if looks or unread * 4 > tick:  # by so much, `locked` may be too little
                    waited = own.waiting()
                    if looks:
                        self._look(before, now, late, late - (waited - queued))
                    queued, unread = waited, 0.0
                before, due = now, now.wall + tick
        except RuntimeError:
            pass  # the loop is closed
        except Exception:
            log.exception("nobody watches the event loop any more")
        finally:
            own.close()

    def _look(self, before: Reading, now: Reading, late: float, locked: float) -> None:
        """`locked`: of the seconds `late`, those in which this thread has not waited for a CPU."""
        frame = sys._current_frames().get(self._of)
        call = callback(frame) if frame is not None else None
        suspect = self._suspect
        if suspect is not None or call is not None:
            now = now._replace(waiting=self._clocks.waiting())
        if suspect is not None and (suspect.ended or call is not suspect.call):
            suspect.over(now)
            suspect = self._suspect = None
        if call is None or frame is None:
            return
        if suspect is None:
            kept = keeping(before, now, locked, turn(frame)) if locked * 2 >= self._watch else now
            held = computed(kept, now) >= self._watch
            suspect = self._suspect = _Suspect(call, kept if held else now)
            suspect.late = late if held else 0.0
            self._loop.call_soon_threadsafe(self._goes_on, suspect)
        else:  # a wait of this thread for a CPU is none of the loop's, whose own are counted
            suspect.late += max(0.0, locked)
        seconds = busy(suspect.since, now, suspect.late)
        if seconds >= self._watch and not suspect.stack and self._certain(suspect):
            suspect.stack = calls(frame)
        if seconds >= HUNG and not suspect.hung and suspect.stack:
            suspect.hung = True
            self._hung(Block(seconds, suspect.stack, importing(suspect.stack)))

    def _certain(self, suspect: _Suspect) -> bool:
        """The system counts what a thread waits for a CPU only once it has got one."""
        runnable = self._clocks.runnable()
        now = self._clocks.read()
        seconds = computed(suspect.since, now) if runnable else busy(suspect.since, now, suspect.late)
        return seconds >= self._watch

    def _goes_on(self, suspect: _Suspect) -> None:
        suspect.ended = True
        suspect.over(self._clocks.read())
        stack = suspect.stack
        if stack and not debugged(stack):
            self._told(Block(suspect.seconds, stack, importing(stack)))
        suspect.stack = []  # it holds on to a plugin


class _Suspect:
    """What the loop was found in."""

    def __init__(self, call: FrameType, since: Reading) -> None:
        self.call: FrameType | None = call
        """Kept, so that no other frame gets its address; let go of as soon as it is over."""
        self.since = since
        self.late = 0.0
        self.stack: list[Call] = []
        """Where it was when it had blocked for too long."""
        self.seconds = 0.0
        self.hung = False
        self.ended = False

    def over(self, now: Reading) -> None:
        if self.call is not None:
            self.call = None
            self.seconds = busy(self.since, now, self.late)
