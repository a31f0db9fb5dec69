"""Several kernels of one process, asked at once, each in its own event loop: none keeps the others' answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import anyio

from galvo import GalvoError, KernelClosed

Answer = dict[str, Any]
LOOK = 0.1
"""Seconds between two looks whether another's loop still runs: one that was stopped, and not closed, tells nobody."""
ENDED = "the kernel has ended"
LATE = "it does not answer: it is still at it, or its event loop is busy"


async def together(asked: Mapping[str, Callable[[], Coroutine[Any, Any, Answer]]], seconds: float | None) -> Answer:
    """As "kernels" of each the name and its answer, within `seconds`; else its "problem", or that it has "ended"."""
    told: dict[str, Answer] = {}

    async def ask(name: str) -> None:
        try:
            told[name] = await asked[name]()
        except KernelClosed as error:
            told[name] = {"ended": str(error)}
        except GalvoError as error:
            told[name] = {"problem": str(error)}
        except Exception as error:  # noqa: BLE001  # whatever it is, it is that kernel's answer
            told[name] = {"problem": f"{type(error).__name__}: {error}"}

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            for name in asked:
                tasks.start_soon(ask, name)
    return {"kernels": [{"kernel": name, **told.get(name, {"problem": LATE})} for name in asked]}


async def within(loop: asyncio.AbstractEventLoop, asked: Coroutine[Any, Any, Answer]) -> Answer:
    """The answer, from another thread's loop perhaps. Raises KernelClosed when that ends first."""
    if loop is asyncio.get_running_loop():
        return await asked
    try:
        there = asyncio.run_coroutine_threadsafe(asked, loop)
    except RuntimeError:
        asked.close()
        raise KernelClosed(ENDED) from None
    here = asyncio.wrap_future(there)
    try:
        while not here.done():
            if not loop.is_running() and not there.done():
                raise KernelClosed(ENDED)
            await asyncio.wait([here], timeout=LOOK)
    except asyncio.CancelledError:
        if loop.is_running():
            here.cancel()
        raise
    if here.cancelled():  # with all tasks of a loop that ends
        raise KernelClosed(ENDED)
    return here.result()
