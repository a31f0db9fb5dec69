"""How children end, in time."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress


async def closed(process: asyncio.subprocess.Process, seconds: float = 10) -> None:
    """One that ends when its stdin does; killed after `seconds`."""
    if process.stdin is not None:
        process.stdin.close()
    await _within(process, seconds)


async def terminated(process: asyncio.subprocess.Process, seconds: float) -> None:
    """One that leads a process group and ends after SIGTERM, with all of its group; killed after `seconds`."""
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
    await _within(process, seconds)
    with suppress(ProcessLookupError):  # one that was told so early that it could not tell its own
        os.killpg(process.pid, signal.SIGKILL)


async def _within(process: asyncio.subprocess.Process, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
