"""What may be asked for, as Celery wants it told."""

from __future__ import annotations

import math
import time
import uuid
from typing import TYPE_CHECKING, Any, TypeGuard

from celery import Celery
from kombu import Queue

from galvo_tasks.broker.headers import AT, DAY, DELAY, KEY, KEY_TTL
from galvo_tasks.config.errors import UnknownClass
from galvo_tasks.config.preset import kind_of, queue_name
from galvo_tasks.priority import Priority
from galvo_tasks.publishing.problems import Refused
from galvo_tasks.settings import settings_of

if TYPE_CHECKING:
    from galvo_tasks.task import Task

KEYS = uuid.UUID("6f2c2c54-9d0b-4c52-8f0b-5a6d2d8f1f0a")
"""What ids made from keys are made in."""


def id_of(task: Task, key: str) -> str:
    """The id of the task that has this key: always the same."""
    return str(uuid.uuid5(KEYS, f"{task.app.main}\0{task.name}\0{key}"))


def key_checked(key: Any) -> TypeGuard[str]:
    """Whether there is one. Raises Refused for what cannot be one."""
    if key is not None and not (isinstance(key, str) and key):
        raise Refused(f"key = {key!r}: a text is wanted")
    return key is not None


def asked(task: Task, options: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """`apply_async`'s options with priority, queue and headers as they are to be; `key`: of `id_of`.

    Raises Refused, UnknownClass.
    """
    priority, queue = _priority(task, options), _queue(task, options)
    if options.get("serializer") not in (None, "json"):
        raise Refused(f"task {task.name} with serializer={options['serializer']!r}: only json is read by workers")
    if key and not task.idempotent and kind(task.app) == "amqp":
        raise Refused(
            f"task {task.name} by a key or the outbox: RabbitMQ cannot tell that a message comes twice; set "
            "idempotent=True on the task, if running it twice does no harm, or use Redis as the broker"
        )
    changed = {"priority": priority, "queue": queue, "headers": _headers(options, key), "serializer": "json"}
    return {"argsrepr": "", "kwargsrepr": "", **options, **changed, "retry": False}


def _headers(options: dict[str, Any], key: str | None) -> dict[str, Any]:
    """Those given, with our own: a retry brings the ones of its first message, and is a message of its own."""
    headers = {name: value for name, value in (options.get("headers") or {}).items() if name not in (AT, DELAY)}
    headers[AT] = round(time.time(), 3)
    if options.get("countdown"):
        headers[DELAY] = float(options["countdown"])
    if key:
        headers |= {KEY: key, KEY_TTL: DAY}
    return headers


def seconds(name: str, value: Any, least: float = 0.0) -> float | None:
    """A number of seconds that is none is refused. Raises Refused."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < least:
        raise Refused(f"{name} = {value!r}: a number of seconds is wanted, {least:g} or more")
    return float(value)


def kind(app: Celery[Any]) -> str:
    return kind_of(str(app.conf.broker_write_url))


def _priority(task: Task, options: dict[str, Any]) -> int | None:
    """The broker's number."""
    wanted = options.get("priority")
    if wanted is None:
        wanted = task.priority
        return wanted.on(kind(task.app)) if isinstance(wanted, Priority) else wanted
    if isinstance(wanted, Priority):
        return wanted.on(kind(task.app))
    if options.get("retries"):  # Celery's own: what the broker said of the message that failed
        return int(wanted)
    if options.get("root_id") and wanted in Priority.__members__.values():  # a signature that travelled as JSON
        return Priority(wanted).on(kind(task.app))
    names = ", ".join(f"Priority.{one.name}" for one in Priority)
    raise Refused(f"task {task.name} with priority={wanted!r}: brokers count in opposite directions; say {names}")


def _queue(task: Task, options: dict[str, Any]) -> Queue:
    wanted = options.get("queue")
    if wanted is None:
        classes = settings_of(task.app).classes
        if task.runtime not in classes:
            raise UnknownClass(f"runtime={task.runtime!r} of task {task.name}", classes)
        wanted = queue_name(str(task.app.main), task.runtime)
    name = wanted.name if isinstance(wanted, Queue) else wanted
    known = task.app.amqp.queues
    if name not in known:
        raise Refused(
            f"task {task.name} with queue={name!r}: no worker takes from it; there are {', '.join(sorted(known))}"
        )
    found: Queue = known[name]
    return found
