"""What the plugin measures by itself: the machine, the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from galvo import Context, PluginError
from galvo_monitor.database import Database
from galvo_monitor.database.metering import Forget
from galvo_monitor.settings import MonitorSettings
from galvo_monitor.system import Disks, Machine, System
from galvo_monitor.system.metering import Record

Gather = Callable[[], Awaitable[None]]


class Gathers:
    def __init__(self, settings: MonitorSettings, context: Context, record: Record, forget: Forget) -> None:
        self._context = context
        self.system = System(Machine(), Disks(settings.disks))
        self.database = Database(self._connect, log=context.log) if settings.database else None
        self._record, self._forget = record, forget

    @property
    def all(self) -> dict[str, Gather]:
        """By what each looks at."""
        found: dict[str, Gather] = {"looking at the machine": partial(self.system.collect, self._record)}
        if self.database is not None:
            found["looking at the server"] = self._server
        return found

    @property
    def problems(self) -> list[str]:
        """What could not be looked at, in sentences."""
        return [*self.system.problems, *([self.database.problem] if self.database else [])]

    async def _server(self) -> None:
        if self.database is not None and hasattr(self._context.capability("pool"), "connect"):
            await self.database.collect(self._record, self._forget)

    async def _connect(self) -> Any:
        pool = self._context.capability("pool")
        if pool is None:
            raise PluginError("monitor", "no pool is there")
        return await pool.connect()

    async def close(self) -> None:
        if self.database is not None:
            await self.database.close()
