"""Who reads a dear answer that several processes miss at once: one has the lease, the others wait for its word.

R. Nishtala et al.: Scaling Memcache at Facebook, NSDI 2013. The word comes as a push, so nobody polls. No answer is
right or wrong by it: a lease that is lost, held twice or forged costs a read or a wait, and every wait has an end.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

import anyio
from anyio.abc import TaskGroup
from redis.client import NEVER_DECODE

from galvo_cache.coherence.stream import Stream
from galvo_cache.l2.connect import Client
from galvo_cache.l2.errors import Unavailable

# Both: the lease's key; its token.
TAKE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return nil end
return redis.call('PTTL', KEYS[1])
"""
RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return nil end
redis.call('PUBLISH', ARGV[2], KEYS[1])
return redis.call('DEL', KEYS[1])
"""
AT_ONCE = 16
"""Commands on their way at a time: each takes a connection of the client's pool."""
CONNECT = 0.5
PAUSE = 0.25
"""Seconds before a lost subscription is opened again."""


class Held(NamedTuple):
    """A lease of this process."""

    key: bytes
    token: bytes


class Leases:
    """The leases of one namespace. `run` keeps the subscription; without it everybody reads for itself."""

    def __init__(
        self, client: Client, namespace: str, *, timeout: float, settle: Callable[[], Awaitable[None]]
    ) -> None:
        """`timeout`: seconds of one round trip. `settle` waits until all that was left in L2 is there."""
        self._client = client
        self._prefix = f"gv:{namespace}:e:".encode()
        self._channel = f"gv:{namespace}:lease"
        self._timeout = timeout
        self._settle = settle
        self._waiting: dict[bytes, set[anyio.Event]] = {}
        self._limit = anyio.Semaphore(AT_ONCE)
        self._tasks: TaskGroup | None = None
        self.listening = False

    async def run(self) -> None:
        """Listen until cancelled."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                while True:
                    with suppress(Exception):  # whatever it is, without leases everything works
                        await self._listen()
                    await anyio.sleep(PAUSE)
            finally:
                self._tasks = None

    async def turn(self, name: bytes, seconds: float, patience: float) -> Held | None:
        """The lease of `name`, for `seconds`; None after its holder's word, its end, or `patience` seconds.

        Raises Unavailable when nobody can say who holds it.
        """
        if not self.listening:
            raise Unavailable("there is no subscription")
        held, word = Held(self._prefix + name + b":lease", os.urandom(8)), anyio.Event()
        self._waiting.setdefault(held.key, set()).add(word)  # before the question, or the word might come between
        try:
            left = await self._take(held, seconds)
            if left is None:
                return held
            with anyio.move_on_after(min(left, patience)):
                await word.wait()
            return None
        finally:
            words = self._waiting.get(held.key, set())
            words.discard(word)
            if not words:
                self._waiting.pop(held.key, None)

    def release(self, held: Held) -> None:
        """Say the word, in the background. Without a chance to do it the lease ends by itself."""
        if self._tasks is not None:
            self._tasks.start_soon(self._release, held)

    async def _take(self, held: Held, seconds: float) -> float | None:
        """None: it is ours; else the seconds until it ends."""
        try:
            left = await self._ask(TAKE, held.key, held.token, max(1, int(seconds * 1000)))
        except BaseException:
            self.release(held)  # it may be ours without our knowing
            raise
        return None if left is None else int(left) / 1000

    async def _release(self, held: Held) -> None:
        await self._settle()
        try:
            await self._ask(RELEASE, held.key, held.token, self._channel)
        except Unavailable:
            return

    async def _ask(self, script: str, key: bytes, *args: bytes | str | int) -> Any:
        """One round trip. Raises Unavailable."""
        task = asyncio.current_task()
        cancelled = task.cancelling() if task else 0
        options: dict[str, Any] = {NEVER_DECODE: []}
        try:
            with anyio.fail_after(self._timeout):
                async with self._limit:
                    reply = await self._client.execute_command("EVAL", script, 1, key, *args, **options)
        except Exception as error:  # noqa: BLE001  # whatever redis-py raises
            raise Unavailable(type(error).__name__) from None
        if task and task.cancelling() > cancelled:
            raise asyncio.CancelledError  # redis-py writes with wait_for, which before Python 3.12 may swallow it
        return reply

    async def _listen(self) -> None:
        """Until the subscription is lost. Raises StreamLost."""
        stream = await Stream.open(self._client, self._channel, [self._channel.encode()], CONNECT)
        try:
            self.listening = True
            while True:
                _, key = await stream.read()
                self._hear(key)
        finally:
            self.listening = False
            for key in list(self._waiting):
                self._hear(key)
            await stream.close()

    def _hear(self, key: bytes) -> None:
        for word in self._waiting.pop(key, ()):
            word.set()
