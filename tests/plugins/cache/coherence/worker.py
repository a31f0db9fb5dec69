"""A process with a cache, readers and writers; notes each answer and each acknowledged write with its time."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import sys
import time
from typing import Any

import asyncpg
from redis.asyncio import Redis

from galvo_cache.coherence import Coherence
from tests.plugins.cache.coherence.table_cache import LANE, TABLE, TableCache


class Worker:
    def __init__(self, cache: TableCache, told: dict[str, Any]) -> None:
        self.cache, self.told = cache, told
        self.stopped = False
        self.reads: list[str] = []
        self.notes = os.open(told["notes"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def reader(self) -> None:
        while not self.stopped:
            key, begin = random.randrange(self.told["keys"]), time.monotonic_ns()
            value = await self.cache.read(key)
            self.reads.append(f"r {key} {value} {begin} {time.monotonic_ns()}\n")
            await asyncio.sleep(random.random() * 0.006)

    async def writer(self) -> None:
        while not self.stopped:
            value = await self.cache.write(key := random.randrange(self.told["keys"]))
            now = time.monotonic_ns()
            os.write(self.notes, f"w {key} {value} 0 {now}\n".encode())
            await asyncio.sleep(random.random() * self.told["pause"])

    async def write_and_hang(self, key: int) -> None:
        """As far as the COMMIT, and no further."""
        assert self.cache.coherence is not None
        self.cache.begin({TABLE: {LANE: [key]}})
        await self.cache.coherence.announce({TABLE: {LANE: [key]}})
        connection = await asyncpg.connect(self.told["dsn"])
        await connection.execute("update kv set v = v + 1 where k = $1", key)
        print(json.dumps("committed"), flush=True)

    def tell(self) -> None:
        """Note what has been read since the last time, and print the statistics."""
        os.write(self.notes, "".join(self.reads).encode())
        self.reads.clear()
        assert self.cache.coherence is not None
        print(json.dumps({"hits": self.cache.hits, **self.cache.coherence.stats()}), flush=True)


async def main(told: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    async with asyncpg.create_pool(told["dsn"], min_size=1, max_size=4) as pool, Redis.from_url(told["redis"]) as redis:
        cache = TableCache(pool)
        log = logging.getLogger(f"worker-{os.getpid()}")
        cache.coherence = Coherence(
            redis, told["namespace"], cache, lease=told["lease"], unknown_outcome=1.0, on_lease=cache.lease, log=log
        )
        membership = loop.create_task(cache.coherence.run())
        worker = Worker(cache, told)
        while not cache.coherence.trusted:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
        print(json.dumps("ready"), flush=True)
        tasks = [loop.create_task(worker.reader()) for _ in range(told["readers"])]
        tasks += [loop.create_task(worker.writer()) for _ in range(told["writers"])]
        while True:
            line = await loop.run_in_executor(None, sys.stdin.readline)
            if line.startswith("hang"):
                await worker.write_and_hang(int(line.split()[1]))
            elif line.startswith("tell"):
                worker.tell()
            else:
                break
        worker.stopped = True
        await asyncio.gather(*tasks)
        membership.cancel()
        await asyncio.wait([membership])
        worker.tell()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(relativeCreated)d %(name)s %(message)s")
    asyncio.run(main(json.loads(sys.argv[1])))
