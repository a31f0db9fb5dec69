"""The facade that a host application holds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio
from anyio.abc import TaskGroup

from galvo import discovery
from galvo.blueprint import Overrides, Plan, of_classes, plan
from galvo.chain import Chains
from galvo.control import Control, Operations
from galvo.errors import KernelClosed, SettingsError
from galvo.events import Freed, MemoryPressure, Metric, Query
from galvo.explain import explain_hook, explain_statement
from galvo.hangup import keep_hangup
from galvo.hookspecs import KINDS
from galvo.lifecycle import NOT_RUNNING, Supervisor
from galvo.observing import Observation
from galvo.plugin import Plugin
from galvo.session import Leasing
from galvo.unit import State


class Kernel(Leasing):
    """Runs queries through the plugins. Use it with `async with`; nothing starts before that.

    Examples:
        >>> async with Kernel.from_settings() as kernel:
        ...     rows = await kernel.fetch("select * from material where id = $1", 7)
    """

    given: dict[str, Any]
    """Capabilities that the host itself provides."""

    def __init__(self, plan: Plan, root: Path | None = None, overrides: Overrides | None = None) -> None:
        self.given = {}
        self.chains = Chains(dict.fromkeys(KINDS, ()))
        super().__init__(self.chains.on_query)
        self.settings = plan.kernel
        self._root = root
        self._overrides = overrides
        self._tasks: TaskGroup | None = None
        self.supervisor = Supervisor(self, plan.blueprints)
        self._operations = Operations(self)

    @classmethod
    def from_settings(cls, root: str | Path = ".", *, overrides: Overrides | None = None) -> Kernel:
        """A kernel from `root`'s entrypoints.toml and settings/galvo.toml, neither of which has to exist.

        `overrides` is laid over everything, for example `{"pool": {"url": "postgresql://..."}}`.
        Raises SettingsError, or PluginError for a required plugin that cannot be imported.
        """
        return cls(plan(Path(root), overrides), Path(root), overrides)

    @classmethod
    def of(cls, classes: Mapping[type[Plugin], Mapping[str, Any]], **kernel: Any) -> Kernel:
        """A kernel of exactly these plugin classes, outermost first, each with its settings."""
        return cls(of_classes(classes, kernel))

    @property
    def control(self) -> Control:
        """Switches plugins and reads settings again, and keeps who asked for it and why."""
        return self._operations

    @property
    def running(self) -> bool:
        return self._tasks is not None

    async def __aenter__(self) -> Kernel:
        if self._tasks is not None:
            raise KernelClosed("this kernel is running already: one `async with` per kernel")
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        try:
            with keep_hangup():
                await self.supervisor.start(self._tasks)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with anyio.CancelScope(shield=True):
                await self.supervisor.stop()
        finally:
            await self._end()

    async def _end(self) -> None:
        if self._tasks is not None:
            self.supervisor.abandon()
            self._tasks.cancel_scope.cancel()
            # The body's exception is not handed over: a task group would wrap it.
            tasks, self._tasks = self._tasks, None
            try:
                await tasks.__aexit__(None, None, None)
            finally:
                self._operations.ended()

    # -- queries ------------------------------------------------------------------------------------

    def adopt(self, chains: Chains) -> Chains:
        """Send what comes from now on through `chains`; gives the ones before."""
        old, self.chains, self._send = self.chains, chains, chains.on_query
        return old

    def record(self, metric: Metric, value: float = 1) -> None:
        """Tell every monitor one value of `metric`."""
        self.chains.on_metric(metric, value)

    async def relieve(self, pressure: MemoryPressure) -> Freed:
        """Ask every plugin to free memory; gives what they freed."""
        return await self.chains.on_memory_pressure(pressure)

    # -- plugins ------------------------------------------------------------------------------------

    async def enable(self, name: str) -> None:
        """Start plugin `name` while queries run. Raises PluginError; then nothing has changed."""
        await self.supervisor.enable(name)

    async def disable(self, name: str) -> None:
        """Stop plugin `name` while queries run, after those that it serves have ended."""
        await self.supervisor.disable(name)

    async def reload(self, overrides: Overrides | None = None) -> list[str]:
        """Read the settings again and bring every plugin to them; gives the names that changed, "kernel" among them.

        Raises SettingsError or PluginError; then everything runs on as it was.
        """
        if self._root is None:
            raise SettingsError("this kernel was not made from settings, so there is nothing to read again")
        fresh = plan(self._root, overrides if overrides is not None else self._overrides)
        return await self.supervisor.reload(fresh.blueprints, fresh.kernel)

    def plugins(self) -> list[dict[str, Any]]:
        """Every listed plugin: name, state, mode, reason, version, hooks, faults."""
        return self.supervisor.snapshot()

    def plugin_stats(self, name: str) -> dict[str, float]:
        """A running plugin's counters; empty when it is not running."""
        plugin = self.supervisor.units[name].plugin if name in self.supervisor.units else None
        return plugin.stats() if plugin else {}

    def find_capability(self, name: str) -> Any:
        """What the host gave as `name`, or else the running plugin that provides it, or None."""
        if name in self.given:
            return self.given[name]
        for unit in self.supervisor.units.values():
            if unit.plugin is not None and name in unit.plugin.provides and unit.state is not State.FAILED:
                return unit.plugin
        return None

    def observed(self) -> AbstractContextManager[Observation]:
        """`with kernel.observed() as seen:` times every layer of every hook. Before and after, nothing does.

        `seen.figures("on_query", "cache")`: calls, median and p99 in seconds, with and without the inner layers.
        """
        return self.supervisor.generations.observed()

    async def explain(self, what: str, *args: Any, seconds: float = 0) -> dict[str, Any]:
        """Of a hook: its implementations in order, and why. Of a statement: what each plugin would do.

        `seconds`: watch the hook's calls for so long, and tell how many there were and how long they took. Raises
        KernelClosed when there is nothing to watch.
        """
        if what not in KINDS:
            return await explain_statement(Query(what, args), self.supervisor.units.values())
        if not seconds:
            return explain_hook(what, list(self.supervisor.units.values()), file=self._list())
        if not self.running:
            raise KernelClosed(NOT_RUNNING)
        with self.observed() as seen:
            await anyio.sleep(seconds)
        return explain_hook(what, list(self.supervisor.units.values()), seen, self._list()) | {"seconds": seconds}

    def _list(self) -> str:
        """The name of the file that lists the plugins, where there is one."""
        return discovery.FILE if self._root is not None and (self._root / discovery.FILE).is_file() else ""
