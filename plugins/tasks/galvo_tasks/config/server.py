"""What the broker's server says of itself."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from kombu import Connection
from redis import Redis
from redis.exceptions import RedisError
from redis.exceptions import ResponseError as Refused

from galvo_tasks.broker.address import redis_url
from galvo_tasks.config.preset import kind_of
from galvo_tasks.config.url import masked
from galvo_tasks.errors import NoBroker

PATIENCE = 3.0
"""Seconds."""


class Server(msgspec.Struct, frozen=True):
    """What is empty or None nobody knows: of Redis much, of RabbitMQ little is told to a client."""

    title: str
    """ "Redis 7.2.4"."""
    role: str = ""
    policy: str = ""
    """maxmemory-policy."""
    maxmemory: int = 0
    """Bytes; 0: no limit."""
    appendonly: bool | None = None
    snapshots: bool | None = None
    """RDB files, as `save` says."""
    most: int | None = None
    """Connections that it takes: maxclients."""
    connected: int | None = None


def server(url: str) -> Server:
    """The one at this address, as kombu or redis-py write it. Raises NoBroker when it cannot be reached."""
    if kind_of(url) == "amqp":
        return _rabbitmq(url)
    try:
        with Redis.from_url(redis_url(url), socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE) as client:
            facts: dict[str, Any] = client.info()
            return Server(
                title=f"Redis {facts.get('redis_version', '')}".strip(),
                role=str(facts.get("role", "")),
                policy=str(facts.get("maxmemory_policy", "")),
                maxmemory=int(facts.get("maxmemory", 0)),
                appendonly=bool(facts["aof_enabled"]) if "aof_enabled" in facts else None,
                snapshots=_bool(_setting(client, "save")),
                most=_int(facts.get("maxclients", _setting(client, "maxclients"))),
                connected=_int(facts.get("connected_clients")),
            )
    except (RedisError, OSError, ValueError) as error:
        raise away(url, error) from error


def away(url: str, error: BaseException) -> NoBroker:
    """With what the system says; the address never tells the password."""
    why = str(error).strip().rstrip(".") or type(error).__name__
    return NoBroker(f"the broker {named(url)} cannot be reached ({why}): start it, or set broker under [tasks]")


def named(url: str) -> str:
    """Without its password."""
    return masked(redis_url(url))


def _rabbitmq(url: str) -> Server:
    connection = Connection(url, connect_timeout=PATIENCE)
    try:
        connection.connect()
        facts = connection.connection.server_properties
    except Exception as error:  # kombu and py-amqp raise what they like
        raise away(url, error) from error
    finally:
        connection.release()
    return Server(title=f"{facts.get('product', 'AMQP')} {facts.get('version', '')}".strip())


def _setting(client: Redis, name: str) -> str | None:
    """None where CONFIG is not allowed, as with many hosted ones."""
    with suppress(Refused):
        found: dict[Any, Any] = client.config_get(name)
        return found.get(name)
    return None


def _int(value: Any) -> int | None:
    return None if value is None else int(value)


def _bool(value: Any) -> bool | None:
    return None if value is None else bool(value)
