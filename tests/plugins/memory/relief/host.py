"""A host application under a hard data limit: `python -m tests.plugins.memory.relief.host URL IMAGES ROWS MEMORY`.

It answers requests whose answers are kept, IMAGES of them with an image, with a cache that was sized for a larger
machine, and reads an export of ROWS again and again. An error that reaches a request ends it. MEMORY is "with" or
"without" the plugin.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sys
from typing import Any

LIMIT = 300 << 20
"""Bytes of data (RLIMIT_DATA); what comes above fails at once."""
USERS = 16
LEAST, MOST = 250_000, 600_000
"""Bytes of an image."""
PAGE = "select g, md5(g::text) as name, g * 1.5 as price from generate_series($1::int, $1 + 19) g"
EXPORT = "select g as id, md5(g::text) as name, g * 0.5 as price from generate_series(1, $1::int) g"
MEMORY = {"again": 1.0, "dwell": 2.0, "required": True}
"""Seconds: what is left of the limit fills within two, so everybody is asked again soon."""


class Host:
    def __init__(self, kernel: Any, images: int, rows: int) -> None:
        self.kernel = kernel
        self.images = images
        self.rows = rows
        self.requests = self.drawn = self.exported = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for user in range(USERS):
                tasks.create_task(self.serve(user))
            tasks.create_task(self.export())

    async def serve(self, user: int) -> None:
        number = user
        while self.drawn < self.images:
            number += USERS
            for asked in (number, max(user, number - 20 * USERS)):  # the new one, and one of a while ago
                rows = await self.kernel.fetch(PAGE, asked)
                image = await self.kernel.cached(f"preview:{asked}", lambda: self.draw(asked), shared=True)  # noqa: B023
                assert (rows[0]["g"], len(rows), image[0]) == (asked, 20, asked % 256)
                self.requests += 1

    async def draw(self, number: int) -> bytes:
        await asyncio.sleep(0.05)  # so that 140 MB come in a second at most, on any machine
        self.drawn += 1
        return bytes([number % 256]) * (LEAST + number * 37 % (MOST - LEAST))

    async def export(self) -> None:
        from galvo_memory import chunked

        while self.drawn < self.images or self.exported < self.rows:
            total = 0
            async for rows in chunked(self.kernel, EXPORT, self.rows, max_bytes="4MiB"):
                total += sum(row["id"] for row in rows)
                self.exported += len(rows)
            assert total == self.rows * (self.rows + 1) // 2


def kernel(url: str, memory: bool) -> Any:
    from galvo import Kernel
    from galvo_cache import CachePlugin
    from galvo_memory import MemoryPlugin
    from galvo_pool import PoolPlugin

    plugins: dict[Any, dict[str, Any]] = {
        CachePlugin: {"ttl": 600, "max_bytes": 1 << 30},
        PoolPlugin: {"url": url, "min_size": 2, "max_size": 6},
    }
    return Kernel.of({MemoryPlugin: MEMORY, **plugins} if memory else plugins)


async def main(url: str, images: int, rows: int, memory: bool) -> None:
    async with kernel(url, memory) as running:
        host = Host(running, images, rows)
        await host.run()
        stats = [running.plugin_stats(name) for name in ("cache", *(["memory"] if memory else []))]
        print(json.dumps({"requests": host.requests, "exported": host.exported, **stats[0], **stats[-1]}))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d ms %(message)s")
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "with"))
