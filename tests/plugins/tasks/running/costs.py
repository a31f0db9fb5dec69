"""What a task costs beside the work it does: `python -m tests.plugins.tasks.running.costs`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.app.trace import build_tracer
from celery.worker.request import Request as CeleryRequest
from kombu import Message

from galvo import Metric
from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.metering import recorder
from galvo_tasks.request import Request
from galvo_tasks.running import process

RUNS, ROUNDS = 3000, 9


def best(call: Callable[[], object]) -> float:
    """Microseconds of CPU of one call, in all threads."""
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(RUNS):
            call()
        times.append((time.process_time() - begun) / RUNS * 1e6)
    return min(times)


def traced(task: Any, app: Any) -> float:
    tracer = build_tracer(task.name, task, app=app)
    request = {"id": "1", "task": task.name, "ignore_result": True, "hostname": "h"}
    return best(lambda: tracer("1", (), {}, dict(request)))


def requested(cls: type[CeleryRequest], task: Any, app: Any) -> float:
    headers = {"id": "1", "task": task.name, "galvo-at": time.time()}

    def call() -> None:
        message = Message(
            body="[[], {}, {}]", headers=headers, content_type="application/json", content_encoding="utf-8",
            accept=["application/json"], properties={"priority": 5}, delivery_info={},
        )  # fmt: skip
        request = cls(message, app=app, task=task)
        request.on_accepted("1", time.monotonic())
        request.acknowledge()

    return best(call)


def main() -> None:
    logging.disable(logging.INFO)
    plain, app = Celery("plain", set_as_current=False), celery_app("app", SETTINGS)
    plain.conf.task_ignore_result = True

    def nothing() -> None: ...
    async def coroutine() -> None: ...

    theirs, ours, on_loop = plain.task(nothing), app.task(nothing), app.task(coroutine)
    print(f"in the child: Celery's task    {traced(theirs, plain):6.1f} us")
    print(f"              galvo's          {traced(ours, app):6.1f} us")
    print(f"              a coroutine task {traced(on_loop, app):6.1f} us")
    print(f"in the main process: Celery's request {requested(CeleryRequest, ours, app):6.1f} us")
    print(f"              galvo's          {requested(Request, ours, app):6.1f} us")
    heard: list[tuple[Metric, float]] = []
    recorder.send_to(lambda *what: heard.append(what))
    print(f"              and measured     {requested(Request, ours, app):6.1f} us")
    process.stop()


SETTINGS = TasksSettings.model_validate({"broker": "redis://127.0.0.1:1"})

if __name__ == "__main__":
    main()
