"""Asking for a task in a transaction."""

from __future__ import annotations

from typing import Any, cast

from celery.utils import uuid

from galvo_tasks.jobs.job import Job
from galvo_tasks.outbox import table
from galvo_tasks.priority import Priority
from galvo_tasks.publishing.asking import asked, id_of, key_checked, seconds
from galvo_tasks.publishing.problems import Refused
from galvo_tasks.publishing.producer import serialised
from galvo_tasks.settings import settings_of
from galvo_tasks.task import Task


async def outbox(
    session: Any,
    task: Task,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    priority: Priority | None = None,
    delay: float | None = None,
    expires: float | None = None,
    key: str | None = None,
) -> Job:
    """Like `task.submit`, when and if the transaction of `session` commits.

    `session`: `async with kernel.transaction() as session`, or a connection of asyncpg in a transaction. A relay
    publishes it: set `outbox` under [tasks] in a process that runs. The urgent ones go first, those of a priority in
    the order in which they were asked for.

    Raises Refused, UnknownClass, OutboxProblem, and the database's errors.
    """
    if not session.is_in_transaction():
        raise Refused(f"task {task.name} outside of a transaction: use outbox() within one, or await task.submit()")
    id = id_of(task, key) if key_checked(key) else uuid()
    asked(task, {} if priority is None else {"priority": priority}, id)
    if task.typing:
        cast(Any, task).__header__(*args, **(kwargs or {}))
    _, _, body = serialised(task.name, (args, kwargs or {}), settings_of(task.app).payload_bytes)
    wanted = priority if priority is not None else _usual(task)
    await table.prepare(session)
    await table.add(
        session, str(task.app.main), task.name, id, int(wanted), body.decode(), seconds("delay", delay),
        seconds("expires", expires),
    )  # fmt: skip
    return Job(id, task.app)


def _usual(task: Task) -> Priority:
    return task.priority if isinstance(task.priority, Priority) else Priority.NORMAL
