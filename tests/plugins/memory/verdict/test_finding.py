"""What is looked at besides the window: lines that run, tasks that wait, types, the collector."""

from __future__ import annotations

import asyncio
import gc
import sys
import sysconfig
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from galvo_memory.verdict import WindowRefused, investigate, objects, tasks
from galvo_memory.verdict import finding as module
from galvo_memory.verdict.whereabouts import Tracer, Whereabout, whereabouts
from galvo_memory.verdict.windows import Windows

pytestmark = pytest.mark.anyio
TAKEN = [0]


@pytest.fixture(autouse=True)
def _untraced() -> Iterator[None]:
    """Coverage and debuggers trace, too."""
    before, TAKEN[0] = sys.gettrace(), 0
    sys.settrace(None)
    yield
    after = sys.gettrace()
    sys.settrace(before)
    assert after is None


def take(size: int) -> None:
    TAKEN[0] += size


def busy() -> None:
    take(0)
    take(9_000)
    sorted([1], key=lambda number: take(2_000))
    take(-1_000)


def rss() -> int:
    return TAKEN[0]


async def looked_at(work: Callable[[], object]) -> list[Whereabout]:
    loop = asyncio.get_running_loop()
    looking = loop.run_in_executor(None, whereabouts, loop, 0.1, rss)
    while not looking.done():
        work()
        await asyncio.sleep(0.001)
    left = sys._getframe().f_trace  # a frame keeps it, and asks it again when a debugger begins
    assert left is None or left(sys._getframe(), "line", None) is None
    return await looking


async def test_lines_that_run_while_memory_grows() -> None:
    found = await looked_at(busy)
    assert [(line.file, line.line) for line in found] == [(__file__, take.__code__.co_firstlineno + 1)]
    assert found[0].share > 0.5


async def test_foreign_lines_count_for_who_called_them() -> None:
    code = compile("def grow(taken): taken[0] += 10", f"{sysconfig.get_path('purelib')}/package/grows.py", "exec")
    package: dict[str, Any] = {}
    exec(code, package)  # noqa: S102  # a function of an installed package

    def work() -> None:
        package["grow"](TAKEN)
        TAKEN[0] += 1

    found = await looked_at(work)
    assert [(line.file, line.line) for line in found] == [(__file__, work.__code__.co_firstlineno + 1)]


async def test_not_when_a_debugger_traces() -> None:
    def debugger(*_: Any) -> None:
        return None

    sys.settrace(debugger)
    try:
        assert await looked_at(busy) == []
        assert sys.gettrace() is debugger
    finally:
        sys.settrace(None)


def test_a_tracer_that_is_forgotten_takes_itself_off() -> None:
    """The loop is stuck in one function, and nobody can be told."""
    tracer = Tracer(rss)
    assert tracer.begin()
    while sys.gettrace() is not None:
        busy()
    taken = tracer.rise
    assert taken > 0
    busy()
    assert tracer.rise == taken


async def test_tasks_that_wait() -> None:
    async def never(gate: asyncio.Event) -> None:
        await gate.wait()

    loop, gate = asyncio.get_running_loop(), asyncio.Event()
    before = tasks.waiting(loop)
    made = [asyncio.create_task(never(gate)) for _ in range(20)]
    await asyncio.sleep(0)
    found = tasks.grown(before, await asyncio.to_thread(tasks.waiting, loop))
    gate.set()
    await asyncio.gather(*made)
    assert [(one.file, one.line, one.tasks, one.more) for one in found] == [
        (__file__, never.__code__.co_firstlineno + 1, 20, 20)
    ]
    assert str(found[0]).startswith("20 tasks of test_tasks_that_wait.<locals>.never wait at ")
    assert tasks.grown(before, tasks.waiting(loop)) == []


async def test_types_of_which_there_are_more() -> None:
    class Kept:
        pass

    before = objects.types()
    kept = [Kept() for _ in range(1000)]
    found = objects.grown(before, objects.types())
    assert found[0] == (f"{__name__}.{Kept.__qualname__}", len(kept))
    assert objects.grown(Counter(a=5), Counter(a=20_005, b=199, c=200)) == [("a", 20_000), ("c", 200)]


async def test_what_is_wrong_with_the_collector() -> None:
    assert objects.collector() == ""
    gc.disable()
    try:
        assert objects.collector().startswith("The garbage collector is off, ")
    finally:
        gc.enable()


async def test_a_refused_window_slows_nothing_down(monkeypatch: pytest.MonkeyPatch) -> None:
    windows, looked = Windows(), threading.Event()
    monkeypatch.setattr(module, "whereabouts", lambda *_: looked.set())
    await asyncio.to_thread(windows.look, 0.01)
    with pytest.raises(WindowRefused, match="just now"):
        await asyncio.to_thread(
            investigate, "native", rss, 0.01, asyncio.get_running_loop(), types=True, windows=windows
        )
    assert not looked.is_set()


async def test_without_a_loop() -> None:
    found = await asyncio.to_thread(investigate, "native", rss, 0.01, windows=Windows())
    assert found.tasks == found.whereabouts == found.types == []
