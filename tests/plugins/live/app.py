"""A host in a process of its own: one kernel by the settings in its folder. It runs what it reads, line by line."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from galvo import Kernel


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if sys.argv[1:] == ["own"]:
        # Not print: the signal may come in the middle of another one.
        signal.signal(signal.SIGHUP, lambda *_: os.write(1, b"my own hang-up\n"))
    async with Kernel.from_settings() as kernel:
        print("ready", flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(await kernel.fetchval(line), flush=True)


asyncio.run(main())
