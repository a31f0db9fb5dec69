"""One connection for publishing, whose every step has a time limit."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from amqp.exceptions import MessageNacked
from celery import Celery

from galvo_tasks.config.preset import kind_of
from galvo_tasks.errors import NoBroker
from galvo_tasks.publishing.producer import Producer

HEALTHY = 5
"""Seconds without use after which a connection is asked whether it lives, before a task is entrusted to it."""


class Link:
    """One thread at a time uses it. `seconds`: for each step of connecting, and for each answer."""

    def __init__(self, app: Celery[Any], seconds: float) -> None:
        if not app.conf.broker_write_url:
            raise NoBroker(f"application {app.main} has no broker yet: set broker under [tasks]")
        self.kind = kind_of(str(app.conf.broker_write_url))
        options = _amqp(seconds) if self.kind == "amqp" else _redis(seconds)
        self.connection = app.connection_for_write(connect_timeout=seconds, transport_options=options)
        self.knows_keys = self.kind == "redis"
        """A second message with the same key adds nothing."""
        self.producer: Producer | None = None
        self._declared: set[str] = set()
        self.used = False
        """It has published, so it was alive once."""

    def ready(self, queue: Any) -> Producer:
        """A producer whose connection lives and knows `queue`. Nothing of a task has been sent when this raises."""
        if self.producer is None:
            self.producer = Producer(self.connection, auto_declare=False)
            if self.kind == "redis":  # kombu has asked by its second connection, for workers, whether Redis is there
                self.connection.default_channel.async_pool.disconnect()  # type: ignore[attr-defined]
        elif self.kind == "amqp":
            with suppress(TimeoutError):  # nothing is left to read, so it was not closed
                while True:
                    self.connection.drain_events(timeout=0)
        else:
            pool = self.connection.default_channel.pool  # type: ignore[attr-defined]  # kombu's Redis channel
            taken = pool.get_connection()
            try:
                taken.check_health()
            finally:
                pool.release(taken)
        if queue.name not in self._declared:  # kombu makes a copy of it to find out
            self.producer.maybe_declare(queue)
            self._declared.add(queue.name)
        return self.producer

    def lost(self, error: BaseException) -> bool:
        """Whether `error` says that the connection is gone, rather than that the broker refused something."""
        return isinstance(error, (OSError, *self.connection.connection_errors)) and not self.refused(error)

    def refused(self, error: BaseException) -> bool:
        """Whether `error` is the broker's answer."""
        return isinstance(error, (MessageNacked, *self.connection.channel_errors))

    def close(self) -> None:
        """At once: a broker that is silent is not asked to agree."""
        with suppress(Exception):
            self.connection.collect(0.1)


def _redis(seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "socket_keepalive": True,
        "health_check_interval": HEALTHY,
        "retry_on_timeout": False,
        "max_retries": 0,
    }


def _amqp(seconds: float) -> dict[str, Any]:
    return {"read_timeout": seconds, "write_timeout": seconds, "confirm_publish": True, "max_retries": 0}
