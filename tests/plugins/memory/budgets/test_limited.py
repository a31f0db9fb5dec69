"""A function with a hard limit: what it may do, and what is left of it when it goes too far."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import psutil
import pytest

from galvo_memory import run_limited
from galvo_memory.budgets import BudgetTooLarge, Untransferable, WorkerDied, process
from galvo_memory.pools import registry
from galvo_memory.processes import idle
from galvo_memory.processes.worker import Worker
from tests.plugins.memory.budgets import limited

pytestmark = pytest.mark.anyio
ROOM = "64MiB"


@pytest.fixture(autouse=True)
async def no_process_is_left() -> AsyncIterator[None]:
    before = set(psutil.Process().children())
    yield
    assert process.held == 0
    idle.WORKERS.close()
    with anyio.fail_after(10):
        await until(lambda: set(psutil.Process().children()) <= before)


async def until(true: Callable[[], bool]) -> None:
    """What other processes do cannot be awaited."""
    while not true():  # noqa: ASYNC110
        await anyio.sleep(0.005)


async def test_the_result_comes_back_and_the_worker_is_used_again() -> None:
    assert await run_limited(limited.allocate, 10, max_bytes=ROOM) == 10 << 20
    first = await run_limited(limited.pid, max_bytes=ROOM)
    before = await run_limited(limited.limits, max_bytes=ROOM)
    assert first == await run_limited(limited.pid, max_bytes="100MiB")
    assert first != psutil.Process().pid
    assert await run_limited(limited.limits, max_bytes=ROOM) == before


async def test_too_much_is_a_memory_error_here_and_the_worker_lives() -> None:
    worker = await run_limited(limited.pid, max_bytes=ROOM)
    mine = psutil.Process().memory_info().rss
    for call in (limited.pile_up, limited.pile_up):
        with pytest.raises(MemoryError, match=r"pile_up\(\) needed more than 64\.0 MiB") as caught:
            await run_limited(call, max_bytes=ROOM)
        assert "limited.py" in str(caught.value.__cause__)
        assert "pile.append" in str(caught.value.__cause__)
    with pytest.raises(MemoryError):
        await run_limited(limited.allocate, 65, max_bytes=ROOM)
    assert await run_limited(limited.allocate, 60, max_bytes=ROOM) == 60 << 20, "as much as before"
    assert await run_limited(limited.pid, max_bytes=ROOM) == worker
    assert psutil.Process().memory_info().rss - mine < 16 << 20


async def test_the_limit_counts_what_is_used_and_not_what_is_reserved() -> None:
    assert await run_limited(limited.many_threads, 8, max_bytes="128MiB") == 8


async def test_a_worker_that_stays_large_is_not_used_again() -> None:
    first = await run_limited(limited.keep, 10, max_bytes=ROOM)
    second = await run_limited(limited.keep, 40, max_bytes=ROOM)
    assert first == second
    assert await run_limited(limited.pid, max_bytes=ROOM) != first
    assert not psutil.pid_exists(first)


async def test_in_time_or_killed(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    await run_limited(limited.pid, max_bytes=ROOM)
    with pytest.raises(TimeoutError, match=r"sleep_for_ever\(\) did not end within 0\.5 s"):
        await run_limited(limited.sleep_for_ever, str(sign), max_bytes=ROOM, timeout=0.5)
    assert not psutil.pid_exists(int(sign.read_text()))
    assert await run_limited(limited.allocate, 1, max_bytes=ROOM, timeout=30) == 1 << 20


def gone(sign: Path) -> bool:
    """Whether none of the processes that have written down their ids is left, but as a zombie."""
    pids = [int(pid) for pid in sign.read_text().split()] if sign.exists() else []
    return bool(pids) and not any(
        psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids
    )


async def test_in_time_or_killed_with_what_it_forked(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    with anyio.fail_after(30), pytest.raises(TimeoutError):
        await run_limited(limited.fork_and_sleep, str(sign), max_bytes=ROOM, timeout=1)
    await until(lambda: gone(sign))


KILLED = """
import asyncio, sys
from galvo_memory import run_limited
from tests.plugins.memory.budgets import limited

