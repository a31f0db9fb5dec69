"""The tasks themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from galvo_tasks.config.checks.case import Case
from galvo_tasks.config.doubles import doubles_of
from galvo_tasks.config.trap import Trap
from galvo_tasks.priority import Priority


def strangers(case: Case) -> Iterator[Trap]:
    for name in case.strangers:
        if isinstance(case.app.tasks[name], case.app.Task):
            text = "was made before configure(app), so that none of its promises hold: call that first"
        else:
            text = "has a base that is not galvo's Task, so that none of its promises hold: derive that from app.Task"
        yield Trap(name, text)


def doubles(case: Case) -> Iterator[Trap]:
    for double in doubles_of(case.app):
        text = (
            f"is the name of two tasks, and {double.second} is never run but {double.first} in its place: "
            "give one of them another name"
        )
        yield Trap(double.name, text)


def classes(case: Case) -> Iterator[Trap]:
    known = case.settings.classes
    for name, task in case.tasks.items():
        if task.runtime not in known:
            text = f"runtime={task.runtime!r} is no runtime class: there are {', '.join(known)} under [tasks.classes]"
            yield Trap(name, text)


def priorities(case: Case) -> Iterator[Trap]:
    """9 is last on Redis and first on RabbitMQ."""
    for name, task in case.tasks.items():
        value: Any = task.priority
        if value is None or isinstance(value, Priority) or value == case.conf.task_default_priority:
            continue
        if isinstance(value, int) and not isinstance(value, bool) and value in {int(one) for one in Priority}:
            here = Priority.of(case.kind, value).name
            text = f"priority={value} means {here} on this broker and the opposite on others: write Priority.{here}"
        else:
            text = f"priority={value!r} is none: write Priority.{', Priority.'.join(one.name for one in Priority)}"
        yield Trap(name, text)


def limits(case: Case) -> Iterator[Trap]:
    for name, task in case.tasks.items():
        soft, hard = task.soft_time_limit, task.time_limit
        if soft and hard and soft >= hard:
            text = f"soft_time_limit={soft:g} is not below time_limit={hard:g}, so that it never has time to clean up"
            yield Trap(name, f"{text}: lower it", fatal=False)
