"""A private Redis as the broker, for as long as a command of `galvo tasks` runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from galvo import GalvoError
from galvo.operating import only
from galvo_tasks.errors import NoBroker
from galvo_tasks.running.loop import LoopThread
from galvo_tasks.scaling.forks import Standstill

NONE, NOT_ON = "no plugin that provides", "the plugin embedded is not on: set [embedded] on = true"


@contextmanager
def embedded_redis() -> Iterator[str]:
    """Its URL. Raises NoBroker when the plugin embedded is off or cannot run here."""
    loop = LoopThread("galvo embedded")
    loop.start()
    started: Future[str] = Future()
    end = asyncio.Event()
    running = loop.submit(_run(started, end))
    try:
        yield started.result()
    finally:
        loop.call(_set(end))
        running.result()
        loop.stop()


async def _run(started: Future[str], end: asyncio.Event) -> None:
    try:
        async with Standstill(), only("servers") as servers:
            started.set_result(str(await servers.redis()))
            await end.wait()
    except GalvoError as error:
        if started.done():
            raise
        started.set_exception(NoBroker(f'broker = "embedded": {NOT_ON if NONE in str(error) else error}'))


async def _set(event: asyncio.Event) -> None:
    event.set()
