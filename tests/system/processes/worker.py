"""A process with the whole stack, some readers and writers; answers commands on stdin with JSON lines."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from typing import Any

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.system.processes import broken
from tests.system.processes.clients import Clients, Door, Notes


def counts(clients: Clients) -> dict[str, Any]:
    told = clients.kernel.plugin_stats("cache") | {"writes_acked": clients.writes}
    return told | {"reads": clients.reads, "passed": clients.kernel.plugin_stats("door")}


async def main(told: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    for name in told["broken"]:
        getattr(broken, name)()
    cache = {"ttl": 600, "redis": told["redis"], "lease": told["lease"], "unknown_outcome": 2.0} | told["cache"]
    pool = {"url": told["dsn"], "server_settings": {"deadlock_timeout": "50ms"}}
    async with Kernel.of({CachePlugin: cache, Door: {}, PoolPlugin: pool}) as kernel:
        clients = Clients(kernel, Notes(told["notes"]), told)
        while not kernel.find_capability("cache")._until > loop.time():  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
        print(json.dumps("ready"), flush=True)
        tasks: list[asyncio.Task[None]] = []
        while True:
            match (await loop.run_in_executor(None, sys.stdin.readline)).strip():
                case "go":
                    tasks += [loop.create_task(clients.read()) for _ in range(told["readers"])]
                    tasks += [loop.create_task(clients.write(number)) for number in told["writers"]]
                case "count":
                    clients.notes.flush()
                    print(json.dumps(counts(clients)), flush=True)
                case _:
                    break
        clients.stopped = True
        await asyncio.gather(*tasks)
        clients.notes.flush()
        await asyncio.sleep(told["lease"])  # what is to be taken back is taken back
        print(json.dumps(counts(clients)), flush=True)
        # Until all have said so, nobody leaves.
        await loop.run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format=f"{os.getpid()} %(relativeCreated)d %(name)s %(message)s")
    asyncio.run(main(json.loads(sys.argv[1])))
