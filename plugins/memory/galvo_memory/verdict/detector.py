"""From samples to a verdict: does it leak, which kind, how fast, when is memory at its limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from galvo.sizes import show
from galvo_memory import allocator
from galvo_memory.allocator import Heap
from galvo_memory.verdict.growth import AGAIN, CHANCE, Growth, growth, material
from galvo_memory.verdict.heap import Looks
from galvo_memory.verdict.marks import FIRST, Marks, Stretch

Kind = Literal["none", "python", "native", "fragmentation"]
BLOCK = 512
"""Bytes of pymalloc's largest blocks; larger objects are malloc's, and are not counted as blocks."""
STAYS = 10
"""Judgements in a row that have to find nothing for a verdict to be taken back: 5 minutes."""
FELL, STAYED = 0.8, 0.95
"""Of their highest marks: blocks have fallen below, RSS has not."""


class Sampled(Protocol):
    """What is needed of a sample, in bytes and seconds; `blocks` 0: not known; `used` counts against `limit`."""

    @property
    def rss(self) -> int: ...
    @property
    def blocks(self) -> int: ...
    @property
    def limit(self) -> int | None: ...
    @property
    def used(self) -> int: ...
    @property
    def at(self) -> float: ...


class Verdict(NamedTuple):
    kind: Kind
    slope_bytes_per_hour: float
    confidence: float
    """1 less the chance that memory which wanders at random would have drifted so far; 0 for "none"."""
    evidence: str
    """One sentence for people."""
    seconds_to_limit: float | None = None
    """If it grows on like that; None: it does not grow, or there is no limit."""


class Detector:
    """Judges every half minute, from 15 minutes on. Holds 80 marks each of RSS and of blocks."""

    def __init__(self, interval: float = 5.0, heap: Callable[[], Heap | None] = allocator.heap) -> None:
        """`interval`: seconds between two samples. `heap` tells what malloc holds, if it does."""
        self._rss, self._blocks = Marks(interval), Marks(interval)
        self._looks = Looks(heap)
        self._verdict = Verdict("none", 0.0, 0.0, "It is too early to tell: a verdict needs 15 minutes.")
        self._stays = 0
        """Judgements that may still find nothing."""

    def add(self, sample: Sampled) -> bool:
        """True: the verdict is of another kind than before."""
        complete = self._rss.add(sample.at, sample.rss)
        self._blocks.add(sample.at, sample.blocks)
        if not complete:
            return False
        before, found = self._verdict, self._judge(sample)
        self._stays = STAYS if found.kind != "none" else max(0, self._stays - 1)
        if found.kind != "none" or not self._stays:
            self._verdict = found
        return self._verdict.kind != before.kind

    def verdict(self) -> Verdict:
        return self._verdict

    def _judge(self, sample: Sampled) -> Verdict:
        rss = [*self._rss.stretches()]
        rising = material(rss[0].times, rss[0].marks)
        if rising:
            self._looks.add(sample.at)
        else:
            self._looks.clear()
        if len(self._rss) < FIRST:
            return self._verdict
        chance = CHANCE if len(self._rss) == FIRST else AGAIN
        blocks = [*self._blocks.stretches()]
        objects = growth(blocks, chance) if rising else None
        if objects:
            return _growing("python", rising, objects, sample, _python(objects, rising))
        found = growth(rss, chance) if rising else None
        if found:
            kept = self._looks.kept(found)
            why = f"allocated blocks {'do not' if sample.blocks else 'are not known'}; {kept.sentence}"
            return _growing("fragmentation" if kept.freed else "native", found.slope, found, sample, why)
        return self._idle(sample, rss[0], blocks[0])

    def _idle(self, sample: Sampled, rss: Stretch, blocks: Stretch) -> Verdict:
        """Not growing; but what Python freed may still be held."""
        fell = 0 < blocks.marks[-1] <= FELL * max(self._blocks.marks)
        if fell and rss.marks[-1] >= STAYED * max(self._rss.marks) and (free := self._looks.idle(sample.rss)):
            gone = 1 - blocks.marks[-1] / max(self._blocks.marks)
            return Verdict(
                "fragmentation", 0.0, 1.0,
                f"Allocated blocks fell by {gone:.0%}, RSS stays at {show(sample.rss)}: malloc holds {show(free)} that "
                "were freed; malloc_trim may return them.",
            )  # fmt: skip
        return Verdict("none", 0.0, 0.0, "Low-water marks do not grow as a leak's do.")


def _python(objects: Growth, slope: float) -> str:
    each = slope / objects.slope
    larger = "" if each <= BLOCK else f", {show(each)} each, so they hold larger buffers than pymalloc's"
    return f"so do allocated blocks, by {objects.slope * 3600:,.0f} an hour{larger}"


def _growing(kind: Kind, slope: float, found: Growth, sample: Sampled, why: str) -> Verdict:
    left = None if sample.limit is None else max(0.0, (sample.limit - sample.used) / slope)
    until = "" if left is None else f" The limit of {show(sample.limit or 0)} is reached in {_duration(left)}."
    evidence = (
        f"RSS's low-water marks rise by {show(slope * 3600)} an hour, {(1 + found.tau) / 2:.0%} of all pairs of marks "
        f"over {found.seconds / 60:.0f} minutes rise, and {why}.{until}"
    )
    return Verdict(kind, slope * 3600, 1 - found.chance, evidence, left)


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"