if __name__ == '__main__':
    asyncio.run(run_limited(limited.fork_and_sleep, sys.argv[1], max_bytes="64MiB"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends with its call")
async def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    parent = subprocess.Popen([sys.executable, "-c", KILLED, str(sign)])  # noqa: ASYNC220  # to be killed
    try:
        with anyio.fail_after(30):
            await until(lambda: sign.exists() and bool(sign.read_text()))
            parent.kill()
            await until(lambda: gone(sign))
    finally:
        parent.kill()
        parent.wait()


@pytest.mark.parametrize("warm", [True, False])
async def test_cancelled_while_it_works(tmp_path: Path, warm: bool) -> None:
    sign = tmp_path / "sign"
    if warm:
        await run_limited(limited.pid, max_bytes=ROOM)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: run_limited(limited.sleep_for_ever, str(sign), max_bytes=ROOM))
        await until(lambda: sign.exists() and bool(sign.read_text()))
        tasks.cancel_scope.cancel()
    assert not psutil.pid_exists(int(sign.read_text()))


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 20])
async def test_cancelled_while_it_starts(tmp_path: Path, turns: int) -> None:
    """Where anyio.to_process leaves a process behind."""
    before = psutil.Process().children()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: run_limited(limited.sleep_for_ever, str(tmp_path / "sign"), max_bytes=ROOM))
        for _ in range(turns):
            await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()
    started = set(psutil.Process().children()) - set(before)
    assert [child for child in started if child.status() != psutil.STATUS_ZOMBIE] == []


async def test_a_killed_child_is_told_by_its_signal() -> None:
    with pytest.raises(WorkerDied, match=r"kill_myself\(\) was killed \(SIGKILL\)") as caught:
        await run_limited(limited.kill_myself, max_bytes=ROOM)
    assert caught.value.code == -9
    with pytest.raises(WorkerDied, match="SIGABRT"):
        await run_limited(limited.kill_myself, signal.SIGABRT, max_bytes=ROOM)
    with pytest.raises(WorkerDied, match="exit code 3") as caught:
        await run_limited(limited.leave, 3, max_bytes=ROOM)
    assert caught.value.code == 3
    assert await run_limited(limited.allocate, 1, max_bytes=ROOM) == 1 << 20


async def test_one_killed_while_idle_is_replaced() -> None:
    first = await run_limited(limited.pid, max_bytes=ROOM)
    child = psutil.Process(first)
    child.kill()
    await until(lambda: child.status() == psutil.STATUS_ZOMBIE)
    assert await run_limited(limited.pid, max_bytes=ROOM) != first


async def test_exceptions_travel_with_their_traceback() -> None:
    with pytest.raises(KeyError, match="wood") as caught:
        await run_limited(limited.fail, "wood", max_bytes=ROOM)
    assert "raise KeyError(text)" in str(caught.value.__cause__)
    with pytest.raises(Untransferable, match=r"fail_strangely\(\) raised.*Strange: 1 and 2") as strange:
        await run_limited(limited.fail_strangely, max_bytes=ROOM)
    assert "raise Strange(1, 2)" in str(strange.value.__cause__)


async def test_what_cannot_be_sent_is_told_in_one_sentence() -> None:
    with pytest.raises(Untransferable, match=r"<lambda>\(\) or its arguments.*a function of a module, not a lambda"):
        await run_limited(lambda: 1, max_bytes=ROOM)
    with pytest.raises(Untransferable, match="or its arguments cannot be sent"):
        await run_limited(limited.fail, limited.give_a_lock(), max_bytes=ROOM)  # type: ignore[arg-type]
    with pytest.raises(Untransferable, match=r"what give_a_lock\(\) returned cannot be sent back: lock"):
        await run_limited(limited.give_a_lock, max_bytes=ROOM)
    with pytest.raises(Untransferable, match="coroutine function"):
        await run_limited(limited.coroutine, max_bytes=ROOM)


