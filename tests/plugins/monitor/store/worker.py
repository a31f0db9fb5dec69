"""A worker process: counts and shares until its input ends, and says what it has told. `python -m ... URL`"""

from __future__ import annotations

import asyncio
import sys

from tests.plugins.monitor.store.crowd import Process

INTERVAL = 0.3
PACE = 0.03
"""Seconds between two exchanges."""
STEP = 3
"""Queries in between."""


async def work(url: str) -> None:
    process = Process(url, interval=INTERVAL)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while not ended.done():
        process.count(STEP)
        await process.exchange()
        print(process.told, flush=True)
        await asyncio.wait([ended], timeout=PACE)
    await process.leave()
    print(process.told, flush=True)
    await process.client.aclose()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
