"""One plugin's life: its task, its cancel scope, its state, its faults."""

from __future__ import annotations

import logging
import time
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
from anyio.abc import TaskGroup

from galvo.blueprint import Blueprint
from galvo.context import Context
from galvo.errors import GalvoError, PluginError
from galvo.metering import Metering, running
from galvo.plugin import Plugin
from galvo.registry import hooks_of, validate

if TYPE_CHECKING:
    from galvo.kernel import Kernel

log = logging.getLogger("galvo")


class State(StrEnum):
    LISTED = "listed"
    STARTING = "starting"
    ACTIVE = "active"
    DEGRADED = "degraded"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


class Unit:
    """A plugin class with its settings and, between start and stop, one instance.

    listed -> starting -> active -> draining -> stopped; starting or active -> failed(reason);
    active -> degraded (ejected, waits for its probe) -> starting.
    """

    def __init__(self, kernel: Kernel, blueprint: Blueprint) -> None:
        self._kernel = kernel
        self.blueprint = blueprint
        self.state = State.FAILED if blueprint.failure else State.LISTED
        self.reason = blueprint.failure
        self.plugin: Plugin | None = None
        self.faults = 0
        self.last_fault = ""
        self.recent: deque[float] = deque()
        """When this instance's last faults were."""
        self._faulted: dict[str, float] = {}
        """When the last one in each hook was."""
        self.agreed = 0
        self.differed = 0
        self.ejections = 0
        self._meterings: set[Metering] = set()
        self._failure: BaseException | None = None

    @property
    def instance(self) -> Plugin:
        """The running instance. Raises PluginError when there is none."""
        if self.plugin is None:
            raise PluginError(self.name, "is not running")
        return self.plugin

    @property
    def name(self) -> str:
        return self.blueprint.name

    @property
    def on(self) -> bool:
        return self.blueprint.settings.on

    @property
    def required(self) -> bool:
        return self.on and self.blueprint.settings.required

    @property
    def mode(self) -> str:
        return self.blueprint.settings.mode

    @property
    def on_error(self) -> str:
        return self.blueprint.settings.on_error

    @property
    def requires(self) -> tuple[str, ...]:
        return self.blueprint.cls.requires

    @property
    def after(self) -> tuple[str, ...]:
        return self.blueprint.cls.after

    def implements(self, hook: str) -> bool:
        """As entrypoints.toml says, where it cannot be imported."""
        source = self.blueprint.source
        return hook in hooks_of(self.blueprint.cls) or (source is not None and hook in source[0].hooks)

    def info(self) -> dict[str, Any]:
        """Name, state and why, for `galvo plugins`."""
        return {
            "name": self.name,
            "on": self.on,
            "state": str(self.state),
            "mode": self.mode,
            "reason": self.reason,
            "version": self.blueprint.version,
            "hooks": sorted(hooks_of(self.blueprint.cls)),
            "faults": self.faults,
            "last_fault": self.last_fault,
            "agreed": self.agreed,
            "differed": self.differed,
        }

    async def start(self, tasks: TaskGroup) -> None:
        """Make an instance; return once its lifespan has begun. Raises PluginError; then nothing is left.

        Its scope is shielded: a cancelled host stops its plugins in order, not all at once.
        """
        if self.blueprint.failure:
            raise PluginError(self.name, self.blueprint.failure)
        self.state, self.reason, self._failure = State.STARTING, "", None
        self._ready, self._stop, self._ended = anyio.Event(), anyio.Event(), anyio.Event()
        self._scope = anyio.CancelScope(shield=True)
        self.recent.clear()
        self._faulted.clear()
        try:
            validate(self.blueprint.cls)
            self.context = Context(self._kernel, self.name)
            self.plugin = self.blueprint.cls(self.blueprint.settings, self.context)
        except Exception as error:  # noqa: BLE001  # whatever a constructor raises is this plugin's failure
            self._fail(error)
        tasks.start_soon(self._live, self.plugin, name=f"galvo {self.name}")
        try:
            # The deadline is here and not round the lifespan: it may open a task group, and a scope must not
            # close across one.
            with anyio.move_on_after(self._kernel.settings.start_timeout):
                await self._ready.wait()
        except BaseException:
            await self._abandon()
            self.state, self.reason, self.plugin = State.FAILED, "its start was cancelled", None
            raise
        if not self._ready.is_set():
            limit = self._kernel.settings.start_timeout
            await self._abandon()
            self._fail(TimeoutError(f"did not start within {limit:g} s (start_timeout under [kernel])"))
        if self._failure is not None:
            self._fail(self._failure)
        self.state = State.ACTIVE

    def _fail(self, error: BaseException) -> NoReturn:
        self.state, self.reason, self.plugin = State.FAILED, sentence(error) + _forgotten(error), None
        raise PluginError(self.name, self.reason) from error

    async def _abandon(self) -> None:
        self._scope.cancel()
        with anyio.move_on_after(self._kernel.settings.stop_timeout, shield=True):
            await self._ended.wait()

    async def _live(self, plugin: Plugin) -> None:
        scope, ready, stop, ended = self._scope, self._ready, self._stop, self._ended
        running.set(self._meterings)
        failure: Exception | None = None
        started = False
        try:
            with scope:
                try:
                    async with plugin.lifespan():
                        started = True
                        ready.set()
                        await stop.wait()
                except Exception as error:  # noqa: BLE001  # a crash in a plugin must not end the host
                    failure = error
        finally:  # whatever ended it, nobody waits for it in vain
            ready.set()
            ended.set()
        if self.plugin is not plugin:
            return
        if not stop.is_set() and not scope.cancel_called:
            # A background task that cancels the lifespan's own task group ends it without any error.
            failure = failure or PluginError(self.name, "its lifespan ended by itself")
        self._failure = failure
        if started and failure is not None and not stop.is_set():
            self.plugin = None
            self._kernel.supervisor.crashed(self, sentence(failure))

    async def stop(self) -> None:
        """End the lifespan in its own task; cancel it when it takes too long."""
        if self.plugin is None:
            return
        self._stop.set()
        with anyio.move_on_after(self._kernel.settings.stop_timeout):
            await self._ended.wait()
        if not self._ended.is_set():
            log.warning(
                "plugin %r did not stop within %g s and is cancelled",
                self.name,
                self._kernel.settings.stop_timeout,
            )
            self._scope.cancel()
            await self._ended.wait()
        elif self._failure is not None:
            log.warning("plugin %r failed while stopping: %s", self.name, sentence(self._failure))
        self.plugin = None

    def cancel(self) -> None:
        """Have the lifespan end without waiting for it."""
        if self.plugin is not None:
            self._stop.set()
            self._scope.cancel()

    def fault(self, hook: str, error: Exception) -> None:
        """Count a fault; log the first of a burst in each hook; eject after too many within the window."""
        limits, now = self._kernel.settings, time.monotonic()
        quiet = now - self._faulted.get(hook, -1) < 1
        self._faulted[hook] = now
        self.faults += 1
        self.last_fault = f"{hook}: {sentence(error)}"
        self.recent.append(now)
        while len(self.recent) > limits.faults:
            self.recent.popleft()
        if not quiet:
            log.warning("plugin %r faulted in %s: %s", self.name, hook, sentence(error))
        if (
            self.on_error == "eject"
            and len(self.recent) == limits.faults
            and now - self.recent[0] <= limits.fault_window
            and self.state is State.ACTIVE
        ):
            self._kernel.supervisor.eject(self)

    def tell(self) -> None:
        """Have monitors told what this plugin has counted so far."""
        for metering in [*self._meterings]:
            try:
                metering.record()
            except Exception as error:  # noqa: BLE001  # a plugin's counters do not keep another from leaving
                self.fault("stats", error)

    def compared(self, same: bool) -> None:
        """Count one comparison of shadow mode."""
        if same:
            self.agreed += 1
        else:
            self.differed += 1


def _forgotten(error: BaseException) -> str:
    if isinstance(error, AttributeError) and isinstance(error.obj, Plugin) and error.name in ("context", "settings"):
        return ": its `__init__` must call `super().__init__(settings, context)`"
    return ""


def sentence(error: BaseException) -> str:
    """What happened, in one line, without a traceback; the innermost of a group's errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, PluginError):
        return error.why
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001  # an error that cannot even say what it is
        text = ""
    if isinstance(error, GalvoError) or (text and isinstance(error, TimeoutError)):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
