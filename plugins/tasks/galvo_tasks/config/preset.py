"""What Celery is told, from the settings."""

from __future__ import annotations

from typing import Any

from kombu import Queue

from galvo_tasks.broker.address import kombu_url, plain_url
from galvo_tasks.broker.transport import register
from galvo_tasks.config.brokers import OF_DEADLINE, transport_options
from galvo_tasks.config.routes import DEFAULT_CLASS, Router, queue_name
from galvo_tasks.priority import HIGHEST_OF_RABBITMQ, Priority
from galvo_tasks.settings import TasksSettings

__all__ = ["kind_of", "preset", "queue_name"]


def kind_of(url: str) -> str:
    """ "redis" or "amqp"."""
    return "amqp" if url.startswith(("amqp", "pyamqp")) else "redis"


def preset(name: str, settings: TasksSettings, broker: str) -> dict[str, Any]:
    """Celery's configuration of the application `name` with the broker at this address.

    What is left out is Celery's own default; research/operations.md 2e and 6C tell what each is worth.
    """
    kind = kind_of(broker)
    arguments = {"x-max-priority": HIGHEST_OF_RABBITMQ} if kind == "amqp" else None
    register()
    return {
        # Where tasks wait; Redis by galvo's own transport
        "broker_url": plain_url(broker),
        "broker_read_url": kombu_url(broker),
        "broker_write_url": kombu_url(broker),
        "broker_transport_options": transport_options(kind, settings),
        "broker_connection_timeout": settings.deadline * OF_DEADLINE,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # workers outlive any outage
        "broker_heartbeat": 0,  # nobody sends them for connections that only publish
        "task_queues": [Queue(queue_name(name, runtime), queue_arguments=arguments) for runtime in settings.classes],
        "task_default_queue": queue_name(name, DEFAULT_CLASS),
        "task_create_missing_queues": False,
        "task_routes": [Router(name, tuple(settings.classes), kind)],
        "worker_detect_quorum_queues": False,
        # Priorities: nothing is fetched before it can run, and a task without one is neither first nor last
        "task_default_priority": Priority.NORMAL.on(kind),
        "task_inherit_parent_priority": False,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": kind == "redis",
        "worker_eta_task_limit": 1000,
        # What a lost worker leaves behind
        "task_acks_late": True,
        "worker_consumer": "galvo_tasks.guard.consumer:Consumer",
        "broker_channel_error_retry": kind == "amqp",  # a task that takes over half an hour: see guard.consumer
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # Only what is needed is sent, kept and accepted
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_enable_remote_control": False,
        "task_publish_retry": True,
        "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2},
        # Its processes
        "worker_proc_alive_timeout": 15.0,
        "worker_redirect_stdouts": False,
    }


def worker_preset(settings: TasksSettings, broker: str) -> dict[str, Any]:
    """What is different in a process that waits for tasks."""
    options = transport_options(kind_of(broker), settings, worker=True)
    return {"broker_transport_options": options, "broker_heartbeat": 30}
