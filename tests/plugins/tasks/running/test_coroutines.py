from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from galvo_tasks import celery_app
from galvo_tasks.running import cancel, in_loop, process
from galvo_tasks.running.errors import WrongThread
from galvo_tasks.settings import TasksSettings
from tests.plugins.tasks.running.conftest import Send
from tests.plugins.tasks.stand import Stand


def test_it_runs_with_its_request_and_the_context_of_the_signals(shared: Stand, send: Send) -> None:
    send("told", "first")
    send("told", "second")
    shared.until(lambda: len(shared.notes()) == 2)
    (name, request, retries, process), (_, _, _, same) = (note.split() for note in shared.notes())
    assert (name, request, retries) == ("first", "True", "0")
    assert process == same


def test_at_its_time_limit_it_is_cancelled_cleans_up_and_has_failed(shared: Stand, send: Send) -> None:
    number = send("slow", "limited", time_limit=0.3)
    worker = shared.workers[0]
    worker.until(f"slow[{number}] raised unexpected: TimeLimitExceeded(0.3)")
    assert shared.notes() == [
        "limited begins", "limited cancelled: its time limit of 0.3 s is over", "limited cleaned up",
    ]  # fmt: skip


def test_at_its_soft_limit_it_has_until_the_other_to_clean_up(shared: Stand, send: Send) -> None:
    send("told", "before")
    number = send("slow", "soft", 60, 0.2, soft_time_limit=0.3, time_limit=20)
    shared.workers[0].until(f"slow[{number}] raised unexpected: SoftTimeLimitExceeded(0.3")
    send("told", "after")
    shared.until(lambda: len(shared.notes()) == 5)
    assert shared.notes()[1:4] == [
        "soft begins", "soft cancelled: its soft time limit of 0.3 s is over", "soft cleaned up",
    ]  # fmt: skip
    assert shared.notes()[0].split()[-1] == shared.notes()[-1].split()[-1]  # its process was not killed


def test_a_limit_of_the_task_itself_and_of_its_class_hold_too(shared: Stand, send: Send) -> None:
    number = send("limited")
    shared.workers[0].until(f"limited[{number}] raised unexpected: TimeLimitExceeded(0.2)")


def test_one_that_takes_no_notice_of_its_limits_is_killed_with_its_process(shared: Stand, send: Send) -> None:
    send("told", "before")
    send("stubborn", time_limit=0.1)
    send("told", "after")
    shared.until(lambda: len(shared.notes()) == 3)
    assert shared.notes()[1] == "stubborn begins"
    assert shared.notes()[0].split()[-1] != shared.notes()[-1].split()[-1]


def test_what_a_synchronous_task_waits_for_is_cancelled_at_its_soft_limit(shared: Stand, send: Send) -> None:
    number = send("waits_in_loop", "inner", soft_time_limit=0.3, time_limit=20)
    shared.workers[0].until(f"waits_in_loop[{number}] raised unexpected: SoftTimeLimitExceeded(")
    assert shared.notes() == ["inner begins", "inner ends"]


def test_a_cancellation_from_within_is_a_failure_and_harms_nobody_else(shared: Stand, send: Send) -> None:
    number = send("cancelled_from_within")
    shared.workers[0].until(f"cancelled_from_within[{number}] raised unexpected: CancelledFromWithin(")
    send("told", "after")
    shared.until(lambda: len(shared.notes()) == 1)


def test_when_its_process_is_told_to_end_it_cleans_up_before(shared: Stand, send: Send) -> None:
    send("told", "before")
    send("slow", "ended")
    shared.until(lambda: "ended begins" in shared.notes())
    os.kill(int(shared.notes()[0].split()[-1]), signal.SIGTERM)
    shared.until(lambda: len(shared.notes()) == 4)
    assert shared.notes()[2:] == ["ended cancelled: its worker ends", "ended cleaned up"]


def test_a_direct_call_is_awaited_like_any_coroutine_function() -> None:
    app = celery_app("direct", TasksSettings.model_validate({"broker": "redis://127.0.0.1:1"}))

    @app.task
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    async def main() -> int:
        return await double(await double(3))  # type: ignore[no-any-return]

    assert asyncio.run(main()) == 12


def test_eagerly_it_runs_on_the_loop_of_the_process_which_a_coroutine_may_not_wait_for() -> None:
    app = celery_app("eager", TasksSettings.model_validate({"broker": "redis://127.0.0.1:1"}))

    @app.task
    async def inner(number: int) -> int:
        return number + 1

    @app.task
    async def outer(number: int) -> object:
        return inner.apply((number,)).get()

    try:
        assert inner.apply((1,)).get() == 2
        with pytest.raises(WrongThread, match="await"):
            outer.apply((1,)).get()
        with pytest.raises(WrongThread, match="await it"):
            in_loop(_waits_for_itself())
    finally:
        process.stop()


def test_a_coroutine_cannot_have_a_retry_published_while_its_loop_waits() -> None:
    app = celery_app("throws", TasksSettings.model_validate({"broker": "redis://127.0.0.1:1"}))

    @app.task(bind=True)
    async def again(self: Any) -> object:
        return self.retry(throw=False)

    try:
        with pytest.raises(WrongThread, match="raise it"):
            again.apply().get()
    finally:
        process.stop()


def test_what_does_not_run_here_cannot_be_cancelled_here() -> None:
    assert not cancel("no such task")


async def _waits_for_itself() -> None:
    in_loop(asyncio.sleep(0))