async def test_more_than_there_is_is_refused() -> None:
    with pytest.raises(BudgetTooLarge, match="whole process's budget"):
        await run_limited(limited.pid, max_bytes="102400GiB")
    with pytest.raises(ValueError, match="positive"):
        await run_limited(limited.pid, max_bytes=0)


async def test_it_holds_its_memory_in_the_process_budget(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: run_limited(limited.sleep_for_ever, str(sign), max_bytes=ROOM))
        await until(sign.exists)
        assert process.held == 64 << 20
        tasks.cancel_scope.cancel()


async def test_several_at_once() -> None:
    results: list[int] = []

    async def one(size: int) -> None:
        results.append(await run_limited(limited.allocate, size, max_bytes=ROOM))

    async with anyio.create_task_group() as tasks:
        for size in range(1, 9):
            tasks.start_soon(one, size)
    assert sorted(results) == [size << 20 for size in range(1, 9)]


async def test_idle_ones_are_told_and_freed() -> None:
    worker = await run_limited(limited.pid, max_bytes=ROOM)
    [held] = [held for held in registry.held() if held.name == "run_limited"]
    assert held.items == 1
    assert held.idle > 1 << 20
    freed = registry.free(1)
    assert freed.bytes >= 1 << 20
    assert "pool run_limited" in freed.what
    await until(lambda: not psutil.pid_exists(worker))


async def test_freeing_does_not_wait_for_a_process_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    await run_limited(limited.pid, max_bytes=ROOM)
    waits_in: list[threading.Thread] = []
    reap = Worker._reap
    monkeypatch.setattr(Worker, "_reap", lambda worker: (waits_in.append(threading.current_thread()), reap(worker))[1])
    registry.free(1)
    await until(lambda: bool(waits_in))
    assert threading.current_thread() not in waits_in


SCRIPT = """
import asyncio, resource, sys
from galvo_memory import run_limited

def double(number):
    return 2 * number

{guard}
    {before}
    print(asyncio.run(run_limited(double, 21, max_bytes="{size}")))
"""


def script(
    tmp_path: Path, *, guard: str = "if __name__ == '__main__':", before: str = "", size: str = ROOM
) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(guard=guard, before=before, size=size))
    return subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60)


async def test_functions_of_the_main_module(tmp_path: Path) -> None:
    done = await anyio.to_thread.run_sync(lambda: script(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


async def test_a_main_module_that_cannot_be_imported(tmp_path: Path) -> None:
    done = await anyio.to_thread.run_sync(lambda: script(tmp_path, guard="if True:", before="print('once more')"))
    assert done.returncode == 1
    assert "could not start" in done.stderr
    assert "if __name__ == '__main__':" in done.stderr


async def test_an_unguarded_main_module_is_refused(tmp_path: Path) -> None:
    """Also where the function is found without it: it would run a second time, with all that it does."""
    before = "double = abs; print('once more', flush=True)"
    done = await anyio.to_thread.run_sync(lambda: script(tmp_path, guard="if True:", before=before))
    assert done.returncode == 1
    assert "if __name__ == '__main__':" in done.stderr
    assert "21" not in done.stdout.split()


async def test_braces_in_the_path(tmp_path: Path) -> None:
    before = "sys.path.append('/srv/{tenant}/{}')"
    done = await anyio.to_thread.run_sync(lambda: script(tmp_path, before=before))
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


async def test_a_limit_of_the_process_is_not_raised(tmp_path: Path) -> None:
    before = "resource.setrlimit(resource.RLIMIT_DATA, (1 << 29, resource.RLIM_INFINITY))"
    done = await anyio.to_thread.run_sync(lambda: script(tmp_path, before=before, size="600MiB"))
    assert done.returncode == 1
    assert "BudgetTooLarge: 600 MiB are asked for, and what the process may use (ulimit -d) is" in done.stderr
