"""Who asks for the tasks of `work`, in the test's own process."""

from __future__ import annotations

import asyncio
from typing import Any

from galvo_tasks import celery_app
from galvo_tasks.jobs import Job, Progress
from galvo_tasks.jobs.ledger import ledger_of
from tests.plugins.tasks.stand import Stand

APP = "tests.plugins.tasks.results.work:app"
KEPT: dict[str, Any] = {"none": None, "nested": {"a": [1, 2.5, "\u00e9\U0001f600"], "b": {}}, "whole": 2**100}
"""Results of the task `value`."""


class Asking:
    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.app = celery_app("test", stand.settings)

    def ask(self, name: str, *args: Any, **options: Any) -> Job:
        """Publish it; the function itself is the worker's."""
        task = self.app.task(name=f"tests.plugins.tasks.results.work.{name}", keep_result=True, typing=False)(_nothing)
        return Job(task.apply_async(args, **options).id, self.app)

    def open(self, gate: str) -> None:
        (self.stand.folder / gate).touch()

    async def noted(self, text: str) -> None:
        """Until a task has noted it."""
        while text not in self.stand.notes():  # noqa: ASYNC110  # another process writes them
            await asyncio.sleep(0.01)

    def close(self) -> None:
        ledger_of(self.app).close()
        self.app.close()


def _nothing() -> None: ...


async def until(job: Job, text: str) -> list[Progress]:
    """All progress up to the one with this text."""
    seen = []
    async for update in job.progress():
        seen.append(update)
        if update.text == text:
            return seen
    raise AssertionError(f"ended without {text!r}: {seen}")
