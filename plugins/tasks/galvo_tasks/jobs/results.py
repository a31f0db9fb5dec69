"""The jobs in Redis as an event loop sees them: one client and one subscriber's connection for all who wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from celery import Celery
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from galvo_tasks.jobs import layout
from galvo_tasks.jobs.address import results_url
from galvo_tasks.jobs.ear import Ear
from galvo_tasks.jobs.errors import ResultsAway, Unreadable

CONNECTIONS = 4
"""That ask, for all who wait; one more listens."""


class Results:
    """Of one application in one event loop."""

    def __init__(self, app: Celery[Any], url: str, name: str) -> None:
        """`name`: what Redis' CLIENT LIST shows."""
        settings = app.galvo  # type: ignore[attr-defined]  # see configure
        self.app = str(app.main)
        self.deadline: float = settings.deadline
        """Seconds after which a Redis that does not answer is called away."""
        self.limit: int = settings.result_bytes
        self.ttl = round(settings.result_ttl) or 1
        pool = BlockingConnectionPool.from_url(
            url,
            client_name=name,
            max_connections=CONNECTIONS,
            timeout=self.deadline,
            socket_timeout=self.deadline,
            socket_connect_timeout=self.deadline,
            retry=Retry(NoBackoff(), 1),  # a connection that was closed while idle
        )
        self.client: Redis = Redis.from_pool(pool)
        self.ear = Ear(self.client)
        self._closed = False
        register = self.client.register_script
        self._read, self._cancel, self._report = map(register, (layout.READ, layout.CANCEL, layout.REPORT))

    async def read(self, id: str, limit: int, *names: str) -> list[bytes | None]:
        """These fields, each of `limit` bytes at most. Raises ResultsAway, Unreadable."""
        found: list[bytes | None] = await self._run(self._read, id, limit, *names)
        return found

    async def cancel(self, id: str) -> bytes | None:
        """The state that it has then. Raises ResultsAway, Unreadable."""
        found: bytes | None = await self._run(self._cancel, id, layout.cancels(self.app), layout.UNFINISHED, id)
        return found

    async def report(self, id: str, done: float, total: float, text: str) -> bool:
        """Whether it has been cancelled. Raises ResultsAway."""
        return bool(await self._run(self._report, id, done, total, text))

    @asynccontextmanager
    async def changes(self, id: str) -> AsyncIterator[asyncio.Event]:
        """Set when the job may have changed."""
        event = asyncio.Event()
        async with self.ear.listening(layout.key(self.app, id), lambda _: event.set()):
            yield event

    async def close(self) -> None:
        """Who waits for an answer gets it: his connection is closed then."""
        self._closed = True
        await self.ear.close()
        await self._close_idle()

    async def _close_idle(self) -> None:
        await self.client.connection_pool.disconnect(inuse_connections=False)

    async def _run(self, script: Callable[..., Any], id: str, *args: Any) -> Any:
        try:
            return await script(keys=[layout.key(self.app, id)], args=list(args))
        except ResponseError as error:
            for problem in layout.FOREIGN:
                if problem in str(error):
                    raise Unreadable(id, problem) from None
            raise ResultsAway(error) from error
        except (RedisError, OSError) as error:
            raise ResultsAway(error) from error
        finally:
            if self._closed:
                await self._close_idle()


WAITING = "galvo-waiting"


class _Open(NamedTuple):
    results: dict[str, Results]
    kept: AsyncGenerator[None, None]


_OPEN: dict[asyncio.AbstractEventLoop, _Open] = {}


async def results_of(app: Celery[Any]) -> Results:
    """Those of the running loop, until `close` or its end. Raises JobProblem without a Redis."""
    url = results_url(app)
    loop = asyncio.get_running_loop()
    if loop not in _OPEN:
        for ended in [known for known in [*_OPEN] if known.is_closed()]:  # without what asyncio.run does at the end
            _OPEN.pop(ended, None)
        known: dict[str, Results] = {}
        _OPEN[loop] = _Open(known, _kept(loop, known))
        await anext(_OPEN[loop].kept)
    name = f"{app.main} {url}"
    results = _OPEN[loop].results
    if name not in results:
        results[name] = Results(app, url, WAITING)
    return results[name]


async def close() -> None:
    """Close the connections of the running loop; the next who waits opens them again."""
    if opened := _OPEN.get(asyncio.get_running_loop()):
        await opened.kept.aclose()


async def _kept(loop: asyncio.AbstractEventLoop, known: dict[str, Results]) -> AsyncGenerator[None, None]:
    """A generator that waits is closed with its loop: asyncio.run shuts them all down."""
    try:
        yield
    finally:
        del _OPEN[loop]
        for results in known.values():
            await results.close()
