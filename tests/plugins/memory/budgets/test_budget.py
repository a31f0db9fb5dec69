"""A budget admits, checks when it is asked to, and divides itself."""

from __future__ import annotations

import anyio
import anyio.to_thread
import pytest

from galvo_memory import memory_budget
from galvo_memory.budgets import (
    Admission,
    BudgetTooLarge,
    MemoryBudgetExceeded,
    check,
    current_budget,
    process,
)

pytestmark = pytest.mark.anyio
MIB = 1 << 20


async def test_what_grows_too_large_is_told_at_the_next_check() -> None:
    async with memory_budget("40MiB") as budget:
        small = bytearray(b"x" * MIB)
        await budget.checkpoint()
        large = bytearray(b"x") * (60 * MIB)
        with pytest.raises(
            MemoryBudgetExceeded, match=r"grown by \d+(\.\d)? MiB inside a memory budget of 40"
        ) as caught:
            await budget.checkpoint()
        assert 55 * MIB < caught.value.used < 100 * MIB
        assert (caught.value.size, caught.value.beside) == (40 * MIB, 0)
        del small, large
        budget.check()


async def test_the_current_one_is_found_by_who_is_called_inside() -> None:
    check()  # outside of any: nothing to check
    assert current_budget() is None
    async with memory_budget("30MiB") as outer:
        assert current_budget() is outer
        async with memory_budget("20MiB") as inner:
            assert current_budget() is inner
            memory = bytearray(b"x") * (60 * MIB)
            with pytest.raises(MemoryBudgetExceeded):
                await anyio.to_thread.run_sync(check)
            del memory
        assert current_budget() is outer
    assert current_budget() is None


async def test_an_inner_one_is_a_part_of_the_outer() -> None:
    admission = Admission(100 * MIB)
    async with memory_budget("60MiB", admission=admission):
        with pytest.raises(BudgetTooLarge, match=r"61\.0 MiB are asked for.*60\.0 MiB"):
            async with memory_budget("61MiB", admission=admission):
                pass
        async with memory_budget("60MiB", admission=admission) as inner:
            assert (admission.held, inner.size) == (60 * MIB, 60 * MIB)
    assert admission.held == 0


async def test_the_outer_one_is_checked_with_the_inner() -> None:
    admission = Admission(500 * MIB)
    async with memory_budget("50MiB", admission=admission):
        first = bytearray(b"x") * (40 * MIB)
        async with memory_budget("45MiB", admission=admission) as inner:
            second = bytearray(b"x") * (40 * MIB)
            with pytest.raises(MemoryBudgetExceeded) as caught:
                inner.check()
            assert caught.value.size == 50 * MIB
            del first, second


async def test_what_others_may_use_is_not_held_against_it() -> None:
    admission, began, took, ends = Admission(500 * MIB), anyio.Event(), anyio.Event(), anyio.Event()

    async def other() -> None:
        async with memory_budget("100MiB", admission=admission):
            memory = bytearray(b"x") * (80 * MIB)
            took.set()
            await ends.wait()
            del memory

    async def mine() -> None:
        async with memory_budget("20MiB", admission=admission) as mine:
            began.set()
            await took.wait()
            assert mine.used > 70 * MIB
            mine.check()
            memory = bytearray(b"x") * (60 * MIB)
            with pytest.raises(MemoryBudgetExceeded, match="and 100 MiB for others"):
                mine.check()
            ends.set()
            del memory

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mine)
        await began.wait()
        tasks.start_soon(other)


async def test_more_than_the_machine_has_is_refused() -> None:
    with pytest.raises(
        BudgetTooLarge, match=r"102400\.0 GiB are asked for, and the whole process's budget.*GiB"
    ) as caught:
        async with memory_budget("102400GiB"):
            pass
    assert caught.value.total == process.total
    for size in ("200 pounds", "0MiB", -1):
        with pytest.raises(ValueError, match="size"):
            async with memory_budget(size):
                pass
