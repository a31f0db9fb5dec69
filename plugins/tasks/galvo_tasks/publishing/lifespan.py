"""Publishing, for as long as a kernel runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from celery import Celery

from galvo import Context
from galvo_tasks.outbox import Relay
from galvo_tasks.publishing.publisher import close


@asynccontextmanager
async def publishing(context: Context, app: Celery[Any], *, outbox: bool) -> AsyncIterator[None]:
    """Relays the outbox, where that is wanted; at the end, what is under way ends first, within the deadline."""
    relay = Relay(context, app)
    try:
        async with anyio.create_task_group() as group:
            if outbox:
                group.start_soon(relay.run)
            yield
            relay.end()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(close, app)
