"""The subscriber's connection: what comes through it comes in the order in which Redis did it.

It never reconnects by itself: what was said between two connections is lost, and must not go unnoticed.
"""

from __future__ import annotations

import math
from typing import Any

import anyio
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig


class StreamLost(Exception):
    """The connection has ended or carries what does not belong there."""


class Stream:
    """An open subscription."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, client: Redis | RedisCluster, key: str, channels: list[bytes], timeout: float) -> Stream:
        """Connect to the server that holds `key`; the subscription is confirmed on return. Raises StreamLost."""
        connection = None
        try:
            with anyio.fail_after(timeout):
                connection = await _connection(client, key)
                await connection.connect()
                await connection.send_command("SUBSCRIBE", *channels)
                for channel in channels:
                    told = await connection.read_response(disable_decoding=True, timeout=math.inf)
                    if told[:2] != [b"subscribe", channel]:
                        raise StreamLost("the subscription was not confirmed")
        except BaseException as error:
            if connection is not None:
                await cls(connection).close()
            if isinstance(error, RedisError | OSError):  # TimeoutError is an OSError
                raise StreamLost(type(error).__name__) from None
            raise
        return cls(connection)

    async def read(self) -> tuple[bytes, bytes]:
        """The next channel and message. Raises StreamLost."""
        try:
            told = await self._connection.read_response(disable_decoding=True, timeout=math.inf)
        except (RedisError, OSError) as error:
            raise StreamLost(type(error).__name__) from None
        if not (isinstance(told, list) and len(told) == 3 and told[0] == b"message"):
            raise StreamLost("not a message")
        return told[1], told[2]

    async def close(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._connection.disconnect(nowait=True)


async def _connection(client: Redis | RedisCluster, key: str) -> Any:
    """One more connection like the client's own; RESP 2, in which messages are plain replies."""
    kind: type[AbstractConnection]
    if isinstance(client, RedisCluster):
        await client.initialize()
        node = client.get_node_from_key(key)
        if node is None:
            raise StreamLost("no node holds the slot")
        kind, options = node.connection_class, node.connection_kwargs
    else:
        kind, options = client.connection_pool.connection_class, client.connection_pool.connection_kwargs
    quiet = MaintNotificationsConfig(enabled=False)
    return kind(**{**options, "protocol": 2, "health_check_interval": 0, "maint_notifications_config": quiet})
