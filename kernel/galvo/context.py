"""The kernel as one plugin sees it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from galvo.events import Freed, MemoryPressure, Metric, Query, Rows
from galvo.facade import Facade

if TYPE_CHECKING:
    from galvo.control import Control
    from galvo.kernel import Kernel


class Context(Facade):
    """Given to a plugin at its start. Its queries carry the plugin's name as their origin."""

    log: logging.Logger
    """The plugin's own: `galvo.NAME`."""

    def __init__(self, kernel: Kernel, name: str) -> None:
        super().__init__(kernel.run, origin=name)
        self._kernel = kernel
        self.log = logging.getLogger(f"galvo.{name}")
        self._continuous = False

    async def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
        """Ask whether anybody knows the answer without the database."""
        return await self._kernel.chains.on_cache_miss(query, reason)

    def record(self, metric: Metric, value: float = 1) -> None:
        """Tell everybody who listens one value of `metric`."""
        self._kernel.chains.on_metric(metric, value)

    async def relieve(self, pressure: MemoryPressure) -> Freed:
        """Ask every plugin to free memory; gives what they freed."""
        return await self._kernel.relieve(pressure)

    @property
    def control(self) -> Control:
        """Changes plugins and settings while the kernel runs. Since API 1.1."""
        return self._kernel.control

    @property
    def continuous(self) -> bool:
        """Whether no query went past this plugin so far: it joined as the kernel started, or took the place of an
        instance in the chain. Since API 1.1.
        """
        return self._continuous

    def capability(self, name: str) -> Any:
        """What the host gave as `name`, or else the running plugin that provides it, or None."""
        return self._kernel.find_capability(name)

    def running(self) -> list[str]:
        """The names of the plugins that run, this one included."""
        return [unit.name for unit in self._kernel.supervisor.units.values() if unit.plugin is not None]

    def plugin_stats(self, name: str) -> dict[str, float]:
        """A running plugin's counters; empty when it is not running."""
        return self._kernel.plugin_stats(name)
