"""What the plugin does: it chooses who answers a read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import anyio
from galvo import Context, ForCaller, Plugin, PluginError, Proceed, Query, Rows, hookimpl

from galvo_replicas.settings import ReplicasSettings
from galvo_replicas.standby import NEVER, Standby

SELECT = re.compile(r"[\s(]*select\b", re.I)


class ReplicasPlugin(Plugin):
    """Reads that may be stale (`stale_ok`) go to a standby that is fresh enough and shows what was written here."""

    name = "replicas"
    api = ">=1,<2"
    after = ("pool",)
    settings_type = ReplicasSettings

    def __init__(self, settings: ReplicasSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._standby = Standby(settings, context.fetchval)
        self._wrote = NEVER
        self._answered = self._passed = 0

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        if not self._settings.url.get_secret_value():
            raise PluginError(self.name, "has no standby: set GALVO_REPLICAS__URL=postgresql://...")
        async with self._standby.opened(), anyio.create_task_group() as tasks:
            tasks.start_soon(self._standby.watch)
            yield
            tasks.cancel_scope.cancel()

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        """`proceed` leads to the primary."""
        if query.kind == "rows" and query.session is None and query.stale_ok is not None:
            try:
                rows = await self._standby.answer(query) if self._fresh(query.stale_ok) else None
            except TimeoutError as error:
                raise ForCaller(error) from None  # its time is over; without this it would start anew
            if rows is not None:
                self._answered += 1
                return rows
            self._passed += 1
        try:
            return await proceed(query)
        finally:
            if not _reads(query):
                self._wrote = monotonic()

    def _fresh(self, stale_ok: float) -> bool:
        shows = self._standby.shows
        return shows > self._wrote and monotonic() - shows <= stale_ok

    def stats(self) -> dict[str, float]:
        """Counters since the start: stale reads that the standby has answered, and the primary."""
        return {"standby": self._answered, "primary": self._passed}


def _reads(query: Query) -> bool:
    return query.kind == "value" or (query.kind == "rows" and SELECT.match(query.sql) is not None)
