"""Which kind, how fast, until when; and in which words."""

from __future__ import annotations

import ctypes
import itertools
import math
import sys
from collections.abc import Callable

import pytest

from galvo_memory.allocator import Heap, heap
from galvo_memory.verdict import Detector, Verdict
from tests.plugins.memory.verdict.stand import BLOCKS, MIB, Sample, judge, unknown

QUARTER = 180
"""Samples of 15 minutes."""
Of = Callable[[int], float]


def verdict(
    rss: Of,
    blocks: Of = lambda at: BLOCKS,
    heap: Callable[[], Heap | None] = unknown,
    limit: int | None = None,
    n: int = QUARTER,
) -> Verdict:
    detector = Detector(heap=heap)
    for at in range(n):
        detector.add(Sample(int(rss(at) * MIB), int(blocks(at)), at * 5.0, limit))
    return detector.verdict()


def up(at: int) -> float:
    """MiB: 100, and 72 more each hour."""
    return 100 + at * 0.1


def heaps(used: float, free: float) -> Callable[[], Heap]:
    """MiB by which they grow with each look, of which there is one each half minute."""
    looks = itertools.count()

    def look() -> Heap:
        at = next(looks)
        return Heap(int(at * used * MIB), int(at * free * MIB))

    return look


def test_objects_of_python() -> None:
    found = verdict(up, lambda at: BLOCKS + at * 1500, limit=200 * MIB)
    assert found.kind == "python"
    assert found.slope_bytes_per_hour == pytest.approx(72 * MIB, rel=1e-4)
    assert found.seconds_to_limit == pytest.approx((200 - up(179)) / 72 * 3600, rel=1e-3)
    assert found.confidence > 0.999
    assert found.evidence == (
        "RSS's low-water marks rise by 72.0 MiB an hour, 100% of all pairs of marks over 10 minutes rise, and so do "
        "allocated blocks, by 1,080,000 an hour. The limit of 200 MiB is reached in 68 minutes."
    )


def test_objects_that_hold_large_buffers() -> None:
    found = verdict(up, lambda at: 10_000 + at * 10)
    assert found.kind == "python"
    assert "by 7,200 an hour, 10.2 KiB each, so they hold larger buffers" in found.evidence
    assert found.seconds_to_limit is None
    assert "limit" not in found.evidence


@pytest.mark.parametrize(
    "look, kind, why",
    [
        (unknown, "native", "cannot be told without glibc's mallinfo2"),
        (heaps(0.6, 0), "native", "what is in use of malloc grew by"),
        (heaps(0, 0), "native", "what malloc holds does not: it was mapped past it"),
        (heaps(0, 0.6), "fragmentation", "what was freed and malloc still holds grew by"),
        (heaps(0.2, 0.4), "fragmentation", "what was freed"),
        (heaps(0.4, 0.2), "native", "in use of malloc"),
        (heaps(0.6, -0.1), "native", "in use of malloc"),
    ],
)
def test_blocks_are_flat(look: Callable[[], Heap | None], kind: str, why: str) -> None:
    found = verdict(up, heap=look)
    assert found.kind == kind
    assert why in found.evidence
    assert found.slope_bytes_per_hour == pytest.approx(72 * MIB, rel=1e-4)


def test_blocks_of_another_process_are_not_known() -> None:
    found = verdict(up, lambda at: 0)
    assert found.kind == "native"
    assert "allocated blocks are not known" in found.evidence


def test_blocks_alone_are_no_leak_of_memory() -> None:
    """They come from a free list, or replace larger ones."""
    assert verdict(lambda at: 100, lambda at: BLOCKS + at * 1500).kind == "none"


@pytest.mark.parametrize(
    "free, blocks, kind",
    [(60, 0.5, "fragmentation"), (10, 0.5, "none"), (60, 0.9, "none")],
    ids=["most is free", "little is free", "blocks stay"],
)
def test_what_was_freed_stays(free: int, blocks: float, kind: str) -> None:
    """A burst is over, RSS is not."""
    found = verdict(lambda at: 200, lambda at: BLOCKS * (1 if at < 100 else blocks), lambda: Heap(0, free * MIB))
    assert found.kind == kind
    if kind != "none":
        assert found.slope_bytes_per_hour == 0
        assert found.evidence.startswith("Allocated blocks fell by 50%, RSS stays at 200 MiB: malloc holds 60.0 MiB")


def test_malloc_is_asked_only_while_memory_grows() -> None:
    def never() -> Heap:
        raise AssertionError

    assert verdict(lambda at: 100 + at % 7, heap=never).kind == "none"


def test_not_before_15_minutes_and_then_at_once() -> None:
    kinds = judge([up(at) for at in range(QUARTER)])
    assert kinds[:-1] == ["none"] * (QUARTER - 1)
    assert kinds[-1] == "native"
    assert "too early" in verdict(up, n=QUARTER - 1).evidence


@pytest.mark.parametrize("interval", [1.0, 5.0, 10.0, 30.0])
def test_whatever_the_interval(interval: float) -> None:
    samples = int(900 / interval)
    kinds = judge([100 + at * interval / 50 for at in range(samples)], interval=interval)
    assert kinds.index("native") == samples - 1


def test_a_warm_up_that_slows_down_for_hours() -> None:
    """Within 15 minutes it may seem even; compared with what was before it does not."""
    assert set(judge([200 + 40 * math.log1p(at / 8) for at in range(1440)])) == {"none"}


def test_add_tells_when_the_kind_changes() -> None:
    detector = Detector(heap=unknown)
    told = [at for at in range(600) if detector.add(Sample(int(up(min(at, 300)) * MIB), BLOCKS, at * 5.0))]
    assert len(told) == 2
    assert told[0] == 179
    assert told[1] > 300
    assert detector.verdict().kind == "none"


def test_a_pause_of_an_hour_is_no_jump() -> None:
    """Nothing was sampled meanwhile, but it leaked on: growth is per second."""
    detector = Detector(heap=unknown)
    for at in range(2 * QUARTER):
        seconds = at * 5.0 + (3600 if at >= 200 else 0)
        detector.add(Sample(int((100 + seconds / 50) * MIB), BLOCKS, seconds))
    assert detector.verdict().slope_bytes_per_hour == pytest.approx(72 * MIB, rel=1e-3)


@pytest.mark.parametrize("value", [0, 1, sys.maxsize])
def test_odd_numbers(value: int) -> None:
    detector = Detector(heap=unknown)
    for at in range(400):
        detector.add(Sample(value, value, at * 5.0, value))
    assert detector.verdict().kind == "none"


def test_a_limit_that_is_passed_already() -> None:
    assert verdict(up, limit=50 * MIB).seconds_to_limit == 0


def test_what_this_process_has_of_malloc() -> None:
    before = heap()
    if before is None:
        pytest.skip("only glibc 2.33 and later tell")
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    held = [libc.malloc(ctypes.c_size_t(10_000)) for _ in range(1000)]
    during = heap()
    for piece in held[::2]:
        libc.free(ctypes.c_void_p(piece))
    after = heap()
    for piece in held[1::2]:
        libc.free(ctypes.c_void_p(piece))
    assert during is not None
    assert after is not None
    assert during.used - before.used > 9_000_000
    assert after.free - during.free > 4_000_000
