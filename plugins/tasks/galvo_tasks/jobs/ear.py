"""One subscriber's connection for everything that an event loop listens to."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

CONFIRMED = 1.0
"""Seconds to wait until a subscription is confirmed; whoever listens looks by himself from time to time."""
BACKOFF = (0.05, 0.2, 1.0, 2.0)
"""Seconds between attempts to connect."""

Heard = Callable[[bytes], None]


class Ear:
    """Connects when somebody begins to listen. `close` it."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._heard: dict[bytes, list[Heard]] = {}
        self._confirmed: dict[bytes, asyncio.Event] = {}
        self._connection: Any = None
        self._work: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, channel: str, heard: Heard) -> AsyncIterator[None]:
        """Call `heard` with each message on `channel`, and with b"" when some may have been missed."""
        name = channel.encode()
        if name in self._heard:
            self._heard[name].append(heard)
        else:
            self._heard[name], self._confirmed[name] = [heard], asyncio.Event()
            await self._say("SUBSCRIBE", name)
        if self._work is None:
            self._work = asyncio.create_task(self._run())
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._confirmed[name].wait(), CONFIRMED)
            yield
        finally:
            self._heard[name].remove(heard)
            if not self._heard[name]:
                del self._heard[name], self._confirmed[name]
                await self._say("UNSUBSCRIBE", name)

    async def close(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
            self._work = None

    async def _say(self, *words: str | bytes) -> None:
        # While there is no connection nothing has to be said: a new one begins with all that is listened to.
        # One that is lost, which `_run` has not seen yet, would connect again: nobody would close that.
        if self._connection is not None and self._connection.is_connected:
            with suppress(RedisError, OSError):
                await self._connection.send_command(*words)

    async def _run(self) -> None:
        failures = 0
        while True:
            connection = self._made()
            try:
                await connection.connect()
                self._connection = connection
                if self._heard:
                    await self._say("SUBSCRIBE", *self._heard)
                self._tell_all()
                failures = 0
                while True:
                    self._take(await connection.read_response(disable_decoding=True, timeout=math.inf))
            except (RedisError, OSError):
                self._tell_all()
            finally:
                self._connection = None
                await connection.disconnect(nowait=True)
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])
            failures += 1

    def _take(self, told: Any) -> None:
        match told:
            case [b"message", bytes(channel), bytes(message)]:
                for heard in [*self._heard.get(channel, ())]:
                    heard(message)
            case [b"subscribe", bytes(channel), _] if channel in self._confirmed:
                self._confirmed[channel].set()

    def _tell_all(self) -> None:
        for listeners in [*self._heard.values()]:
            for heard in [*listeners]:
                heard(b"")

    def _made(self) -> Any:
        """One more connection like the client's own, but in RESP 2, where messages are plain replies."""
        pool = self._client.connection_pool
        options = {**pool.connection_kwargs, "protocol": 2, "health_check_interval": 0}
        quiet = MaintNotificationsConfig(enabled=False)
        return pool.connection_class(**{**options, "maint_notifications_config": quiet})
