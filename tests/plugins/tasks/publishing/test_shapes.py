"""What is used of Celery, kombu and redis-py beside their documented interfaces: an upgrade must not change it."""

from __future__ import annotations

import inspect
from typing import Any

import celery
import kombu
from amqp.exceptions import MessageNacked
from celery import Celery
from redis import Redis
from redis.connection import Connection, ConnectionPool

from galvo_tasks.publishing.publisher import publisher_of


def names(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_celery() -> None:
    expected = ["self", "args", "kwargs", "task_id", "producer", "link", "link_error", "shadow", "options"]
    assert names(celery.Task.apply_async) == expected
    assert names(celery.Task.signature_from_request) == ["self", "request", "args", "kwargs", "queue", "extra_options"]
    assert {"connect_timeout", "transport_options"} <= set(names(Celery.connection)) | {"kwargs"}


def test_kombu() -> None:
    assert names(kombu.Producer.publish)[:3] == ["self", "body", "routing_key"]
    assert {"content_type", "content_encoding", "headers", "compression"} <= set(names(kombu.Producer.publish))
    assert names(kombu.Connection.collect) == ["self", "socket_timeout"]
    assert issubclass(MessageNacked, Exception)


def test_a_task_knows_its_arguments_and_a_channel_its_pool(noted: Any, redis: Redis) -> None:
    noted.__header__("a", seconds=1.0)
    noted.delay("a")
    (link,) = publisher_of(noted.app)._idle
    pool = link.connection.default_channel.pool
    assert isinstance(pool, ConnectionPool)
    assert {"get_connection", "release"} <= set(dir(pool))
    assert names(Connection.check_health) == ["self"]
    assert pool.connection_kwargs["socket_timeout"] == 5.0
    assert not pool.connection_kwargs.get("retry")  # nothing is sent twice behind our back
