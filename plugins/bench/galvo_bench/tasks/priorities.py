"""Who is first: bulk tasks wait, then come urgent ones."""

from __future__ import annotations

import time
from collections.abc import Sequence

import anyio
from redis import Redis

from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.stand import Stand, must
from galvo_bench.tasks.rabbit import rabbitmq
from galvo_bench.tasks.traps import RABBITMQ, REDIS, Trap
from galvo_bench.tasks.workers import Worker

BULK = 24
URGENT = 6
RUNNING = 3
"""Bulk tasks that have begun when the urgent ones come."""
TAKES = 0.06
"""Seconds that a task takes."""
EXPLAINS = (
    f"A worker with one process; {BULK} bulk tasks of {1000 * TAKES:.0f} ms are asked for, {URGENT} urgent ones when "
    f"{RUNNING} have begun and the last of these is half done. Counted: bulk tasks that begin before the last urgent "
    "one."
)


async def measure(stand: Stand) -> list[Section]:
    """One section for each broker."""
    url = await stand.redis()
    sections = [await _section(stand, "Redis", url, REDIS)]
    with rabbitmq(stand.amqp) as found:
        if isinstance(found, Missing):
            return [*sections, Section("priorities", "Urgent before bulk: RabbitMQ", EXPLAINS, [found])]
        return [*sections, await _section(stand, "RabbitMQ", found, RABBITMQ)]


async def _section(stand: Stand, title: str, url: str, traps: Sequence[Trap]) -> Section:
    rows: list[Values | Missing] = []
    for number, trap in enumerate(traps):
        rows.append(await anyio.to_thread.run_sync(_measured, trap, url, number))
        stand.tick()
    return Section("priorities", f"Urgent before bulk: {title}", EXPLAINS, [*rows])


def _measured(trap: Trap, url: str, number: int) -> Values:
    if url.startswith("unix:"):
        with Redis.from_url(url) as client:
            client.flushdb()
    worker = Worker(trap.way, url, number)
    name = str(worker.jobs.app.main)
    bulk, urgent = (
        {key: value.format(name=name) if key == "queue" else value for key, value in ask.items()}
        for ask in (trap.bulk, trap.urgent)
    )
    try:
        worker.until_ready()
        for _ in range(BULK):
            worker.jobs.timed.apply_async(("bulk", TAKES), **bulk)
        worker.until(lambda: len(worker.begun()) >= RUNNING)
        time.sleep(TAKES / 2)  # in the midst of one: what a worker takes beforehand, it has
        asked = time.monotonic()
        for _ in range(URGENT):
            worker.jobs.timed.apply_async(("urgent", TAKES), **urgent)
        waiting = time.monotonic()
        worker.until(lambda: [kind for kind, _ in worker.begun()].count("urgent") == URGENT)
        begun = worker.begun()
    finally:
        worker.close()
    times = [when for kind, when in begun if kind == "urgent"]
    between = [when for kind, when in begun if kind == "bulk" and waiting < when < max(times)]
    must(waiting - asked < TAKES * (BULK - RUNNING), f"asking for {URGENT} tasks took longer than the bulk tasks")
    return Values(trap.way.name, {"bulk before": len(between), "first urgent, ms": 1000 * (min(times) - asked)})
