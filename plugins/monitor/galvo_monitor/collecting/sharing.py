"""Adds the numbers of other processes, when the settings name a Redis for that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from galvo import Context
from galvo_monitor.cells import Snapshot
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.settings import MonitorSettings

if TYPE_CHECKING:
    from galvo_monitor.store.sharing import Sharing


@asynccontextmanager
async def sharing(
    settings: MonitorSettings, context: Context, own: Callable[[], Snapshot], older: Sharing | None
) -> AsyncIterator[Sharing | None]:
    """None: this process is the only one. `own` gives what it has counted when it ends. Raises MonitorProblem.

    `older`: of the instance before a reload that counts on in the same cells.
    """
    url = settings.redis.get_secret_value()
    if not url:
        yield None
        return
    if url == "embedded":
        servers = context.capability("servers")
        if servers is None:
            raise MonitorProblem(
                'redis = "embedded" under [monitor] needs the plugin embedded: set [embedded] on = true'
            )
        url = await servers.redis()
    from galvo_monitor.store.client import client_of  # redis-py is megabytes that a single process does not need
    from galvo_monitor.store.seal import key_of
    from galvo_monitor.store.sharing import Sharing

    key = key_of(settings.signing_key.get_secret_value())
    client = client_of(url)
    shared = Sharing(
        client, namespace=settings.namespace, key=key, interval=settings.interval, log=context.log, older=older
    )
    try:
        yield shared
    finally:
        await shared.leave(own())
        await client.aclose()
