"""Members of one namespace inside the test's process, whose stream can be held up."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from redis.asyncio import Redis

from galvo_cache.coherence import Coherence
from galvo_cache.touch import Touch

ROW: Touch = {7: {"id": [1]}}


class Member:
    """A follower that notes what it holds."""

    def __init__(self, client: Redis, lease: float, unknown_outcome: float) -> None:
        self.client = client
        self.held: list[Touch | None] = []
        self.cleared = 0
        self.open = anyio.Event()
        self.open.set()
        self.coherence = Coherence(
            client, "test", self, lease=lease, unknown_outcome=unknown_outcome, log=logging.getLogger("test.member")
        )
        membership: Any = self.coherence._membership
        hear = membership._hear
        membership._hear = lambda stream: hear(Held(stream, self))
        self.scope = anyio.CancelScope()
        self.left = anyio.Event()

    def begin(self, touch: Touch | None) -> object:
        self.held.append(touch)
        return touch

    def end(self, handle: Any) -> None:
        self.held.remove(handle)

    def clear(self) -> None:
        self.cleared += 1

    def hold_up(self) -> None:
        """From now on what it is told arrives, but is not read."""
        self.open = anyio.Event()

    async def run(self) -> None:
        with self.scope:
            await self.coherence.run()
        self.left.set()

    async def trusted(self) -> None:
        await until(lambda: self.coherence.trusted)

    async def leave(self) -> None:
        self.scope.cancel()
        await self.left.wait()

    def stat(self, name: str) -> float:
        return self.coherence.stats()[name]


class Held:
    def __init__(self, stream: Any, member: Member) -> None:
        self._stream, self._member = stream, member

    async def read(self) -> tuple[bytes, bytes]:
        told: tuple[bytes, bytes] = await self._stream.read()
        await self._member.open.wait()
        return told


async def until(true: Callable[[], object]) -> None:
    with anyio.fail_after(20):
        while not true():  # noqa: ASYNC110  # what is waited for has no event
            await anyio.sleep(0.005)


Join = Callable[..., Awaitable[Member]]


@asynccontextmanager
async def members_of(url: str) -> AsyncIterator[Join]:
    """A function that makes members, which leave at the end."""
    made: list[Member] = []
    async with anyio.create_task_group() as tasks:

        async def join(*, lease: float = 0.6, unknown_outcome: float = 0.5, wait: bool = True) -> Member:
            member = Member(Redis.from_url(url, retry=None), lease, unknown_outcome)
            made.append(member)
            tasks.start_soon(member.run)
            if wait:
                await member.trusted()
            return member

        yield join
        tasks.cancel_scope.cancel()
    for member in made:
        await member.client.aclose()
