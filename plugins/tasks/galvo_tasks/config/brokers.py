"""How connections to a broker behave."""

from __future__ import annotations

from typing import Any

from galvo_tasks.settings import TasksSettings

OF_DEADLINE = 0.4
"""Share of the deadline for publishing that one attempt to connect, to send or to read may take: two of them fit."""
WORKER_SILENCE = 15.0
"""Seconds; well above the second for which a worker asks Redis to wait for a task."""
HEALTH_CHECK = 25
"""Seconds between looks whether an idle connection still stands."""


def transport_options(kind: str, settings: TasksSettings, *, worker: bool = False) -> dict[str, Any]:
    """kombu's `broker_transport_options` for "redis" or "amqp"; `worker`: of a process that waits for tasks."""
    deadline = settings.deadline
    patience = WORKER_SILENCE if worker else deadline * OF_DEADLINE
    if kind == "amqp":
        return {"confirm_publish": True, "read_timeout": patience, "write_timeout": patience}
    return {
        "lease": settings.lease,
        "priority_steps": tuple(range(10)),  # others publish with numbers that are no Priority
        "queue_order_strategy": "priority",
        "socket_connect_timeout": deadline * OF_DEADLINE,
        "socket_timeout": patience,
        "socket_keepalive": True,
        "health_check_interval": HEALTH_CHECK,
        "retry_on_timeout": False,  # what has been published is not to be sent again
    }
