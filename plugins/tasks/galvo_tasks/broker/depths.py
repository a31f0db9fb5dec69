"""How many tasks wait in each queue, and since when."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.transport import redis as kombu
from redis import Redis
from redis.exceptions import RedisError

from galvo_tasks.broker.address import redis_url
from galvo_tasks.broker.headers import AT
from galvo_tasks.config.preset import kind_of
from galvo_tasks.errors import NoBroker
from galvo_tasks.priority import Priority

PATIENCE = 3.0
"""Seconds."""
STEPS = range(10)


class Depth(msgspec.Struct, frozen=True):
    """Of one priority of one queue in which some wait."""

    queue: str
    priority: Priority | None
    """None: RabbitMQ does not tell them apart."""
    tasks: int
    """Those that could run now: neither the delayed ones nor those that run."""
    oldest: float | None
    """Seconds since it was published, or since its delay ended; None: nobody knows."""


def depths(url: str, queues: Sequence[str], *, prefix: str = "", sep: str = kombu.Channel.sep) -> list[Depth]:
    """Of these queues of the broker at this address, in their order; blocks for a round trip or two.

    `prefix`, `sep`: kombu's global_keyprefix and sep, where they are set. Raises NoBroker.
    """
    try:
        return _rabbitmq(url, queues) if kind_of(url) == "amqp" else _redis(url, queues, prefix, sep)
    except (RedisError, OperationalError, OSError) as error:
        raise NoBroker(f"how many tasks wait cannot be asked: {error}; is the broker under [tasks] there?") from error


def _redis(url: str, queues: Sequence[str], prefix: str, sep: str) -> list[Depth]:
    lists = [
        (queue, step, f"{prefix}{queue}{sep}{step}" if step else prefix + queue) for queue in queues for step in STEPS
    ]
    options: Any = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    with Redis.from_url(redis_url(url), **options) as client, client.pipeline(transaction=False) as pipe:
        pipe.time()
        for _, _, name in lists:
            pipe.llen(name)
        (seconds, micros), *lengths = pipe.execute()
        filled = [(*one, length) for one, length in zip(lists, lengths, strict=True) if length]
        for _, _, name, _ in filled:
            pipe.lindex(name, -1)  # the one that is taken next
        heads = pipe.execute() if filled else []
    now = seconds + micros / 1e6
    tasks: dict[tuple[str, Priority], int] = defaultdict(int)
    since: dict[tuple[str, Priority], list[float]] = defaultdict(list)
    for (queue, step, _, length), head in zip(filled, heads, strict=True):
        found = queue, Priority.of("redis", step)
        tasks[found] += length
        if (at := _published(head)) is not None:
            since[found].append(at)
    order = {queue: number for number, queue in enumerate(queues)}
    return [
        Depth(queue, priority, number, max(0.0, now - min(since[queue, priority])) if since[queue, priority] else None)
        for (queue, priority), number in sorted(tasks.items(), key=lambda item: (order[item[0][0]], item[0][1]))
    ]


def _published(raw: bytes | None) -> float | None:
    """What whoever published the message says."""
    try:
        at = json.loads(raw or b"null")["headers"][AT]
        return float(at) if isinstance(at, int | float) else None
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return None


def _rabbitmq(url: str, queues: Sequence[str]) -> list[Depth]:
    with Connection(url, connect_timeout=PATIENCE) as connection:
        found = [(queue, _waiting(connection, queue)) for queue in queues]
        return [Depth(queue, None, tasks, None) for queue, tasks in found if tasks]


def _waiting(connection: Connection, queue: str) -> int:
    """0 for one that nobody has declared yet, which ends the channel that asked."""
    channel: Any
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:
            return 0
