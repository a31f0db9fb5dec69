"""Starts, stops and swaps plugins while queries run.

The order of every change is the same: the new chain is published, the old one drains, and only then does
anything stop. A plugin's lifespan opens and closes in one task of its own, because cancel scopes must
(anyio's rule, measured in research: an exit from another task corrupts the scope stack).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup

from galvo.blueprint import Blueprint
from galvo.chain import no_backend
from galvo.errors import GalvoError, KernelClosed, PluginError, PluginUnavailable
from galvo.generations import Generations
from galvo.order import start_order
from galvo.registry import Registry
from galvo.settings import KernelSettings
from galvo.unit import State, Unit, sentence

if TYPE_CHECKING:
    from galvo.kernel import Kernel

log = logging.getLogger("galvo")

RUNNING = (State.ACTIVE, State.DEGRADED)
NOT_RUNNING = "this kernel is not running: use it inside its `async with`"


class Supervisor:
    """Owns the units and publishes a new generation of chains whenever one joins or leaves."""

    def __init__(self, kernel: Kernel, blueprints: Sequence[Blueprint]) -> None:
        self._kernel = kernel
        self._registry = Registry([blueprint.name for blueprint in blueprints])
        self.generations = Generations(kernel, self._registry, self._closed, self._nobody)
        self.units = {blueprint.name: Unit(kernel, blueprint) for blueprint in blueprints}
        self._lock = anyio.Lock()
        self._starting = False
        self._tasks: TaskGroup | None = None
        self.stopping = False
        self._ejected: list[tuple[Unit, int]] = []
        """Just now; each gets a task that tries it again."""
        self.generations.publish()

    # -- start and stop of everything -------------------------------------------------------------

    async def start(self, tasks: TaskGroup) -> None:
        """Start what is on, in order. Raises PluginError for a required plugin, after unwinding.

        Nothing else changes meanwhile: a reload would replace what is still starting, and nobody would stop that.
        """
        async with self._lock:
            self._tasks, self._eject, self._starting, self.stopping = tasks, anyio.Event(), True, False
            tasks.start_soon(self._readmitting, tasks, name="galvo readmitting")
            self.generations.publish()
            try:
                for unit in self._startable():
                    try:
                        await self._start(unit)
                    except PluginError as error:
                        if unit.required:
                            raise
                        log.error("%s; going on without it", error)
            except BaseException:
                self.stopping = True
                with anyio.CancelScope(shield=True):
                    await self._stop()
                raise
            finally:
                self._starting = False

    def _startable(self) -> list[Unit]:
        """What is on, in the order of its start; of a cycle one is left out, and those that require it fail with it."""
        coming = [unit for unit in self.units.values() if unit.on]
        while True:
            try:
                return start_order(coming)
            except PluginError as error:
                unit = self.units[error.plugin]
                if unit.required:
                    raise
                log.error("%s; going on without it", error)
                unit.state, unit.reason = State.FAILED, error.why
                coming.remove(unit)

    async def stop(self) -> None:
        """Stop everything in reverse order, after the running queries have ended."""
        self.stopping = True
        async with self._lock:
            await self._stop()

    async def _stop(self) -> None:
        await self.generations.drained()
        for unit in reversed(start_order(self._in_state(*RUNNING))):
            await self._leave(unit)
        self._tasks = None
        self.generations.publish()

    def abandon(self) -> None:
        """Cancel what still runs: a second cancellation, which no shield holds off in asyncio, has ended `stop`."""
        for unit in self.units.values():
            unit.cancel()

    # -- changes while queries run ----------------------------------------------------------------

    async def enable(self, name: str) -> None:
        """Start plugin `name` and let it join the chain. Raises PluginError; then nothing has changed."""
        async with self._lock:
            unit = self._unit(name)
            if unit.state is not State.ACTIVE:
                await self._enable(unit)

    async def _enable(self, unit: Unit) -> None:
        unit.blueprint = unit.blueprint.loaded()
        start_order([*(u for u in self._in_state(*RUNNING) if u is not unit), unit])
        if unit.state is State.DEGRADED:  # its operator does not want to wait for the probe
            with anyio.CancelScope(shield=True):
                await self.generations.drained()
                await unit.stop()
        await self._start(unit)

    async def disable(self, name: str) -> None:
        """Take plugin `name` out of the chain, let running queries end, stop it."""
        async with self._lock:
            unit = self._unit(name)
            if unit.required:
                raise PluginError(name, f"is required: write `required = false` under [{name}] and reload first")
            users = [u.name for u in self._in_state(*RUNNING) if name in u.requires]
            if users:
                raise PluginError(name, f"is required by {', '.join(users)}: disable that first")
            if unit.state in RUNNING:
                await self._leave(unit)

    async def reload(self, blueprints: Iterable[Blueprint], settings: KernelSettings | None = None) -> list[str]:
        """Bring every plugin to its new settings, and the kernel to its own; gives the names that changed.

        All replacements start before anything old stops; when one fails, all of the old stay and its
        PluginError is raised. What has failed before is tried again at last, and may fail again.
        """
        async with self._lock:
            units = {
                blueprint.name: kept
                if (kept := self.units.get(blueprint.name)) and kept.blueprint.same(blueprint)
                else Unit(self._kernel, blueprint)
                for blueprint in blueprints
            }
            fresh = [unit for name, unit in units.items() if unit is not self.units.get(name)]
            gone = [unit for name, unit in self.units.items() if unit is not units.get(name)]
            started: list[Unit] = []
            before, self._kernel.settings = self._kernel.settings, settings or self._kernel.settings
            try:
                for unit in self._agreed(units, fresh):
                    await unit.start(self.group())
                    started.append(unit)
                for unit in started:
                    _ = unit.instance  # the first may have crashed while the last one started
            except BaseException:
                self._kernel.settings = before
                with anyio.CancelScope(shield=True):
                    for unit in reversed(started):
                        await unit.stop()
                raise
            with anyio.CancelScope(shield=True):
                await self._swap(units, started, [unit for unit in gone if unit.state in RUNNING])
                back = await self._again([unit for unit in units.values() if unit not in fresh])
            own = ["kernel"] if self._kernel.settings != before else []
            return sorted({*own, *(unit.name for unit in (*fresh, *gone, *back))})

    async def _again(self, kept: list[Unit]) -> list[Unit]:
        """Try those that have failed; gives those that run now."""
        failed = [unit for unit in kept if unit.on and unit.state is State.FAILED]
        with suppress(PluginError):  # of a cycle each is told so below
            failed = start_order(failed)
        for unit in failed:
            try:
                await self._enable(unit)
            except GalvoError as error:
                log.error("%s; going on without it", error)
        return [unit for unit in failed if unit.state is State.ACTIVE]

    def _agreed(self, units: dict[str, Unit], fresh: list[Unit]) -> list[Unit]:
        """Those of `fresh` to start, in order. Raises PluginError when `units` cannot run together."""
        coming = {unit.name: unit for unit in units.values() if (unit.on if unit in fresh else unit.state in RUNNING)}
        for unit in coming.values():
            for name in unit.requires:
                if name not in coming and (unit in fresh or self._state(name) in RUNNING):
                    raise PluginError(unit.name, f"requires {name!r}, which is not on")
        return [unit for unit in start_order(list(coming.values())) if unit in fresh]

    async def _swap(self, units: dict[str, Unit], started: list[Unit], old: list[Unit]) -> None:
        unbroken = {unit.name for unit in old if unit.state is State.ACTIVE and unit.mode != "off"}
        self._tell(old)
        for unit in old:
            unit.state = State.DRAINING
            self._registry.unregister(unit.name)
        self.units = units
        self._registry.sort(list(units))
        for unit in started:
            self._registry.register(unit.instance, unit)
            unit.context._continuous = unit.name in unbroken
        self.generations.publish()
        for unit in started:
            self._settle(unit)
        await self.generations.drained()
        for unit in reversed(start_order(old)):
            await unit.stop()
            unit.state = State.STOPPED

    # -- what plugins do to themselves --------------------------------------------------------------

    def crashed(self, unit: Unit, reason: str) -> None:
        """A lifespan ended by itself: out of the chain at once, the app runs on."""
        log.error("plugin %r crashed: %s", unit.name, reason)
        if unit.state in (State.DEGRADED, State.DRAINING):
            return  # out of the chain already, and about to be thrown away
        unit.state, unit.reason = State.FAILED, reason
        if self.units.get(unit.name) is unit:
            self._registry.unregister(unit.name)
            self.generations.publish()

    def eject(self, unit: Unit) -> None:
        """Too many faults: out of the chain now, a fresh instance is tried later.

        Fresh, because an instance that missed queries (a cache that missed writes) must not come back.
        """
        unit.state, unit.reason = State.DEGRADED, f"ejected after {unit.faults} faults"
        unit.ejections += 1
        log.error("plugin %r: %s", unit.name, unit.reason)
        self._registry.unregister(unit.name)
        self.generations.publish()
        self._ejected.append((unit, unit.ejections))
        self._eject.set()

    async def _readmitting(self, tasks: TaskGroup) -> None:
        """Tasks can only be started in one, and a plugin may fault in a callback of the event loop."""
        while True:
            await self._eject.wait()
            self._eject = anyio.Event()
            while self._ejected:
                unit, ejection = self._ejected.pop()
                tasks.start_soon(self._readmit, unit, ejection, name=f"galvo readmit {unit.name}")

    async def _readmit(self, unit: Unit, ejection: int) -> None:
        def waiting() -> bool:  # nobody disabled, enabled or replaced it in the meantime
            mine = self.units.get(unit.name) is unit and unit.ejections == ejection
            return mine and unit.state is State.DEGRADED

        async with self._lock:
            if waiting():
                await self.generations.drained()
                await unit.stop()
        while waiting():
            await anyio.sleep(self._kernel.settings.eject_for * 2 ** min(ejection - 1, 4))
            async with self._lock:
                if not waiting():
                    return
                try:
                    await self._start(unit)
                except PluginError as error:
                    log.error("%s; it is tried again later", error)
                    unit.state = State.DEGRADED
                    ejection = unit.ejections = ejection + 1

    # -- the moves they are made of ----------------------------------------------------------------

    def _closed(self) -> Callable[[], GalvoError] | None:
        if self._tasks is None:
            return partial(KernelClosed, NOT_RUNNING)
        for unit in self._in_state(State.STARTING, State.FAILED, State.DEGRADED):
            if unit.required:
                why = "is required and is not running; `galvo plugins` tells why"
                return partial(PluginUnavailable, unit.name, why)
        return None

    def _nobody(self) -> GalvoError:
        """Of a query that came to the end of the chain."""
        if self.stopping:
            return KernelClosed("this kernel is ending, and what runs SQL has stopped")
        away = [unit for unit in self.units.values() if unit.on and unit.state is not State.ACTIVE]
        return no_backend([f"{unit.name} ({unit.state})" for unit in away if unit.implements("on_query")])

    async def _start(self, unit: Unit) -> None:
        missing = [name for name in unit.requires if self._state(name) is not State.ACTIVE]
        if missing:
            unit.state, unit.reason = State.FAILED, f"requires {missing[0]!r}, which is not active"
            raise PluginError(unit.name, unit.reason)
        await unit.start(self.group())
        try:
            self._registry.register(unit.instance, unit)
        except PluginError as error:
            await unit.stop()
            unit.state, unit.reason = State.FAILED, sentence(error)
            raise
        unit.context._continuous = self._starting
        self.generations.publish()
        self._settle(unit)

    async def _leave(self, unit: Unit) -> None:
        self._tell([unit])
        unit.state = State.DRAINING
        self._registry.unregister(unit.name)
        self.generations.publish()
        with anyio.CancelScope(shield=True):  # half a stop would leave it running, out of everybody's sight
            await self.generations.drained()
            await unit.stop()
        unit.state, unit.reason = State.STOPPED, ""

    def _tell(self, leaving: list[Unit]) -> None:
        """What was counted so far, while those who listen are there."""
        if any(unit.implements("on_metric") for unit in leaving):
            for unit in self._in_state(*RUNNING):
                unit.tell()

    def _settle(self, unit: Unit) -> None:
        """Tell the plugin once every query that started before it joined has ended."""
        before, plugin = self.generations.busy(), unit.plugin

        def settled() -> None:
            if plugin is None or unit.plugin is not plugin:
                return
            try:
                plugin.settled()
            except Exception as error:  # noqa: BLE001  # in a task of the kernel's own it would end the host
                unit.fault("settled", error)

        async def wait() -> None:
            for chains in before:
                await chains.idle.wait()
            settled()

        if before:
            self.group().start_soon(wait, name=f"galvo settle {unit.name}")
        else:
            settled()

    def _in_state(self, *states: State) -> list[Unit]:
        return [unit for unit in self.units.values() if unit.state in states]

    def _state(self, name: str) -> State | None:
        unit = self.units.get(name)
        return unit.state if unit else None

    def _unit(self, name: str) -> Unit:
        if name not in self.units:
            listed = ", ".join(self.units) or "none"
            raise PluginError(name, f"is not listed; listed are {listed}; a reload reads entrypoints.toml anew")
        return self.units[name]

    def group(self) -> TaskGroup:
        """Of what must outlast any plugin. Raises KernelClosed."""
        if self._tasks is None:
            raise KernelClosed(NOT_RUNNING)
        return self._tasks

    def snapshot(self) -> list[dict[str, Any]]:
        """What `galvo plugins` shows of each unit."""
        return [unit.info() for unit in self.units.values()]
