from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.errors import TasksProblem
from galvo_tasks.running import kernel, lifecycle, process, worker_kernel
from galvo_tasks.running.errors import KernelFailed, WrongThread
from galvo_tasks.running.kernel import WorkerKernel
from tests.plugins.tasks.running.conftest import Send
from tests.plugins.tasks.stand import Stand

OFF = "".join(f"[{name}]\non = false\n" for name in ("embedded", "cache", "index", "monitor", "memory"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "settings").mkdir()
    (tmp_path / "entrypoints.toml").write_text((Path(__file__).parents[4] / "entrypoints.toml").read_text())
    return tmp_path


@pytest.fixture
def own_process() -> Iterator[None]:
    """The test's own process as a worker's: its loop ends with the test."""
    yield
    lifecycle.end_process()


def settings(root: Path, pool: str) -> None:
    (root / "settings" / "galvo.toml").write_text(OFF + "[pool]\n" + pool)


def test_tasks_of_both_kinds_have_the_kernel_of_their_process(shared: Stand, send: Send) -> None:
    send("asks", "select 40 + 2")
    send("asks_too", "select 40 + 3")
    shared.until(lambda: len(shared.notes()) == 2)
    assert shared.notes() == ["sync: 42", "async: 43"]


def test_it_is_stopped_when_its_process_ends(shared: Stand, send: Send) -> None:
    send("watches")
    shared.until(lambda: len(shared.notes()) == 1)
    child = int(shared.notes()[0])
    os.kill(child, signal.SIGTERM)
    shared.until(lambda: len(shared.notes()) == 2)
    assert shared.notes()[1] == f"{child} has a kernel that runs: False"


@pytest.mark.anyio
async def test_who_asks_waits_for_its_start(root: Path, server_dsn: str) -> None:
    settings(root, f'url = "{server_dsn}"')
    made = WorkerKernel(asyncio.get_running_loop(), ["monitor", "index", "no such plugin"], root)
    assert await asyncio.gather(*(made.fetchval("select $1::int", number) for number in range(3))) == [0, 1, 2]
    async with made.transaction() as session:
        assert await session.fetchval("select 7") == 7
    assert {unit["name"]: unit["state"] for unit in (await made.ready()).plugins()}["tasks"] == "listed"
    await made.stop()


@pytest.mark.anyio
async def test_a_start_that_fails_fails_who_asks_and_is_tried_again(root: Path, server_dsn: str) -> None:
    settings(root, 'url = "postgresql://127.0.0.1:1/nowhere"\n')
    made = WorkerKernel(asyncio.get_running_loop(), [], root)
    answers = await asyncio.gather(made.fetchval("select 1"), made.fetchval("select 2"), return_exceptions=True)
    assert {type(answer) for answer in answers} == {KernelFailed}
    assert "did not start" in str(answers[0])
    assert "pool" in str(answers[0])
    settings(root, f'url = "{server_dsn}"')
    assert await made.fetchval("select 3") == 3
    await made.stop()


def test_it_is_asked_on_the_loop_of_its_process_only(root: Path) -> None:
    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(WrongThread, match="in_loop"):
            asyncio.run(WorkerKernel(loop, [], root).ready())  # type: ignore[arg-type]
    finally:
        loop.close()


def test_there_is_none_where_the_settings_say_so(own_process: None) -> None:
    celery_app("none", TasksSettings.model_validate({"broker": "redis://127.0.0.1:1", "kernel": False}))
    with pytest.raises(TasksProblem, match="kernel = true"):
        worker_kernel()


def test_a_fork_begins_without_a_loop_and_without_a_kernel(own_process: None) -> None:
    before = process.loop_thread()
    lifecycle._own.kernel = WorkerKernel(before.loop, [])
    lifecycle._own.lock.acquire()  # another thread is at it while this one forks
    child = os.fork()
    if child == 0:
        status = 1
        try:
            fresh = lifecycle._own.kernel is None and process.running_thread() is None
            status = int(not (fresh and process.loop_thread().call(asyncio.sleep(0, True), 10)))
        finally:
            os._exit(status)
    lifecycle._own.lock.release()
    lifecycle._own.kernel = None
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert process.loop_thread() is before


def test_kernels_of_workers_leave_out_what_the_settings_say(root: Path) -> None:
    settings(root, 'url = "postgresql://127.0.0.1:1/nowhere"\n')
    made = kernel.overrides(root, ["memory", "unknown"])
    assert made == {"memory": {"on": False}, "tasks": {"on": False}, "pool": {"required": True}}
