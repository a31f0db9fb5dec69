"""What clients send to a Redis: MONITOR tells scripts' own commands apart, which INFO does not."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskStatus
from redis.asyncio import Redis


@asynccontextmanager
async def sent_to(redis: Redis) -> AsyncIterator[Counter[str]]:
    """Commands by their names, complete at the end. It slows the server down: time nothing meanwhile."""
    commands: Counter[str] = Counter()
    end = uuid.uuid4().hex

    async def count(*, task_status: TaskStatus[None]) -> None:
        async with redis.monitor() as monitor:
            task_status.started()
            async for command in monitor.listen():
                if end in command["command"]:
                    return
                if command["client_type"] != "lua":
                    commands[command["command"].split(" ", 1)[0].upper()] += 1

    async with anyio.create_task_group() as tasks:
        await tasks.start(count)
        yield commands
        await redis.echo(end)
