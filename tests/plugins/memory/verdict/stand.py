"""Samples of made-up memory, and what the detector says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from galvo_memory.allocator import Heap
from galvo_memory.verdict import Detector

MIB = 1 << 20
BLOCKS = 1_000_000
PER_MIB = 5000
"""Blocks."""


@dataclass
class Sample:
    rss: int
    blocks: int
    at: float
    limit: int | None = None

    @property
    def used(self) -> int:
        return self.rss


def unknown() -> Heap | None:
    return None


def judge(
    rss: Sequence[float],
    *,
    follow_blocks: bool = False,
    heap: Callable[[], Heap | None] = unknown,
    interval: float = 5.0,
) -> list[str]:
    """The kind of the verdict after each sample, 5 s apart; `rss` in MiB, of which blocks may be a mirror."""
    detector = Detector(interval, heap)
    kinds = []
    for at, size in enumerate(rss):
        blocks = int(size * PER_MIB) if follow_blocks else BLOCKS
        detector.add(Sample(int(size * MIB), blocks, at * interval))
        kinds.append(detector.verdict().kind)
    return kinds
