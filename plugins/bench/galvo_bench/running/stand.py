"""Where a run happens: its servers, started when first asked for, and its progress."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from galvo import GalvoError, PluginError
from galvo_bench.results.machine import Machine, with_servers
from galvo_bench.running.measuring import FOLDER
from galvo_bench.running.progress import Progress, Silent
from galvo_bench.running.urls import must_answer, must_listen, scrubbed
from galvo_embedded import Servers

ROUNDS = 11


class NoServer(GalvoError):
    """A server that a subject needs does not start: no other subject will do better."""


def must(ok: bool, problem: str) -> None:
    """Stop the run when it would measure something else than it says. Raises GalvoError."""
    if not ok:
        raise GalvoError(f"the benchmark is wrong: {problem}")


class Stand:
    """`url` and `amqp` are a PostgreSQL and a RabbitMQ to use instead of private ones; Redis is always a private one,
    which is flushed.
    """

    def __init__(self, url: str = "", rounds: int = ROUNDS, amqp: str = "", progress: Progress | None = None) -> None:
        self.rounds = rounds
        self.amqp = amqp
        self.progress: Progress = progress or Silent()
        self._url = url
        self._shared = Servers(FOLDER)
        self._private = Servers(FOLDER / "bench")
        self._apart: dict[str, Servers] = {}
        self._used_redis: set[str] = set()
        self._used_postgres = ""
        self._described: tuple[str, ...] = ()

    @property
    def few(self) -> int:
        """Rounds of what takes long."""
        return (self.rounds + 1) // 2

    @contextmanager
    def scaled(self, share: float) -> Iterator[Stand]:
        """With that share of the rounds, one at least."""
        rounds, self.rounds = self.rounds, max(1, round(self.rounds * share))
        try:
            yield self
        finally:
            self.rounds = rounds

    @property
    def borrowed(self) -> bool:
        """Whether its PostgreSQL is somebody else's: nothing may be left there."""
        return bool(self._url)

    async def reach(self) -> None:
        """That the servers which were named answer. Raises GalvoError without their passwords."""
        if self._url:
            await must_answer(self._url)
        if self.amqp:
            await must_listen(self.amqp)

    async def postgres(self) -> str:
        """A DSN. Raises NoServer."""
        self._used_postgres = self._url or await _started(self._shared.postgres())
        return self._used_postgres

    async def redis(self) -> str:
        """A URL of an empty Redis that nobody else uses. Raises NoServer."""
        return await self._redis_of(self._private)

    async def redis_of(self, name: str) -> str:
        """A URL of an empty Redis of that candidate: what is counted there is its own. Raises NoServer."""
        return await self._redis_of(self._apart.setdefault(name, Servers(FOLDER / "bench" / name)))

    async def revive(self, name: str) -> None:
        """Start the Redis of that candidate again, which has ended. Raises NoServer."""
        servers = self._apart[name]
        for _ in range(1_000):
            if await servers.again():
                return
            await asyncio.sleep(0.01)  # until its keeper has seen it
        raise NoServer(f"the Redis of {name} has not ended")

    async def clean(self) -> None:
        """Empty what a subject that failed may have filled."""
        for url in self._used_redis:
            async with Redis.from_url(url) as client:
                with suppress(RedisError):
                    await client.flushall()

    async def described(self, machine: Machine) -> Machine:
        """With the versions of the servers that have been used."""
        used = (self._used_postgres, *sorted(self._used_redis)[:1])
        if used != self._described:
            self._described = used
            return await with_servers(machine, *used)
        return machine

    def scrubbed(self, text: str) -> str:
        """Without the passwords of the servers which were named."""
        return scrubbed(text, self._url, self.amqp)

    def tick(self) -> None:
        """A round is over."""
        self.progress.tick()

    def close(self) -> None:
        """Stop using the servers, and the terminal."""
        self.progress.end("stopped")
        self._shared.close()
        self._private.close()
        for servers in self._apart.values():
            servers.close()

    async def _redis_of(self, servers: Servers) -> str:
        url = await _started(servers.redis())
        self._used_redis.add(url)
        return url


async def _started(url: Awaitable[str]) -> str:
    try:
        return await url
    except PluginError as error:
        raise NoServer(error.why) from None
