"""Runs the scripts, and keeps account of when Redis was last there and whether its clock was set."""

from __future__ import annotations

import asyncio
import os
from time import monotonic
from typing import Any

import anyio
from redis.asyncio import Redis, RedisCluster
from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError, RedisError

from galvo_cache.coherence.scripts import KEYS, Script

DRIFT = 1.1
"""How much longer the server waits than a member believes: for clocks that do not run at the same rate."""
DAY = 86_400_000


class Away(Exception):
    """Redis did not do what was asked; perhaps it will do it later."""


class Server:
    """The keys and channels of one namespace in one Redis."""

    def __init__(self, client: Redis | RedisCluster, namespace: str, lease: float, timeout: float) -> None:
        self.client = client
        prefix = "{gv:" + namespace + "}:"
        self.keys = [prefix + key for key in KEYS]
        self._prefix = prefix.encode()
        self._timeout = timeout
        self.term = lease * DRIFT
        self.away_since: float | None = None
        self.stepped = -self.term
        self._ahead: float | None = None  # of our clock, at most
        self.round_trips = 0

    @property
    def away(self) -> float:
        """Seconds since the first of the round trips that have failed without one that succeeded since."""
        return 0.0 if self.away_since is None else monotonic() - self.away_since

    @property
    def everybody(self) -> bytes:
        """The channel of what is told to all."""
        return self._prefix + b"w"

    def channel_of(self, member: bytes) -> bytes:
        return self._prefix + b"a:" + member

    async def run(self, script: Script, *args: bytes | str | int) -> list[Any]:
        """One round trip; gives what the script returns after the server's time. Raises Away."""
        head = (self._prefix, os.urandom(12), int(self.term * 1000), DAY)
        self.round_trips += 1
        task = asyncio.current_task()
        cancelled = task.cancelling() if task else 0
        sent = monotonic()
        try:
            with anyio.fail_after(self._timeout):
                reply = await self._evaluate(script, head + args)
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            if self.away_since is None:
                self.away_since = monotonic()
            raise Away(f"{type(error).__name__}: {str(error)[:100]}") from None
        if task and task.cancelling() > cancelled:
            raise asyncio.CancelledError  # redis-py writes with wait_for, which before Python 3.12 may swallow it
        self.away_since = None
        self._watch_clock(sent, reply[0] / 1000)
        return reply[1:]

    async def publish(self, messages: list[tuple[bytes, bytes]]) -> None:
        """Tell members something directly: (member, message). Raises Away."""
        self.round_trips += 1
        try:
            with anyio.fail_after(self._timeout):
                if len(messages) == 1 or isinstance(self.client, RedisCluster):
                    for member, message in messages:
                        await self.client.execute_command("PUBLISH", self.channel_of(member), message)
                    return
                pipeline = self.client.pipeline(transaction=False)
                for member, message in messages:
                    pipeline.publish(self.channel_of(member), message)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            raise Away(type(error).__name__) from None

    async def _evaluate(self, script: Script, args: tuple[bytes | str | int, ...]) -> list[Any]:
        call = self.client.execute_command
        options: dict[str, Any] = {NEVER_DECODE: []}
        try:
            reply = await call("EVALSHA", script.sha, len(self.keys), *self.keys, *args, **options)
        except NoScriptError:
            reply = await call("EVAL", script.text, len(self.keys), *self.keys, *args, **options)
        if not isinstance(reply, list) or not reply or not isinstance(reply[0], int):
            raise RedisError("a script answered nonsense")
        return reply

    def _watch_clock(self, sent: float, time: float) -> None:
        """The server's clock was set forward when it gains on ours: leases look shorter there than they are."""
        now = monotonic()
        before, self._ahead = self._ahead, time - sent
        if before is not None and (time - now) - before > self.term * (1 - 1 / DRIFT) / 2:
            self.stepped = now
