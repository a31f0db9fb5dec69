"""Publishes what is in the table."""

from __future__ import annotations

from typing import Any, Final, cast

import anyio
from celery import Celery
from kombu.exceptions import DecodeError
from kombu.serialization import loads

from galvo import Context, Leasing, Session
from galvo_tasks.config.errors import UnknownClass
from galvo_tasks.jobs.errors import JobProblem, ResultsAway
from galvo_tasks.outbox import table
from galvo_tasks.priority import Priority
from galvo_tasks.publishing.asking import asked
from galvo_tasks.publishing.problems import Refused
from galvo_tasks.settings import settings_of
from galvo_tasks.task import Task

BATCH: Final = 100
POLL: Final = 1.0
"""Seconds between looks at an empty table."""
PAUSES: Final = (1.0, 2.0, 5.0, 10.0)
"""Seconds, while the broker or the database is away."""
HOPELESS: Final = (Refused, UnknownClass, JobProblem, DecodeError, TypeError, ValueError)
"""Trying it again gives the same."""


class Relay:
    """Of one application: several may run, and take turns.

    A batch is deleted when the broker has confirmed all of it. Whoever is killed in between leaves it to the next one,
    which publishes it again: with the same key, so that it is not doubled on Redis.
    """

    def __init__(self, context: Context, app: Celery[Any]) -> None:
        self._context = context
        self._app = app
        self.published = 0
        self._prepared = False
        self._ending = anyio.Event()

    async def run(self) -> None:
        """Until it is told to end, or cancelled."""
        failures = 0
        while not self._ending.is_set():
            try:
                more = await self.batch()
            except Exception as error:  # noqa: BLE001  # whatever it is, it must not end the relay
                self._prepared = False
                if not failures:
                    self._context.log.warning("the outbox waits: %s", error)
                await self._rest(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
                continue
            if failures:
                self._context.log.info("the outbox goes on")
                failures = 0
            if not more:
                await self._rest(POLL)

    def end(self) -> None:
        """After the task that is being published."""
        self._ending.set()

    async def _rest(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            await self._ending.wait()

    async def batch(self) -> bool:
        """Publish the next ones; whether there may be more. Raises what publishing does, and the database's errors."""
        async with Leasing(self._context.run, origin=self._context.origin).transaction() as session:
            if not self._prepared:
                await table.prepare(session)
            more, failed = await self._some(session, list(self._app.tasks))
            if isinstance(failed, ResultsAway):  # which keeps only those that have one
                others = [name for name, task in self._app.tasks.items() if not getattr(task, "keep_result", False)]
                rest, other = True, None
                while rest and other is None and not self._ending.is_set():
                    rest, other = await self._some(session, others)
                failed = other or failed
        self._prepared = True
        if failed is not None:
            raise failed
        return more

    async def _some(self, session: Session, tasks: list[str]) -> tuple[bool, Exception | None]:
        """Publish the next ones of these tasks: whether there may be more, and what has ended it early."""
        failed: Exception | None = None
        rows = await table.take(session, str(self._app.main), tasks, BATCH)
        done = []
        for row in rows:
            if self._ending.is_set():
                break
            try:
                await self._publish(row)
            except Exception as error:  # noqa: BLE001  # it is raised when what was published is written down
                if isinstance(error, ResultsAway) or not isinstance(error, HOPELESS):
                    failed = error
                    break
                self._context.log.error("outbox: task %s (%s) is held: %s", row["task"], row["task_id"], error)
                await table.hold(session, row["id"], str(error))
            else:
                done.append(row["id"])
        if done:
            await table.done(session, done)
        self.published += len(done)
        return len(rows) == BATCH, failed

    async def _publish(self, row: Any) -> None:
        task = cast("Task", self._app.tasks[row["task"]])
        args, kwargs = loads(row["body"], "application/json", "utf-8", accept={"application/json"})
        options: dict[str, Any] = {"priority": Priority(row["priority"])}
        if row["delay"] is not None:
            options["countdown"] = max(0.0, row["delay"])
        if row["expires"] is not None:
            options["expires"] = max(0.001, row["expires"])
        options = asked(task, options, row["task_id"])
        deadline = settings_of(self._app).deadline
        await task.send(row["task_id"], args, kwargs, options, keyed=True, deadline=deadline)
