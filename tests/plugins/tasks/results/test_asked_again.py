"""The same id, or the same key, a second time."""

from __future__ import annotations

import pytest

from galvo_tasks.jobs import JobProblem, State
from galvo_tasks.jobs.ledger import ledger_of
from tests.plugins.tasks.results.asking import Asking

pytestmark = pytest.mark.anyio


async def test_an_id_that_has_ended_begins_anew(idle: Asking) -> None:
    ledger = ledger_of(idle.app)
    job = idle.ask("counted", 1, task_id="fixed")
    ledger.begin(job.id)
    ledger.leave(job.id, State.DONE, result="1")
    idle.ask("counted", 2, task_id="fixed", retries=1)  # a retry that was published late
    assert await job.result(timeout=1) == 1
    idle.ask("counted", 2, task_id="fixed")
    assert await job.state() is State.WAITING
    assert ledger.begin(job.id) is State.RUNNING
    idle.ask("counted", 3, task_id="fixed")
    assert await job.state() is State.RUNNING
    ledger.fail(job.id, "ValueError", "why")
    idle.ask("counted", 4, task_id="fixed")
    assert await job.state() is State.WAITING


async def test_the_id_of_a_cancelled_one_is_refused(idle: Asking) -> None:
    """Its message may wait still: it would run instead of not at all."""
    job = idle.ask("counted", 1, task_id="fixed")
    await job.cancel()
    with pytest.raises(JobProblem, match="job fixed was cancelled: ask for it with another task_id"):
        idle.ask("counted", 1, task_id="fixed")
    assert await job.state() is State.CANCELLED
