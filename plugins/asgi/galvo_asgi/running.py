"""The kernels that run in this process for an application, and the event loop of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from galvo import GalvoError, Kernel, KernelClosed

Source = Kernel | Callable[[], Kernel]
"""A kernel, or what makes one when the application starts, so that wrong settings are told as a failed start."""


@dataclass(frozen=True, eq=False, slots=True)
class Running:
    kernel: Kernel
    loop: asyncio.AbstractEventLoop


running: list[Running] = []


@asynccontextmanager
async def started(source: Source = Kernel.from_settings) -> AsyncIterator[Kernel]:
    """A kernel that runs as long as the block, in this event loop, and is found by `galvo_asgi.django`.

    For tests, scripts and servers of your own. Raises GalvoError when it cannot start.
    """
    kernel = source if isinstance(source, Kernel) else source()
    if not isinstance(kernel, Kernel):
        raise GalvoError(f"{source!r} gave no Kernel: give a kernel, or a function that makes one")
    if kernel.running:
        raise KernelClosed("this kernel runs already, for another application: give each a kernel of its own")
    async with kernel:
        mine = Running(kernel, asyncio.get_running_loop())
        running.append(mine)
        try:
            yield kernel
        finally:
            running.remove(mine)
