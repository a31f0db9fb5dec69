"""Who is let in, in what order, and what happens to those who give up."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import AsyncExitStack

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import TaskGroup
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_memory.budgets import Admission, BudgetTooLarge

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Crowd:
    """Tasks that ask one after the other, and keep what they got until they are told."""

    def __init__(self, admission: Admission, tasks: TaskGroup) -> None:
        self.admission = admission
        self.tasks = tasks
        self.inside: list[str] = []
        self.refused: list[str] = []
        self.scopes: dict[str, anyio.CancelScope] = {}
        self.leave: dict[str, anyio.Event] = {}

    async def enter(self, name: str, size: int) -> None:
        self.scopes[name], self.leave[name] = anyio.CancelScope(), anyio.Event()
        self.tasks.start_soon(self._live, name, size)
        await anyio.wait_all_tasks_blocked()

    async def _live(self, name: str, size: int) -> None:
        with self.scopes[name]:
            try:
                async with self.admission.hold(size):
                    self.inside.append(name)
                    await self.leave[name].wait()
            except BudgetTooLarge:
                self.refused.append(name)

    async def end(self, name: str) -> None:
        self.leave[name].set()
        await anyio.wait_all_tasks_blocked()

    async def cancel(self, name: str) -> None:
        self.scopes[name].cancel()
        await anyio.wait_all_tasks_blocked()


async def test_first_come_first_served() -> None:
    admission = Admission(100)
    async with anyio.create_task_group() as tasks:
        crowd = Crowd(admission, tasks)
        for name, size in (("a", 60), ("b", 60), ("c", 10)):
            await crowd.enter(name, size)
        assert crowd.inside == ["a"], "c would fit, but b came before it"
        assert (admission.held, admission.waiting) == (60, 2)
        await crowd.end("a")
        assert sorted(crowd.inside) == ["a", "b", "c"]
        await crowd.end("b")
        await crowd.end("c")
    assert (admission.held, admission.waiting) == (0, 0)


async def test_more_than_there_is_is_refused_with_the_numbers() -> None:
    admission = Admission(100 << 20, of="the budget of [x]")
    with pytest.raises(BudgetTooLarge, match=r"101 MiB.*the budget of \[x\] is 100 MiB") as caught:
        async with admission.hold(101 << 20):
            pass
    assert (caught.value.asked, caught.value.total, admission.held) == (101 << 20, 100 << 20, 0)
    for size in (0, -1):
        with pytest.raises(ValueError, match="has to be positive"):
            async with admission.hold(size):
                pass
    with pytest.raises(ValueError, match="has to be positive"):
        admission.resize(0)


async def test_who_gives_up_lets_the_next_one_pass() -> None:
    admission = Admission(100)
    async with anyio.create_task_group() as tasks:
        crowd = Crowd(admission, tasks)
        for name, size in (("a", 60), ("large", 60), ("small", 10)):
            await crowd.enter(name, size)
        await crowd.cancel("large")
        assert crowd.inside == ["a", "small"]
        await crowd.cancel("a")
        assert admission.held == 10
        await crowd.end("small")
    assert admission.held == 0


async def test_cancelled_in_the_moment_of_its_turn() -> None:
    admission = Admission(100)
    async with anyio.create_task_group() as tasks:
        crowd = Crowd(admission, tasks)
        await crowd.enter("a", 100)
        await crowd.enter("b", 100)
        await crowd.enter("c", 100)
        crowd.leave["a"].set()
        while admission.waiting == 2:  # until b has been told
            await anyio.lowlevel.checkpoint()
        crowd.scopes["b"].cancel()
        await anyio.wait_all_tasks_blocked()
        assert crowd.inside[-1] == "c"
        await crowd.end("c")
    assert admission.held == 0


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_cancelled_by_asyncio_in_the_moment_of_its_turn() -> None:
    """anyio and trio let it have its turn; asyncio cancels it all the same."""
    admission, got = Admission(100), anyio.Event()

    async def hold() -> None:
        async with admission.hold(100):
            got.set()

    async with admission.hold(100):
        tasks = [asyncio.create_task(hold(), context=contextvars.Context()) for _ in range(2)]
        await anyio.wait_all_tasks_blocked()
    assert admission.waiting == 1
    tasks[0].cancel()
    with anyio.fail_after(5):
        await tasks[1]
    assert got.is_set()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert admission.held == 0


async def test_resized_while_held_and_waited_for() -> None:
    admission = Admission(100)
    async with anyio.create_task_group() as tasks:
        crowd = Crowd(admission, tasks)
        for name, size in (("a", 80), ("b", 70), ("c", 30)):
            await crowd.enter(name, size)
        admission.resize(50)
        await anyio.wait_all_tasks_blocked()
        assert (crowd.refused, crowd.inside, admission.held) == (["b"], ["a"], 80)
        await crowd.end("a")
        assert crowd.inside == ["a", "c"]
        await crowd.enter("d", 50)
        admission.resize(200)
        await anyio.wait_all_tasks_blocked()
        assert crowd.inside == ["a", "c", "d"]
        await crowd.end("c")
        await crowd.end("d")
    assert admission.held == 0


async def test_less_is_allowed_for_a_while() -> None:
    """Who asks for more than that waits, and is not refused: memory will not be short for ever. Others pass him."""
    admission = Admission(100)
    async with anyio.create_task_group() as tasks:
        crowd = Crowd(admission, tasks)
        admission.resize(100, 0.5)
        for name, size in (("a", 40), ("b", 70), ("c", 10)):
            await crowd.enter(name, size)
        assert (crowd.refused, crowd.inside) == ([], ["a", "c"]), "70 are not there now"
        for name, size in (("d", 45), ("e", 1)):
            await crowd.enter(name, size)
        assert crowd.inside == ["a", "c"], "e would fit, but d came before it, and will get its turn"
        await crowd.end("a")
        assert sorted(crowd.inside) == ["a", "c"], "55 with c"
        await crowd.end("c")
        assert sorted(crowd.inside) == ["a", "c", "d", "e"]
        await crowd.enter("f", 40)
        admission.resize(100)
        await anyio.wait_all_tasks_blocked()
        assert "f" not in crowd.inside, "b is still in front of it"
        await crowd.end("d")
        assert sorted(crowd.inside) == ["a", "b", "c", "d", "e"]
        for name in "ebf":
            await crowd.end(name)
        admission.resize(100, 0.5)
        await crowd.enter("g", 101)
        assert crowd.refused == ["g"]
    assert admission.held == 0


async def test_nobody_waits_for_himself() -> None:
    admission = Admission(100)
    with anyio.fail_after(5):
        async with admission.hold(80) as outer:
            async with admission.hold(60):  # would never come, were it not a part of the 80
                assert (admission.held, outer.held) == (80, 60)
            with pytest.raises(BudgetTooLarge, match="what is held around it"):
                async with admission.hold(81):
                    pass
            other = Admission(100)
            async with other.hold(90):
                assert (admission.held, other.held, outer.held) == (80, 90, 0)
                async with admission.hold(80):
                    assert outer.held == 80
        async with admission.hold(100):
            assert admission.held == 100


async def test_started_inside_and_living_longer() -> None:
    admission, over = Admission(100), anyio.Event()

    async def late() -> None:
        await over.wait()
        async with admission.hold(90):
            assert admission.held == 90

    async with anyio.create_task_group() as tasks:
        async with admission.hold(50):
            tasks.start_soon(late)
            await anyio.wait_all_tasks_blocked()
        over.set()
    assert admission.held == 0


@settings(max_examples=40)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["enter", "end", "cancel", "resize"]), st.integers(1, 60)), max_size=30)
)
def test_any_order_keeps_the_books(steps: list[tuple[str, int]]) -> None:
    """Never more inside than there is room for, never anybody waiting in front for whom there is room."""

    async def play() -> None:
        admission = Admission(60)
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            crowd, sizes, gone = Crowd(admission, tasks), {}, set()
            for number, (step, value) in enumerate(steps):
                name = str(number)
                if step == "enter":
                    sizes[name] = value
                    await crowd.enter(name, value)
                elif step == "resize":
                    held = admission.held
                    admission.resize(value)
                    await anyio.wait_all_tasks_blocked()
                    assert admission.held <= max(held, value)
                elif alive := [
                    name for name in sizes if name not in gone and (step == "cancel" or name in crowd.inside)
                ]:
                    gone.add(alive[value % len(alive)])
                    await getattr(crowd, step)(alive[value % len(alive)])
                gone.update(crowd.refused)
                inside = [name for name in crowd.inside if name not in gone]
                assert admission.held == sum(sizes[name] for name in inside)
                waiting = [name for name in sizes if name not in gone and name not in inside]
                assert len(waiting) == admission.waiting
                assert not waiting or admission.held + sizes[waiting[0]] > admission.total
            for event in crowd.leave.values():
                event.set()
        assert (admission.held, admission.waiting) == (0, 0)

    anyio.run(play)
