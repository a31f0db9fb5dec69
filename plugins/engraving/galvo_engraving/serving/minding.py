"""Embedded servers that end are started again, where they were: the application's pools find them by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from galvo_embedded import Servers

LOOK = 1.0
"""Seconds between two looks."""


@asynccontextmanager
async def minded(servers: Servers, say: Callable[[str], None], end: Callable[[], None]) -> AsyncIterator[None]:
    """Those that were asked for, while the block runs.

    `end` is called when one cannot be started, and the block then raises that GalvoError.
    """
    minding = asyncio.create_task(_mind(servers, say))
    minding.add_done_callback(lambda _: end())
    try:
        yield
    finally:
        minding.cancel()
        with suppress(asyncio.CancelledError):
            await minding


async def _mind(servers: Servers, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(LOOK)
        for name in await servers.again():
            say(f"{name} had ended and was started again")
