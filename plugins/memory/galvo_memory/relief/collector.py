"""The garbage collector, out of the way: what lives since the start is frozen, and it runs for more objects at once.

With 1.4 million long-lived objects, pauses fell from 170 to 1.4 ms (research, 2b). That is measured here, too: the
pauses before are compared with those after, and all is as before when they are no better, or when what it has not
collected yet makes memory grow.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable
from time import monotonic
from typing import Literal

from galvo_memory.relief.pauses import ALL, Pauses, Watch

State = Literal["off", "before", "after", "kept", "reverted", "left alone"]
SETTLED = 30.0
"""Seconds until what lives is taken for what lives long."""
ENOUGH = 5
"""Collections that are compared: fewer say nothing, and where there are none there is nothing to gain."""
OBJECTS, RATIO = 50_000, 2
"""Made until the youngest are collected; and how much rarer older ones are, where the collector has generations."""
HARMLESS = 0.005
"""Seconds: a pause that nobody notices is no reason to revert."""
GROWN, SMALL = 1.25, 100_000
"""Blocks of memory: growth by a quarter, and by so many at least (some 10 MiB), is looked into."""
FROZEN = 10_000
"""More objects than CPython freezes by itself (3.12 and later: the immortal ones): the application does it."""


class Collector:
    """`start`, then `look` every few seconds, then `stop`."""

    def __init__(
        self,
        log: logging.Logger,
        *,
        blocks: Callable[[], int] = sys.getallocatedblocks,
        watch: Watch | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._log = log
        self._blocks = blocks
        self._watch = watch or Watch()
        self._clock = clock
        self._began = 0.0
        self._before = Pauses()
        self._original = self._ours = gc.get_threshold()
        self._theirs = False
        """What is frozen is the application's."""
        self._base = 0
        """Blocks when they were last known to be in use."""
        self.state: State = "off"

    @property
    def on(self) -> bool:
        """It runs as set here."""
        return self.state in ("after", "kept")

    def start(self) -> None:
        """Begin to measure how it is without."""
        if not gc.isenabled():
            self.state = "left alone"
            self._log.info("the garbage collector is off (gc.disable), and left as it is")
            return
        self.state = "before"
        self._begin()
        self._watch.start()

    def look(self) -> None:
        """See what has been measured, and go on to what follows."""
        moved = gc.get_threshold() != self._ours
        if self.state == "before":
            if moved:
                self._begin()
            elif self._clock() - self._began >= SETTLED and self._watch.pauses.count >= ENOUGH:
                self._tune()
        elif self.on:
            if moved:
                self._yield()
            else:
                self._judge()

    def collect(self, generation: int = ALL) -> int:
        """`gc.collect`, apart from what is measured; of all generations also what was frozen and has died since."""
        thaws = generation == ALL and self.on and not self._theirs
        if thaws:
            gc.unfreeze()
        found = self._watch.collect(generation)
        if thaws:
            gc.freeze()
        return found

    def stop(self) -> None:
        """All is as it was before."""
        self._watch.stop()
        if self.on:
            self._restore()
        self.state = "off"

    def stats(self) -> dict[str, float]:
        pauses = self._watch.pauses
        return {"gc_tuned": float(self.on), "gc_pauses": pauses.count, "gc_longest": pauses.longest}

    # -- from one state to the next -------------------------------------------------------------------

    def _begin(self) -> None:
        self._ours, self._began = gc.get_threshold(), self._clock()
        self._watch.again()

    def _tune(self) -> None:
        self._original = first, second, third = gc.get_threshold()
        self._before = self._watch.again()
        self._watch.collect()
        self._theirs = gc.get_freeze_count() > FROZEN
        if not self._theirs:
            gc.freeze()
        # An incremental collector (3.14) has no third generation: its second number is another thing.
        older = (second * RATIO, third * RATIO) if third else (second, third)
        gc.set_threshold(max(first, OBJECTS), *older)
        self._ours = gc.get_threshold()
        self._base = self._blocks()
        self.state = "after"
        self._log.debug(
            "garbage collector: %d objects are frozen, and it runs after %d, not %d",
            gc.get_freeze_count(), self._ours[0], first,
        )  # fmt: skip

    def _judge(self) -> None:
        if self._grown():
            return
        after, before = self._watch.pauses, self._before
        if self.state == "kept" or after.count < ENOUGH:
            return
        better = after.per_object < before.per_object and after.longest <= max(before.longest, HARMLESS)
        verdict = (
            f"pauses take {after.per_object * 1e9:.0f} ns for each object, {before.per_object * 1e9:.0f} before, "
            f"and {after.longest * 1000:.1f} ms at most, {before.longest * 1000:.1f} before"
        )
        if not better:
            self._revert(verdict)
            return
        self.state = "kept"
        self._log.info("garbage collector: it stays tuned, as %s", verdict)

    def _grown(self) -> bool:
        """Whether memory grew for want of collections: a full one tells."""
        blocks = self._blocks()
        if blocks < self._base * GROWN or blocks < self._base + SMALL:
            return False
        self.collect()
        left = self._blocks()
        garbage = blocks - left
        if garbage * 2 < blocks - self._base:
            self._base = left  # it is in use
            return False
        self._revert(f"{garbage:,} of {blocks:,} blocks of memory were garbage that it had not collected yet")
        return True

    def _revert(self, why: str) -> None:
        self._restore()
        self._watch.stop()
        self.state = "reverted"
        self._log.warning("garbage collector: all is as it was before (%s)", why)

    def _restore(self) -> None:
        if not self._theirs:
            gc.unfreeze()
        gc.set_threshold(*self._original)

    def _yield(self) -> None:
        """Somebody else has set the thresholds: theirs hold."""
        if not self._theirs:
            gc.unfreeze()
        self._watch.stop()
        self.state = "left alone"
        self._log.info("garbage collector: somebody set its thresholds to %s, and they are left so", gc.get_threshold())
