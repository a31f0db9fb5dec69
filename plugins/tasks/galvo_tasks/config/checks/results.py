"""What is kept and sent though nobody asked for it, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_tasks.config.checks.case import Case
from galvo_tasks.config.trap import Trap


def kept(case: Case) -> Iterator[Trap]:
    keeping = [name for name, task in case.tasks.items() if not task.ignore_result]
    if not case.conf.task_ignore_result:
        text = "False writes a result for every task, which is half of its cost: set it to True"
        yield Trap("task_ignore_result", text, fatal=False)
    elif keeping and case.conf.result_backend:
        text = "ignore_result=False keeps Celery's own result of it: use keep_result=True, which has progress as well"
        yield from (Trap(name, text, fatal=False) for name in keeping)
    elif case.conf.result_backend:
        yield Trap("result_backend", "no task keeps a result in it: leave it out", fatal=False)


def wanted(case: Case) -> Iterator[Trap]:
    """The broker does where it is a Redis."""
    if case.kind == "redis" or case.settings.results.get_secret_value():
        return
    for name, task in case.tasks.items():
        if task.keep_result:
            text = "keep_result=True has nowhere to keep it on RabbitMQ: set results = redis://... under [tasks]"
            yield Trap(name, text)


def events(case: Case) -> Iterator[Trap]:
    for name in ("worker_send_task_events", "task_send_sent_event"):
        if case.conf[name]:
            text = "True sends messages about every task, which adds up to 70 % to its cost: set it to False"
            yield Trap(name, text, fatal=False)
