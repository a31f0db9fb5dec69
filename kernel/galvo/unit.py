"""One plugin's life: its task, its cancel scope, its state, its faults."""

from __future__ import annotations

import logging
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
import msgspec
from anyio.abc import TaskGroup

from galvo.blueprint import Blueprint
from galvo.context import Context
from galvo.errors import GalvoError, PluginError
from galvo.plugin import Plugin
from galvo.registry import hooks_of

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


class Fault(msgspec.Struct, frozen=True):
    hook: str
    error: str
    at: float
    """Seconds on the event loop's clock."""


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
        self.recent: deque[Fault] = deque(maxlen=kernel.settings.faults)
        self.agreed = 0
        self.differed = 0
        self.ejections = 0
        self._scope = anyio.CancelScope()
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

    def info(self) -> dict[str, Any]:
        """Name, state and why, for `galvo plugins`."""
        return {
            "name": self.name,
            "state": str(self.state),
            "mode": self.mode,
            "reason": self.reason,
            "version": self.blueprint.version,
            "hooks": sorted(hooks_of(self.blueprint.cls)),
            "faults": self.faults,
            "last_fault": f"{self.recent[-1].hook}: {self.recent[-1].error}" if self.recent else "",
            "agreed": self.agreed,
            "differed": self.differed,
        }

    async def start(self, tasks: TaskGroup) -> None:
        """Make an instance; return once its lifespan has begun. Raises PluginError; then nothing is left."""
        if self.blueprint.failure:
            raise PluginError(self.name, self.blueprint.failure)
        self.state, self.reason, self._failure = State.STARTING, "", None
        self._ready, self._stop, self._ended = anyio.Event(), anyio.Event(), anyio.Event()
        self._scope = anyio.CancelScope()
        try:
            self.plugin = self.blueprint.cls(self.blueprint.settings, Context(self._kernel, self.name))
        except Exception as error:  # noqa: BLE001  # whatever a constructor raises is this plugin's failure
            self._fail(error)
        tasks.start_soon(self._live, self.plugin, name=f"galvo {self.name}")
        try:
            # The deadline is here and not round the lifespan: it may open a task group, and a scope must not
            # close across one.
            with anyio.move_on_after(self._kernel.settings.start_timeout):
                await self._ready.wait()
        except BaseException:
            self._scope.cancel()
            raise
        if not self._ready.is_set():
            limit = self._kernel.settings.start_timeout
            self._scope.cancel()
            with anyio.move_on_after(self._kernel.settings.stop_timeout, shield=True):
                await self._ended.wait()
            self._fail(TimeoutError(f"did not start within {limit:g} s (start_timeout under [kernel])"))
        if self._failure is not None:
            self._fail(self._failure)
        self.state = State.ACTIVE

    def _fail(self, error: BaseException) -> NoReturn:
        self.state, self.reason, self.plugin = State.FAILED, sentence(error), None
        raise PluginError(self.name, self.reason) from error

    async def _live(self, plugin: Plugin) -> None:
        with self._scope:
            try:
                async with plugin.lifespan():
                    self._ready.set()
                    await self._stop.wait()
            except Exception as error:  # noqa: BLE001  # a crash in a plugin must not end the host
                self._failure = error
        started = self._ready.is_set()
        self._ready.set()
        self._ended.set()
        if started and self._failure is not None and not self._stop.is_set():
            self.plugin = None
            self._kernel.supervisor.crashed(self, sentence(self._failure))

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

    def fault(self, hook: str, error: Exception) -> None:
        """Count a fault; log the first of a burst; eject after too many within the window."""
        now = anyio.current_time()
        quiet = self.recent and now - self.recent[-1].at < 1
        self.faults += 1
        self.recent.append(Fault(hook, sentence(error), now))
        if not quiet:
            log.warning("plugin %r faulted in %s: %s", self.name, hook, sentence(error))
        full = len(self.recent) == self.recent.maxlen
        if (
            self.on_error == "eject"
            and full
            and now - self.recent[0].at <= self._kernel.settings.fault_window
            and self.state is State.ACTIVE
        ):
            self._kernel.supervisor.eject(self)

    def compared(self, same: bool) -> None:
        """Count one comparison of shadow mode."""
        if same:
            self.agreed += 1
        else:
            self.differed += 1


def sentence(error: BaseException) -> str:
    """What happened, in one line, without a traceback; the innermost of a group's errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, PluginError):
        return str(error).split(": ", 1)[1]
    text = " ".join(str(error).split())
    if isinstance(error, GalvoError) or (text and isinstance(error, TimeoutError)):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
