"""Work in a thread that is told when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from threading import Event
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import RunVar, checkpoint_if_cancelled

T = TypeVar("T")
Run = Callable[[], Coroutine[Any, Any, None]]
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("galvo_memory_images")


async def in_thread(work: Callable[[Event], T]) -> T:
    """What `work(stop)` gives or raises; at most as many run as there are cores.

    Cancelled by whatever means, this sets `stop` and waits until the thread has ended: what it uses is in use until
    then.
    """
    stop = Event()
    result: list[T] = []
    error: list[Exception] = []

    async def run() -> None:
        try:
            result.append(await anyio.to_thread.run_sync(work, stop, limiter=anyio.CapacityLimiter(1)))
        except Exception as raised:  # noqa: BLE001  # a group would wrap it
            error.append(raised)

    async with _limit():  # not in `run`, which is waited for: who waits for his turn leaves at once
        await (_in_a_task(run, stop) if _asyncio() else _in_a_group(run, stop))
    if error:
        raise error[0]
    return result[0]


async def _in_a_task(run: Run, stop: Event) -> None:
    """A task of its own, as anyio's shield does not hold off what asyncio itself cancels: timeout, wait_for, cancel."""
    task = asyncio.ensure_future(run())
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError as error:
        cancelled = error
        stop.set()
        with anyio.CancelScope(shield=True):  # anyio repeats its cancellations at every turn of the loop
            while not task.done():
                try:
                    await asyncio.wait((task,))
                except asyncio.CancelledError as again:
                    cancelled = again
        raise cancelled from None
    task.result()  # cancelled with the whole loop


async def _in_a_group(run: Run, stop: Event) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_tell, stop)
        await run()
        group.cancel_scope.cancel()
    await checkpoint_if_cancelled()  # a decoder that was told to stop calls the file truncated


async def _tell(stop: Event) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        stop.set()


def _asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # trio
        return False
    return True


def _limit() -> anyio.CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        _limiter.set(made := anyio.CapacityLimiter(os.cpu_count() or 1))
        return made
