"""Writes of other drivers, told to the caches of the kernels that run in this process, from any thread.

The caches live in the kernels' event loops; who writes waits for them in a thread of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from galvo import GalvoError, leave_open
from galvo_asgi.running import Running, running

log = logging.getLogger("galvo.asgi")
T = TypeVar("T")
PATIENCE = 30.0
"""Seconds that an event loop may take to answer."""


def verdict(sql: str) -> str:
    """What `sql` does: "reads", "writes" or "anything", the worst that a cache says; without one "writes"."""
    found = [_verdict(one, cache, sql) for one, cache in _caches()]
    return next((worst for worst in ("anything", "writes", "reads") if worst in found), "writes")


def announced(statements: Collection[str], write: Callable[[], T]) -> T:
    """What `write()` gives, which makes the changes of `statements` visible to others.

    No cache hands out what was before when this returns, and none keeps it meanwhile. Raises GalvoError, before it
    writes, when that cannot be had.
    """
    before = _caches()
    result = _within(before, statements, write)
    for one, cache in _caches():  # of a cache that came meanwhile nobody knew
        if cache not in [known for _, known in before]:
            _within([(one, cache)], statements, lambda: None)
    return result


def _caches() -> list[tuple[Running, Any]]:
    found = [(one, one.kernel.find_capability("cache")) for one in list(running)]
    return [(one, cache) for one, cache in found if hasattr(cache, "foreign")]


def _verdict(one: Running, cache: Any, sql: str) -> str:
    known: str | None = cache.foreign.verdict(sql)
    if known is None:
        loop = _other(one.loop)

        async def learn() -> str:
            return str(cache.foreign.learn(sql))

        try:
            known = _wait(asyncio.run_coroutine_threadsafe(learn(), loop))
        except CancelledError:  # the loop has ended, and with it the cache
            known = "writes"
    return known


def _within(caches: list[tuple[Running, Any]], statements: Collection[str], write: Callable[[], T]) -> T:
    if not caches:
        return write()
    (one, cache), *more = caches
    loop = _other(one.loop)
    ready, written = Future[None](), Future[None]()

    async def wait() -> None:
        ready.set_result(None)
        await asyncio.wrap_future(written)

    told = asyncio.run_coroutine_threadsafe(cache.foreign.during(statements, wait), loop)
    told.add_done_callback(partial(_failed, ready))
    try:
        _wait(ready)
    except GalvoError:
        told.cancel()
        raise
    try:
        result = _within(more, statements, write)
    except BaseException as error:
        written.set_exception(error if isinstance(error, Exception) else _unknown())
        with suppress(Exception):  # it is the same
            told.result(PATIENCE)
        raise
    written.set_result(None)
    try:
        _wait(told)
    except (GalvoError, CancelledError) as error:  # until it knows, the cache answers nothing of these tables
        log.error("written, but the cache does not know yet that it has ended: %s", error)
    return result


def _unknown() -> Exception:
    """Instead of what would end the event loop."""
    error = GalvoError("the thread that wrote was interrupted")
    leave_open(error)
    return error


def _failed(ready: Future[None], told: Future[None]) -> None:
    """It could not be announced, so it is not written."""
    if not ready.done():
        why = GalvoError("not written, as the event loop ended before the cache could be told")
        ready.set_exception(why if told.cancelled() else told.exception() or why)


def _other(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    """Raises GalvoError in the loop's own thread: it would wait for itself."""
    with suppress(RuntimeError):
        if asyncio.get_running_loop() is loop:
            raise GalvoError(
                "the ORM was called in the event loop's own thread: call its async methods (asave, acreate, aget ...), "
                "or wrap the call in sync_to_async, and unset DJANGO_ALLOW_ASYNC_UNSAFE"
            )
    return loop


def _wait(future: Future[T]) -> T:
    try:
        return future.result(PATIENCE)
    except TimeoutError:
        if future.done():
            raise
        raise GalvoError(f"the event loop did not answer for {PATIENCE:g} s: something blocks it") from None
