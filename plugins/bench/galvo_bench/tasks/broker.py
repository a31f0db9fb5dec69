"""What tasks cost their broker: Redis commands for each, connections for each worker."""

from __future__ import annotations

import anyio
from redis.asyncio import Redis

from galvo_bench.cache.readers import processed
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand
from galvo_bench.tasks.load import Loaded, loaded
from galvo_bench.tasks.monitored import sent_to
from galvo_bench.tasks.ways import WAYS

TASKS = 1000
PROCESSES = 2
OWN = 5
"""Commands with which it is counted."""


async def measure(stand: Stand) -> list[Section]:
    """One section."""
    rows: list[Values] = []
    async with loaded(stand, WAYS, TASKS, PROCESSES) as workers:
        for one in workers:
            await one.fill()
            await one.drain()  # what a first time does once is past
            rows.append(await _counted(one, await _worked(one)))
            stand.tick()
    explains = (
        f"{TASKS:,} tasks that do nothing, a worker with {PROCESSES} processes. Sent: by publisher and worker, as "
        "MONITOR shows them. Run: as the server counts them, those within scripts and transactions, too. Server: CPU."
    )
    return [Section("broker", "Redis commands for a task, connections of a worker", explains, [*rows])]


async def _worked(one: Loaded) -> float:
    """Seconds of CPU of the server, for one task."""
    before = await _cpu(one.redis)
    await one.fill()
    await one.drain()
    return (await _cpu(one.redis) - before) / TASKS


async def _cpu(redis: Redis) -> float:
    info = await redis.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


async def _counted(one: Loaded, cpu: float) -> Values:
    before = await processed(one.redis)
    async with sent_to(one.redis) as publishing:
        await one.fill()
    async with sent_to(one.redis) as consuming:
        await one.drain()
        await anyio.sleep(0.1)  # the last one's acknowledgement
    ran = await processed(one.redis) - before - OWN
    connections = len(await one.redis.client_list())
    one.worker.kill()
    await anyio.sleep(0.2)  # until the last of its processes is gone
    connections -= len(await one.redis.client_list())
    sent = publishing.total() + consuming.total()
    return Values(one.way.name, {
        "sent": sent / TASKS,
        "to publish": publishing.total() / TASKS,
        "run": ran / TASKS,
        "server, us": 1e6 * cpu,
        "connections": connections,
    })  # fmt: skip
