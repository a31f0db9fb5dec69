"""`await task.submit(...)`, and `task.apply_async(...)` with a time limit."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import celery
from celery.utils import uuid

from galvo_tasks.broker.headers import KEY
from galvo_tasks.jobs.job import Job
from galvo_tasks.priority import Priority
from galvo_tasks.publishing.asking import asked, id_of, key_checked, seconds
from galvo_tasks.publishing.attempt import Attempt
from galvo_tasks.publishing.following import Followed, ended_of
from galvo_tasks.publishing.problems import Refused
from galvo_tasks.publishing.producer import Producer, serialised
from galvo_tasks.publishing.publisher import publisher_of
from galvo_tasks.settings import settings_of

if TYPE_CHECKING:
    from galvo_tasks.task import Task


class Submitting(celery.Task[Any, Any]):
    """Mixed into `Task`: how one is asked for."""

    abstract = True

    async def submit(
        self,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        priority: Priority | None = None,
        delay: float | None = None,
        expires: float | None = None,
        key: str | None = None,
        deadline: float | None = None,
    ) -> Job:
        """Ask for this task; returns when the broker has it. The event loop never waits.

        `delay`: seconds until it may begin; `expires`: seconds after which it is not begun any more; `key`: asked for
        twice with the same key, it is one task; `deadline`: seconds this may take. Do not change the arguments
        meanwhile. Cancelled, it is not sent, unless it was on its way.

        Raises Refused when it is asked for wrongly, and NotPublished when the broker does not take it; its
        `may_arrive` tells whether the task may run nevertheless, as its `id`.
        """
        task = cast("Task", self)
        if task.app.conf.task_always_eager:  # it would hold the loop, or a thread that is there to publish
            raise Refused(
                f"task {task.name} is submitted with task_always_eager: await {task.name}(...) itself if it is a "
                "coroutine, or use delay(); else turn task_always_eager off"
            )
        limit = seconds("deadline", deadline, 0.001) or settings_of(task.app).deadline
        options: dict[str, Any] = {
            "priority": priority,
            "countdown": seconds("delay", delay),
            "expires": seconds("expires", expires),
        }
        id = id_of(task, key) if key_checked(key) else uuid()
        options = {name: value for name, value in options.items() if value is not None}
        options = asked(task, options, id if key else None)
        await self.send(id, args, kwargs, options, keyed=bool(key), deadline=limit)
        return Job(id, task.app)

    async def send(
        self, id: str, args: Any, kwargs: Any, options: dict[str, Any], *, keyed: bool, deadline: float
    ) -> None:
        """Publish it with `options` of `asked`. Raises NotPublished, and what publishing raises."""
        attempt = Attempt(self.name, id, deadline, keyed)
        publisher = publisher_of(self.app)

        def call(producer: Producer) -> Any:
            return super(Submitting, self).apply_async(
                args, kwargs, task_id=id, producer=producer, add_to_parent=False, **options
            )

        begun = asyncio.wrap_future(publisher.begin(attempt, options["queue"], call))
        try:
            async with asyncio.timeout(deadline):
                await begun
        except TimeoutError:
            raise publisher.late(attempt) from None
        except asyncio.CancelledError:
            attempt.abandon()
            raise

    def apply_async(  # type: ignore[override]  # the stubs name each option
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        task_id: str | None = None,
        producer: Any = None,
        **options: Any,
    ) -> Any:
        """Celery's, within the deadline; raises what `submit` does. In a coroutine: use that.

        What follows a task that has ended is asked for as `Followed.ask` does.
        """
        task = cast("Task", self)
        parent = task.app.current_worker_task
        if ended := ended_of(parent):
            task_id = task_id or uuid()
            # Without the producer that a group brings, whose connection may be the one that is lost.
            return ended.ask(task, task_id, options, partial(self._ask, args, kwargs, task_id, None))
        return self._ask(args, kwargs, task_id, producer, options, settings_of(task.app).deadline)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        followed = Followed.of(self)
        given = super().__call__(*args, **kwargs)
        if followed is not None:
            followed.ended = True
        return given

    def _ask(
        self, args: Any, kwargs: Any, task_id: str | None, producer: Any, options: dict[str, Any], deadline: float
    ) -> Any:
        task = cast("Task", self)
        options = asked(task, options)
        if producer is not None or options.get("connection") is not None or task.app.conf.task_always_eager:
            serialised(self.name, (args or (), kwargs or {}), settings_of(task.app).payload_bytes)
            return super().apply_async(args, kwargs, task_id=task_id, producer=producer, **options)
        parent = task.app.current_worker_task
        if parent:
            options.setdefault("root_id", parent.request.root_id or parent.request.id)
            options.setdefault("parent_id", parent.request.id)
        attempt = Attempt(self.name, task_id or uuid(), deadline, keyed=KEY in options["headers"])
        publisher = publisher_of(task.app)

        def call(producer: Producer) -> Any:
            return super(Submitting, self).apply_async(
                args, kwargs, task_id=attempt.id, producer=producer, **{**options, "add_to_parent": False}
            )

        begun = publisher.begin(attempt, options["queue"], call, patient=bool(parent))
        try:
            given = begun.result(attempt.seconds)
        except TimeoutError:
            raise publisher.late(attempt) from None
        except BaseException:  # a time limit of the task that asks, Ctrl-C
            attempt.abandon()
            raise
        if parent and options.get("add_to_parent", True):
            parent.add_trail(given)
        return given
