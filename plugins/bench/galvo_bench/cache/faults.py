"""What may happen to a Redis, and to those who rely on it."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable

import msgspec
from redis.asyncio import Redis

from galvo_bench.running.stand import Stand, must


class Breakable:
    """The Redis of that name, to be broken."""

    def __init__(self, stand: Stand, name: str) -> None:
        self._stand, self._name = stand, name
        self._pid = 0
        self.url = ""

    async def start(self) -> None:
        """It is empty then. Raises NoServer."""
        self.url = await self._stand.redis_of(self._name)
        async with Redis.from_url(self.url) as client:
            await client.flushall()
            self._pid = int((await client.info("server"))["process_id"])
        must(self._pid > 1, "a Redis does not say which process it is")

    async def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    async def again(self) -> None:
        """After `kill`: another one, with nothing in it, where it was."""
        await self._stand.revive(self._name)
        await self.start()

    async def pause(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    async def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    async def restart(self) -> None:
        await self.kill()
        await self.again()


async def _nothing(redis: Breakable) -> None:
    pass


class Fault(msgspec.Struct, frozen=True):
    name: str
    explains: str
    begin: Callable[[Breakable], Awaitable[None]]
    end: Callable[[Breakable], Awaitable[None]]


FAULTS = (
    Fault("killed, back later", "SIGKILL; an empty one is started when it is over.", Breakable.kill, Breakable.again),
    Fault("paused", "SIGSTOP, then SIGCONT: it accepts connections and does not answer.", Breakable.pause,
          Breakable.go_on),
    Fault("restarted", "SIGKILL, and an empty one at once.", Breakable.restart, _nothing),
)  # fmt: skip
