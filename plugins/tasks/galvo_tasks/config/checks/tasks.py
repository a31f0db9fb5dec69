"""The tasks themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from galvo_tasks.config.checks.case import Case
from galvo_tasks.config.doubles import doubles_of
from galvo_tasks.config.trap import Trap
from galvo_tasks.priority import Priority

SHOWN = 5
"""Names of tasks in one sentence."""


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


def rates(case: Case) -> Iterator[Trap]:
    """Nothing is taken before it can run: what waits for its rate has the place of what could run."""
    conf = case.conf
    if conf.worker_disable_rate_limits:
        return
    common = conf.task_default_rate_limit
    text = (
        "holds a place in the worker while it waits, before all that is more urgent: leave it out, and use a class of "
        "its own with concurrency"
    )
    if common:
        yield Trap("task_default_rate_limit", f"{common} {text}")
    for name, task in case.tasks.items():
        if task.rate_limit and task.rate_limit != common:
            yield Trap(name, f"rate_limit={task.rate_limit!r} {text}")


def limits(case: Case) -> Iterator[Trap]:
    for name, task in case.tasks.items():
        soft, hard = task.soft_time_limit, task.time_limit
        if soft and hard and soft >= hard:
            text = f"soft_time_limit={soft:g} is not below time_limit={hard:g}, so that it never has time to clean up"
            yield Trap(name, f"{text}: lower it", fatal=False)


def threads(case: Case) -> Iterator[Trap]:
    for name, runtime in case.settings.classes.items():
        plain = [task.name for task in case.tasks.values() if task.runtime == name and not task.is_coroutine]
        if runtime.pool == "threads" and plain:
            shown = ", ".join(plain[:SHOWN]) + (f" and {len(plain) - SHOWN} more" if len(plain) > SHOWN else "")
            text = f'pool = "threads" cannot end what is no coroutine, so that time_limit does not hold for {shown}'
            yield Trap(f"classes.{name}", f'{text}: set it to "processes"', fatal=False)
