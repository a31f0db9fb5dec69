"""What Celery is told, from the settings."""

from __future__ import annotations

from typing import Any

from kombu import Queue

from galvo_tasks.broker.address import kombu_url
from galvo_tasks.broker.transport import register
from galvo_tasks.priority import HIGHEST_OF_RABBITMQ, Priority
from galvo_tasks.settings import TasksSettings


def queue_name(app: str, runtime: str) -> str:
    """The queue of a runtime class: those of several applications may share a broker."""
    return f"{app}.{runtime}"


def kind_of(url: str) -> str:
    """ "redis" or "amqp"."""
    return "amqp" if url.startswith(("amqp", "pyamqp")) else "redis"


def preset(name: str, settings: TasksSettings, broker: str) -> dict[str, Any]:
    """Celery's configuration of the application `name` with the broker at this address."""
    kind = kind_of(broker)
    arguments = {"x-max-priority": HIGHEST_OF_RABBITMQ} if kind == "amqp" else None
    quick = queue_name(name, "quick")
    register()
    return {
        "broker_url": kombu_url(broker),
        "task_queues": [Queue(queue_name(name, runtime), queue_arguments=arguments) for runtime in settings.classes],
        "task_default_queue": quick,
        "task_default_priority": Priority.NORMAL.on(kind),
        "task_ignore_result": True,
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": kind == "redis",
        "broker_transport_options": {"lease": settings.lease} if kind == "redis" else {},
    }
