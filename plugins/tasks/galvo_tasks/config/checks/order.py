"""Which task goes first."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_tasks.config.checks.case import Case
from galvo_tasks.config.trap import Trap
from galvo_tasks.priority import HIGHEST_OF_RABBITMQ, Priority

KOMBU_STEPS = (0, 3, 6, 9)
"""Those of kombu's Redis transport when nothing is said."""


def default_priority(case: Case) -> Iterator[Trap]:
    name, value, right = "task_default_priority", case.conf.task_default_priority, Priority.NORMAL.on(case.kind)
    if value is None:
        place = "before all others" if case.kind == "redis" else "after all others"
        yield Trap(name, f"without it a task that names no priority goes {place}: set it to {right}")
    elif not isinstance(value, int) or not 0 <= value <= HIGHEST_OF_RABBITMQ:
        yield Trap(name, f"{value!r} is outside of 0 to {HIGHEST_OF_RABBITMQ}: set it to {right}")
    elif case.conf.task_inherit_parent_priority:
        text = "hands the broker's number of a task on to what it starts, against their own: set it to False"
        yield Trap("task_inherit_parent_priority", text, fatal=False)


def steps(case: Case) -> Iterator[Trap]:
    """Redis has a list per step; a priority between two steps waits in the list of the one below."""
    if case.kind != "redis":
        return
    name, given = "broker_transport_options", tuple(case.options.get("priority_steps") or KOMBU_STEPS)
    if list(given) != sorted(set(given)) or 0 not in given:
        yield Trap(name, f"priority_steps {list(given)} have to begin with 0 and to rise")
        return
    lists: dict[int, Priority] = {}
    for priority in Priority:
        step = max(one for one in given if one <= priority)
        if step in lists:
            first = lists[step].name
            text = f"priority_steps {list(given)} put {first} and {priority.name} into one list: leave them out"
            yield Trap(name, text)
            return
        lists[step] = priority


def queues(case: Case) -> Iterator[Trap]:
    if case.kind == "redis":
        strategy = case.options.get("queue_order_strategy", "round_robin")
        if strategy != "priority":
            text = (
                f"queue_order_strategy {strategy!r} takes from a worker's classes in turn, so that the first one's "
                'tasks wait for the others\': set it to "priority"'
            )
            yield Trap("broker_transport_options", text)
        return
    for queue in case.conf.task_queues or ():
        highest = (queue.queue_arguments or {}).get("x-max-priority")
        if highest != HIGHEST_OF_RABBITMQ:
            text = f"queue {queue.name} has x-max-priority {highest}, without which RabbitMQ knows no order: set it to "
            yield Trap("task_queues", f"{text}{HIGHEST_OF_RABBITMQ}")
        if (queue.queue_arguments or {}).get("x-queue-type") == "quorum":
            text = f"queue {queue.name} is a quorum queue, which knows two priorities only: use a classic one"
            yield Trap("task_queues", text)
