"""A plugin's class with a say at every suspension of its code: to count them, to fail there, to cancel there."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from galvo.events import Query, Rows
from galvo.hookspecs import Proceed, hookimpl
from galvo.plugin import Plugin
from galvo.registry import hooks_of, positional


class Hang(BaseException):
    """Given by an act: wait there for ever instead."""


Act = Callable[[], BaseException | None]


class Driven:
    """A coroutine that calls `act` at each suspension; what that gives is raised there."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], act: Act) -> None:
        self._coroutine = coroutine
        self._act = act

    def __await__(self) -> Generator[Any, Any, Any]:
        step, value = self._coroutine.send, None
        while True:
            try:
                waits = step(value)
            except StopIteration as end:
                return end.value
            error = self._act()
            if isinstance(error, Hang):
                waits = next(asyncio.get_running_loop().create_future().__await__())
            elif error is not None:
                step, value = self._coroutine.throw, error  # type: ignore[assignment]
                continue
            try:
                value = yield waits
                step = self._coroutine.send
            except BaseException as thrown:  # noqa: BLE001  # cancellation belongs to the coroutine
                step, value = self._coroutine.throw, thrown  # type: ignore[assignment]


async def awaited(what: Awaitable[Any]) -> Any:
    return await what


class Probe:
    """Acts at the `chosen`-th suspension of `where`: "start", "stop" or a hook."""

    def __init__(self) -> None:
        self.where = ""
        self.chosen = self.passed = 0
        self.act: Act = lambda: None
        self.entered = self.left = 0
        """How many lifespans began, and ended."""
        self.proceeded: list[int] = []
        """How often each call of `on_query` called `proceed`."""
        self.instances: weakref.WeakSet[Plugin] = weakref.WeakSet()

    def arm(self, where: str, chosen: int, act: Act) -> None:
        """`chosen` 0 is never: the suspensions are only counted."""
        self.where, self.chosen, self.passed, self.act = where, chosen, 0, act

    def disarm(self) -> int:
        """Gives how many suspensions there were."""
        self.where = ""
        return self.passed

    def at(self, where: str) -> BaseException | None:
        if where != self.where:
            return None
        self.passed += 1
        return self.act() if self.passed == self.chosen else None

    def drive(self, where: str, what: Awaitable[Any]) -> Driven:
        return Driven(awaited(what), lambda: self.at(where))


class Lifespan:
    """A lifespan whose start and stop the probe drives."""

    def __init__(self, inner: AbstractAsyncContextManager[None], probe: Probe) -> None:
        self._inner = inner
        self._probe = probe

    async def __aenter__(self) -> None:
        await self._probe.drive("start", self._inner.__aenter__())
        self._probe.entered += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            return bool(await self._probe.drive("stop", self._inner.__aexit__(kind, error, trace)))
        finally:
            self._probe.left += 1


def probed(plugin: type[Plugin], probe: Probe) -> type[Plugin]:
    """`plugin`, driven by `probe`."""

    def init(self: Plugin, settings: Any, context: Any) -> None:
        plugin.__init__(self, settings, context)
        probe.instances.add(self)

    def lifespan(self: Plugin) -> Lifespan:
        return Lifespan(plugin.lifespan(self), probe)

    body: dict[str, Any] = {"__init__": init, "lifespan": lifespan, "__module__": plugin.__module__}
    if "on_query" in (hooks := hooks_of(plugin)):
        body["on_query"] = hookimpl(**{mark: True for mark in [hooks["on_query"]] if mark})(_on_query(plugin, probe))
    return type(plugin.__name__, (plugin,), body)


def _on_query(plugin: type[Plugin], probe: Probe) -> Callable[..., Coroutine[Any, Any, Rows]]:
    async def on_query(self: Any, query: Query, proceed: Proceed) -> Rows:
        inside = calls = 0

        async def counted(query: Query) -> Rows:
            nonlocal inside, calls
            inside, calls = inside + 1, calls + 1
            try:
                return await proceed(query)
            finally:
                inside -= 1

        call = positional("on_query", getattr(plugin, "on_query").__get__(self))  # noqa: B009
        try:
            return await Driven(call(query, counted), lambda: None if inside else probe.at("on_query"))  # type: ignore[no-any-return]
        finally:
            probe.proceeded.append(calls)

    return on_query
