"""Starts, stops and swaps plugins while queries run.

The order of every change is the same: the new chain is published, the old one drains, and only then does
anything stop. A plugin's lifespan opens and closes in one task of its own, because cancel scopes must
(anyio's rule, measured in research: an exit from another task corrupts the scope stack).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup

from galvo.blueprint import Blueprint
from galvo.chain import Chains
from galvo.errors import PluginError
from galvo.order import start_order
from galvo.registry import Registry, validate
from galvo.unit import State, Unit, sentence

if TYPE_CHECKING:
    from galvo.kernel import Kernel

log = logging.getLogger("galvo")

RUNNING = (State.ACTIVE, State.DEGRADED)


class Supervisor:
    """Owns the units and publishes a new generation of chains whenever one joins or leaves."""

    def __init__(self, kernel: Kernel, blueprints: Sequence[Blueprint]) -> None:
        self._kernel = kernel
        self._registry = Registry([blueprint.name for blueprint in blueprints])
        self.units = {blueprint.name: Unit(kernel, blueprint) for blueprint in blueprints}
        self._lock = anyio.Lock()
        self._retired: list[Chains] = []
        self._tasks: TaskGroup | None = None
        self.publish()

    # -- start and stop of everything -------------------------------------------------------------

    async def start(self, tasks: TaskGroup) -> None:
        """Start what is on, in order. Raises PluginError for a required plugin, after unwinding."""
        self._tasks = tasks
        try:
            for unit in start_order([unit for unit in self.units.values() if unit.on]):
                try:
                    await self._start(unit)
                except PluginError as error:
                    if unit.required:
                        raise
                    log.error("%s; going on without it", error)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything in reverse order, after the running queries have ended."""
        async with self._lock:
            await self._drained()
            for unit in reversed(start_order([u for u in self.units.values() if u.state in RUNNING])):
                await self._leave(unit)

    # -- changes while queries run ----------------------------------------------------------------

    async def enable(self, name: str) -> None:
        """Start plugin `name` and let it join the chain. Raises PluginError; then nothing has changed."""
        async with self._lock:
            unit = self._unit(name)
            if unit.state not in RUNNING:
                await self._start(unit)

    async def disable(self, name: str) -> None:
        """Take plugin `name` out of the chain, let running queries end, stop it."""
        async with self._lock:
            unit = self._unit(name)
            users = [u.name for u in self.units.values() if u.state in RUNNING and name in u.requires]
            if users:
                raise PluginError(name, f"is required by {', '.join(users)}: disable that first")
            if unit.state in RUNNING:
                await self._leave(unit)

    async def reload(self, blueprints: Iterable[Blueprint]) -> list[str]:
        """Bring every plugin to its new settings; gives the names that changed.

        All replacements start before anything old stops; when one fails, all of the old stay and its
        PluginError is raised.
        """
        async with self._lock:
            wanted = {blueprint.name: blueprint for blueprint in blueprints}
            fresh = {
                name: Unit(self._kernel, blueprint)
                for name, blueprint in wanted.items()
                if blueprint != self.units[name].blueprint
            }
            started: list[Unit] = []
            try:
                for unit in start_order([unit for unit in fresh.values() if unit.on]):
                    await unit.start(self._running())
                    started.append(unit)
                    validate(unit.instance)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    for unit in reversed(started):
                        await unit.stop()
                raise
            old = [self.units[name] for name in fresh if self.units[name].state in RUNNING]
            for unit in old:
                self._registry.unregister(unit.name)
            for unit in fresh.values():
                self.units[unit.name] = unit
            for unit in started:
                self._registry.register(unit.instance, unit)
            self.publish()
            for unit in started:
                self._settle(unit)
            await self._drained()
            for unit in reversed(start_order(old)):
                await unit.stop()
            return list(fresh)

    # -- what plugins do to themselves --------------------------------------------------------------

    def crashed(self, unit: Unit, reason: str) -> None:
        """A lifespan ended by itself: out of the chain at once, the app runs on."""
        log.error("plugin %r crashed: %s", unit.name, reason)
        unit.state, unit.reason = State.FAILED, reason
        if self.units.get(unit.name) is unit:
            self._registry.unregister(unit.name)
            self.publish()

    def eject(self, unit: Unit) -> None:
        """Too many faults: out of the chain now, a fresh instance is tried later.

        Fresh, because an instance that missed queries (a cache that missed writes) must not come back.
        """
        unit.state, unit.reason = State.DEGRADED, f"ejected after {unit.faults} faults"
        unit.ejections += 1
        log.error("plugin %r: %s", unit.name, unit.reason)
        self._registry.unregister(unit.name)
        self.publish()
        self._running().start_soon(self._readmit, unit, name=f"galvo readmit {unit.name}")

    async def _readmit(self, unit: Unit) -> None:
        async with self._lock:
            await self._drained()
            await unit.stop()
        pause = self._kernel.settings.eject_for * 2 ** min(unit.ejections - 1, 4)
        await anyio.sleep(pause)
        async with self._lock:
            if self.units.get(unit.name) is unit and unit.state is State.DEGRADED:
                try:
                    await self._start(unit)
                except PluginError as error:
                    log.error("%s; not tried again", error)

    # -- the moves they are made of ----------------------------------------------------------------

    def publish(self) -> None:
        """Compose the chains anew; running calls keep the old ones."""
        closed = next(
            (u.name for u in self.units.values() if u.required and u.state in (State.FAILED, State.DEGRADED)),
            "",
        )
        old, self._kernel.chains = (
            getattr(self._kernel, "chains", None),
            Chains(self._registry.implementations(), closed),
        )
        if old is not None:
            old.retire()
            self._retired = [chains for chains in [*self._retired, old] if chains.calls]

    async def _start(self, unit: Unit) -> None:
        missing = [name for name in unit.requires if self._state(name) is not State.ACTIVE]
        if missing:
            unit.state, unit.reason = State.FAILED, f"requires {missing[0]!r}, which is not active"
            raise PluginError(unit.name, unit.reason)
        await unit.start(self._running())
        try:
            self._registry.register(unit.instance, unit)
        except PluginError as error:
            await unit.stop()
            unit.state, unit.reason = State.FAILED, sentence(error)
            raise
        self.publish()
        self._settle(unit)

    async def _leave(self, unit: Unit) -> None:
        ejected = unit.state is State.DEGRADED
        unit.state = State.DRAINING
        self._registry.unregister(unit.name)
        self.publish()
        await self._drained()
        if not ejected or unit.plugin is not None:
            await unit.stop()
        unit.state, unit.reason = State.STOPPED, ""

    def _settle(self, unit: Unit) -> None:
        """Tell the plugin once every query that started before it joined has ended."""
        before = [chains for chains in self._retired if chains.calls]

        async def wait() -> None:
            for chains in before:
                await chains.idle.wait()
            if unit.plugin is not None:
                unit.plugin.settled()

        if before:
            self._running().start_soon(wait, name=f"galvo settle {unit.name}")
        else:
            unit.instance.settled()

    async def _drained(self) -> None:
        """Wait until no query runs on an old chain, at most `drain_timeout`."""
        with anyio.move_on_after(self._kernel.settings.drain_timeout) as limit:
            for chains in list(self._retired):
                await chains.idle.wait()
        if limit.cancelled_caught:
            calls = sum(chains.calls for chains in self._retired)
            log.warning(
                "%d queries still run after %g s of draining", calls, self._kernel.settings.drain_timeout
            )

    def _state(self, name: str) -> State | None:
        unit = self.units.get(name)
        return unit.state if unit else None

    def _unit(self, name: str) -> Unit:
        if name not in self.units:
            raise PluginError(name, f"is not listed; listed are {', '.join(self.units) or 'none'}")
        return self.units[name]

    def _running(self) -> TaskGroup:
        if self._tasks is None:
            raise PluginError("galvo", "the kernel is not running: use it inside `async with`")
        return self._tasks

    def snapshot(self) -> list[dict[str, Any]]:
        """What `galvo plugins` shows of each unit."""
        return [unit.info() for unit in self.units.values()]
