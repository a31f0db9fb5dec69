"""Both servers behind a proxy each, and what passed there since it was asked last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from galvo_bench.counts import proxy, redis_proxy
from galvo_bench.results.model import Values

SUBJECT = "asked"
"""Of which sections are."""
Quiet = Callable[[], Awaitable[None]]
"""Waits until all that was started in the background has ended."""


async def at_once() -> None:
    """Nothing was."""


class Wires:
    """What is counted at a time is one operation, with nothing beside it."""

    def __init__(self) -> None:
        self.postgres = ""
        """A DSN."""
        self.redis = ""
        self._queries = proxy.Counts()
        self._commands = redis_proxy.Commands()

    async def during(self, name: str, operation: Callable[[], Awaitable[Any]], quiet: Quiet = at_once) -> Values:
        """What the operation, once, asks of the servers."""
        await quiet()
        self._queries.clear()
        self._commands.clear()
        await operation()
        await quiet()
        return Values(name, self._taken())

    def _taken(self) -> dict[str, float]:
        queries, commands = self._queries, self._commands
        found = {name: queries[name] for name in ("queries", "trips", "resets", "out", "back")}
        if self.redis:
            found |= {"Redis": commands["commands"], "answers": commands["answers"]}
        return dict(found)


@asynccontextmanager
async def wired(postgres: str, redis: str = "") -> AsyncIterator[Wires]:
    wires = Wires()
    async with AsyncExitStack() as stack:
        wires.postgres = await stack.enter_async_context(proxy.counted(postgres, wires._queries))
        if redis:
            wires.redis = await stack.enter_async_context(redis_proxy.counted(redis, wires._commands))
        yield wires
