"""Buffers are lent, come back, and are missed when they do not."""

from __future__ import annotations

import gc
import logging
import struct
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_memory import BufferPool
from galvo_memory.pools import registry
from galvo_memory.pools.buffers import LEAST, Buffer, size_class

KIB, MIB = 1 << 10, 1 << 20


def test_a_buffer_is_used_again_as_it_was_left() -> None:
    pool = BufferPool("1MiB")
    with pool.take(100_000) as view:
        assert len(view) == 100_000
        assert not any(view), "the first time it is new"
        view[:3] = b"old"
    assert (pool.made, pool.reused, pool.idle) == (1, 0, size_class(100_000))
    with pool.take(99_000) as view:
        assert bytes(view[:4]) == b"old\0"
        assert len(view) == 99_000
    with pool.take(200_000):
        pass
    assert (pool.made, pool.reused) == (2, 1)


def test_zeroed_if_asked() -> None:
    pool = BufferPool("1MiB", zero=True)
    with pool.take(100_000) as view:
        view[:] = b"x" * 100_000
    with pool.take(110_000) as view:
        assert pool.reused == 1
        assert not any(view)


def test_small_ones_are_not_kept() -> None:
    pool = BufferPool("1MiB")
    with pool.take(LEAST - 1) as view:
        assert len(view) == LEAST - 1
    assert pool.idle == 0


@given(st.integers(LEAST, 1 << 34))
def test_classes_hold_what_is_asked_for(size: int) -> None:
    assert size <= size_class(size) <= size * 1.25
    assert size_class(size_class(size)) == size_class(size)


def test_no_more_is_kept_than_it_may() -> None:
    pool = BufferPool("1MiB")
    buffers = [pool.take(512 * KIB) for _ in range(4)]
    large = pool.take(2 * MIB)
    for buffer in [*buffers, large]:
        buffer.release()
        buffer.release()
    assert pool.idle == MIB
    assert pool.trim("600KiB") == 512 * KIB
    assert pool.idle == 512 * KIB


def test_what_is_still_used_by_a_view_is_not_lent_again(caplog: pytest.LogCaptureFixture) -> None:
    pool = BufferPool("1MiB")
    with pool.take(100_000) as view:
        part = view[10:20]
    assert (pool.shared, pool.idle) == (1, 0)
    assert "test_buffers.py" in caplog.text
    part[:] = b"still mine"
    with pool.take(100_000) as view:
        assert not any(view)


def test_what_is_still_used_by_an_export_is_not_lent_again() -> None:
    """Of the view itself, as numpy.frombuffer has it: the view cannot be released, and the pool is rid of it."""
    pool = BufferPool("1MiB")
    with pool.take(100_000) as view:
        numbers = struct.iter_unpack("i", view)
    assert next(numbers) == (0,)
    held = pool.held()
    assert (pool.shared, pool.leaks, pool.idle, held.taken, held.out) == (1, 0, 0, 0, 0)


def test_one_that_is_dropped_is_told_with_its_line(caplog: pytest.LogCaptureFixture) -> None:
    pool = BufferPool("1MiB")
    buffer: Buffer | None = pool.take(100_000)
    [place] = pool.held().places
    assert place.startswith(__file__)
    assert place.endswith("in test_one_that_is_dropped_is_told_with_its_line")
    with caplog.at_level(logging.WARNING, "galvo.memory"):
        del buffer
        gc.collect()
    assert f"a buffer of 97.7 KiB taken at {place} was never released" in caplog.text
    assert pool.held().taken == 0
    assert pool.leaks == 1


def test_a_pool_that_is_dropped_is_forgotten() -> None:
    pool = BufferPool("1MiB", name="of this test")
    assert "of this test" in [held.name for held in registry.held()]
    del pool
    gc.collect()
    assert "of this test" not in [held.name for held in registry.held()]


def test_freed_under_pressure() -> None:
    pool = BufferPool("100MiB", name="under pressure")
    for buffer in [pool.take(size) for size in (MIB, MIB, 8 * MIB, 64 * KIB)]:
        buffer.release()
    with pool.take(MIB):
        held = pool.held()
        assert (held.items, held.idle, held.taken, held.out) == (3, 9 * MIB + 64 * KIB, 1, MIB)
        assert pool.free(0.5) == 8 * MIB, "the largest first"
        freed = registry.free(1)
        assert freed.bytes >= MIB + 64 * KIB
        assert "pool under pressure" in freed.what
        assert pool.idle == 0
    with pytest.raises(ValueError, match="a share is from 0 to 1, not 2"):
        registry.free(2)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="is not a size"):
        BufferPool("lots")
    with pytest.raises(ValueError, match="buffer of 0 bytes"):
        BufferPool().take(0)


def test_threads_never_share_a_buffer() -> None:
    pool, wrong = BufferPool("4MiB"), []

    def work(mark: int) -> None:
        for number in range(300):
            with pool.take(LEAST + number % 3 * 20_000) as view:
                view[:8] = view[-8:] = mark.to_bytes() * 8
                if bytes(view[:8]) != bytes(view[-8:]) or view[0] != mark:
                    wrong.append(mark)
            if number % 50 == 0:
                pool.free(0.5)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert pool.made + pool.reused == 8 * 300
    assert pool.held().taken == 0
    assert pool.idle == sum(whole * len(kept) for whole, kept in pool._kept.items()) <= 4 * MIB


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["take", "give", "drop", "free"]), st.integers(1, 3 * MIB)), max_size=40))
def test_any_order_keeps_the_books(steps: list[tuple[str, int]]) -> None:
    pool, out, dropped = BufferPool("2MiB"), [], 0
    for step, size in steps:
        if step == "take":
            out.append(pool.take(size))
            assert len(out[-1].view) == size
        elif step == "free":
            before = pool.idle
            assert pool.free(0.5) == before - pool.idle
        elif out:
            buffer = out.pop(size % len(out))
            if step == "give":
                buffer.release()
            else:
                dropped += 1
            del buffer
        assert pool.idle <= pool.max_bytes
        held = pool.held()
        assert (held.taken, held.out) == (len(out), sum(size_class(buffer.size) for buffer in out))
        assert pool.leaks == dropped
    for buffer in out:
        buffer.release()
