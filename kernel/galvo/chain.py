"""Composes each hook's implementations into one callable, once per change, never per call.

On the hot path there are no task groups, timeouts, tracebacks or code generation: closures only.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import anyio
import msgspec

from galvo.errors import GalvoError, NoBackend
from galvo.events import Computed, Freed, MemoryPressure, Metric, Query, Rows
from galvo.guard import Running, counted, guarded, shadowed
from galvo.hookspecs import Proceed


class Owner(Protocol):
    """The part of a plugin's unit that the chain needs."""

    @property
    def name(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def on_error(self) -> str: ...

    def fault(self, hook: str, error: Exception) -> None: ...
    def compared(self, same: bool) -> None: ...


class Implementation(msgspec.Struct, frozen=True):
    owner: Owner
    function: Callable[..., Any]
    """Takes the hook's parameters by position, all of them."""


Miss = Callable[[Query, str], Awaitable[Rows | None]]
Notify = Callable[[Metric, float], None]
Relieve = Callable[[MemoryPressure], Awaitable[Freed]]


def no_backend(away: Sequence[str] = ()) -> NoBackend:
    """`away`: who might run SQL, and in which state that is."""
    if away:
        return NoBackend(f"no active plugin runs SQL; not active: {', '.join(away)}; `galvo plugins` tells why")
    return NoBackend("no active plugin runs SQL: install galvo-pool and set `on = true` under [pool]")


class Chains:
    """One generation of the four chains. Running calls keep theirs while a newer one takes over."""

    __slots__ = ("calls", "idle", "on_cache_miss", "on_memory_pressure", "on_metric", "on_query", "retired")

    def __init__(
        self,
        implementations: Mapping[str, Sequence[Implementation]],
        closed: Callable[[], GalvoError] | None = None,
        nobody: Callable[[], GalvoError] = no_backend,
    ) -> None:
        """`closed`: makes the error with which every query is refused; `nobody`: that of one that nobody runs."""
        self.calls = 0
        self.retired = False
        self.idle = anyio.Event()
        self.on_query = refuse(closed) if closed else around(implementations["on_query"], ending(nobody), self)
        # Background tasks ask these two outside of any query; nobody may stop while it answers them.
        self.on_cache_miss = counted(first(implementations["on_cache_miss"]), self)
        self.on_metric = notify(implementations["on_metric"])
        self.on_memory_pressure = counted(collect(implementations["on_memory_pressure"]), self)

    def retire(self) -> None:
        self.retired = True
        if not self.calls:
            self.idle.set()


def ending(nobody: Callable[[], GalvoError]) -> Proceed:
    """The end of `on_query`: a computed value is computed, a pinned session still has its connection."""

    async def answer(query: Query) -> Rows:
        if isinstance(query, Computed):
            return Rows((await query.load(),))
        if query.session is not None and query.session.pin is not None:
            return await query.session.pin.run(query)
        raise nobody()

    return answer


def refuse(error: Callable[[], GalvoError]) -> Proceed:
    async def refused(query: Query) -> Rows:
        raise error()

    return refused


def around(implementations: Sequence[Implementation], innermost: Proceed, running: Running) -> Proceed:
    """The onion: the first implementation is the outermost layer."""
    call = innermost
    for item in reversed(implementations):
        layer = shadowed if item.owner.mode == "shadow" else guarded
        call = layer(item.owner, item.function, call, running)
    return call


def first(implementations: Sequence[Implementation]) -> Miss:
    async def ask(query: Query, reason: str) -> Rows | None:
        for owner, call in calls:
            try:
                rows = await call(query, reason)
                if rows is not None and type(rows) is not Rows:
                    raise TypeError(f"on_cache_miss must return Rows or None, not {type(rows).__name__}")
            except Exception as error:  # noqa: BLE001  # a plugin's fault means "not mine"
                owner.fault("on_cache_miss", error)
                continue
            if rows is not None and owner.mode != "shadow":
                return rows
        return None

    calls = [(item.owner, awaitable(item.function)) for item in implementations]
    return ask


def notify(implementations: Sequence[Implementation]) -> Notify:
    def tell(metric: Metric, value: float) -> None:
        for owner, call in calls:
            try:
                call(metric, value)
            except Exception as error:  # noqa: BLE001  # a sink's fault never reaches what it measures
                owner.fault("on_metric", error)

    calls = [(item.owner, item.function) for item in implementations]
    return tell


def collect(implementations: Sequence[Implementation]) -> Relieve:
    async def relieve(pressure: MemoryPressure) -> Freed:
        parts: list[Freed] = []
        for owner, call in calls:
            try:
                freed = await call(pressure)
                if freed is not None and type(freed) is not Freed:
                    raise TypeError(f"on_memory_pressure must return Freed or None, not {type(freed).__name__}")
            except Exception as error:  # noqa: BLE001  # one plugin's fault must not keep the others from freeing
                owner.fault("on_memory_pressure", error)
                continue
            if freed is not None:
                parts.append(freed)
        return Freed.total(parts)

    calls = [(item.owner, awaitable(item.function)) for item in implementations]
    return relieve


def awaitable(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """`function` itself if it is a coroutine function, else a coroutine function round it."""
    if inspect.iscoroutinefunction(function):
        return function

    async def call(*args: Any) -> Any:
        return function(*args)

    return call
