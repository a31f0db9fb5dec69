"""A plugin's class with a say at every suspension of its code: to count them, to fail there, to cancel there."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from galvo.events import Query, Rows
from galvo.hookspecs import Proceed, hookimpl
from galvo.plugin import Plugin
from galvo.registry import hooks_of, positional
from galvo.testing.driving import Act, Driven
from galvo.testing.owning import Owned, owning


async def awaited(what: Awaitable[Any]) -> Any:
    return await what


class Probe:
    """Acts at the `chosen`-th suspension of `where`: "start", "stop" or "on_query"."""

    def __init__(self) -> None:
        self.where = ""
        self.chosen = self.passed = 0
        self.act: Act = lambda: None
        self.entered = self.left = 0
        """How many lifespans began, and ended."""
        self.proceeded: list[int] = []
        """How often each call of `on_query` called `proceed`."""
        self.instances: weakref.WeakSet[Plugin] = weakref.WeakSet()
        self.owned = Owned()

    def arm(self, where: str, chosen: int = 0, act: Act = lambda: None) -> None:
        """`chosen` 0 is never: the suspensions are only counted."""
        self.where, self.chosen, self.passed, self.act = where, chosen, 0, act

    def disarm(self) -> int:
        """Gives how many suspensions there were."""
        self.where, self.act = "", lambda: None
        return self.passed

    def at(self, where: str) -> BaseException | None:
        if where != self.where:
            return None
        self.passed += 1
        return self.act() if self.passed == self.chosen else None


class Lifespan:
    """A lifespan whose start and stop the probe drives."""

    def __init__(self, inner: AbstractAsyncContextManager[None], probe: Probe) -> None:
        self._inner = inner
        self._probe = probe

    async def __aenter__(self) -> None:
        owning.set(self._probe.owned)
        await Driven(awaited(self._inner.__aenter__()), lambda: self._probe.at("start"))
        self._probe.entered += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            ending = awaited(self._inner.__aexit__(kind, error, trace))
            return bool(await Driven(ending, lambda: self._probe.at("stop")))
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
    mark = hooks_of(plugin).get("on_query")
    if mark is not None:
        marked = hookimpl(tryfirst=mark == "tryfirst", trylast=mark == "trylast")
        body["on_query"] = marked(_on_query(plugin, probe))
    return type(plugin.__name__, (plugin,), body)


def _on_query(plugin: type[Plugin], probe: Probe) -> Callable[..., Coroutine[Any, Any, Rows]]:
    async def on_query(self: Plugin, query: Query, proceed: Proceed) -> Rows:
        inside = calls = 0

        async def counted(query: Query) -> Rows:
            nonlocal inside, calls
            inside, calls = inside + 1, calls + 1
            token = owning.set(None)  # what the inner layers begin is not this plugin's
            try:
                return await proceed(query)
            finally:
                owning.reset(token)
                inside -= 1

        call = positional("on_query", plugin.on_query.__get__(self))  # type: ignore[attr-defined]  # it has this hook
        token = owning.set(probe.owned)
        try:
            rows: Rows = await Driven(call(query, counted), lambda: None if inside else probe.at("on_query"))
            return rows
        finally:
            owning.reset(token)
            probe.proceeded.append(calls)

    return on_query
