"""Work in a thread that is told when nobody waits for it any more."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Event
from typing import TypeVar

import anyio
from anyio.lowlevel import RunVar, checkpoint_if_cancelled

T = TypeVar("T")
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("galvo_memory_images")


async def in_thread(work: Callable[[Event], T]) -> T:
    """What `work(stop)` gives or raises; at most as many run as there are cores.

    Cancelled, this sets `stop` and waits until the thread has ended: what it uses is in use until then.
    """
    stop = Event()
    result: list[T] = []
    error: list[Exception] = []
    async with anyio.create_task_group() as group:
        group.start_soon(_tell, stop)
        try:
            result.append(await anyio.to_thread.run_sync(work, stop, limiter=_limit()))
        except Exception as raised:  # noqa: BLE001  # the group would wrap it
            error.append(raised)
        group.cancel_scope.cancel()
    await checkpoint_if_cancelled()  # a decoder that was told to stop calls the file truncated
    if error:
        raise error[0]
    return result[0]


async def _tell(stop: Event) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        stop.set()


def _limit() -> anyio.CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        _limiter.set(made := anyio.CapacityLimiter(os.cpu_count() or 1))
        return made
