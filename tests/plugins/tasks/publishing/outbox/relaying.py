"""A process that relays until it is killed: `python -m tests.plugins.tasks.publishing.outbox.relaying DSN BROKER`."""

from __future__ import annotations

import asyncio
import sys

from galvo import Context, Kernel
from galvo_pool import PoolPlugin
from galvo_tasks.outbox import Relay
from tests.plugins.tasks.publishing.conftest import application


async def main(dsn: str, broker: str) -> None:
    with application(broker) as app:
        async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 2}}) as kernel:
            print("relaying", flush=True)
            await Relay(Context(kernel, "tasks"), app).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
