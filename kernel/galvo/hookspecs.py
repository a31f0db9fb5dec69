"""The four hooks. A plugin implements any of them, marked with `@hookimpl`.

Parameters are passed by name, and an implementation may take fewer than the specification offers.
`tryfirst=True` and `trylast=True` move an implementation to the outer or inner end of its hook.

| hook | kind | in one line |
|---|---|---|
| `on_query` | around | an onion round every query; the innermost layer runs it |
| `on_cache_miss` | first | somebody may know the answer without the database |
| `on_metric` | notify | one measured value; must not block |
| `on_memory_pressure` | collect | everybody frees what it can |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pluggy

if TYPE_CHECKING:
    from galvo.events import Freed, MemoryPressure, Metric, Query, Rows

Proceed: TypeAlias = "Callable[[Query], Awaitable[Rows]]"
"""The rest of the onion: what `on_query` awaits, at most once, to hand the query on."""

hookspec = pluggy.HookspecMarker("galvo")
hookimpl = pluggy.HookimplMarker("galvo")
"""Marks a method as the hook of its name: `@hookimpl`, `@hookimpl(tryfirst=True)`, `@hookimpl(trylast=True)`."""


@hookspec
async def on_query(query: Query, proceed: Proceed) -> Rows:  # type: ignore[empty-body]  # a specification
    """Around: runs for every query, cached or not, BEGIN and COMMIT included.

    Await `proceed(query)` at most once to hand the query to the next layer, or answer without it.
    The database's errors come out of `proceed` and must be let through, unless the query has `stale_ok` and the
    plugin an answer that it allows. A fault before `proceed`
    bypasses the plugin; a fault after it loses nothing: the finished answer is returned.
    Must be `async def` and take `proceed`.
    """


@hookspec(firstresult=True)
async def on_cache_miss(query: Query, reason: str) -> Rows | None:
    """First: asked in order until one knows the answer; None means "not mine".

    `reason` is why the cache had none: "cold", "expired", "invalidated", "evicted". May be `async def` or `def`, and
    ask the database through its context. When the query's `timeout` is over it is cancelled.
    """


@hookspec
def on_metric(metric: Metric, value: float) -> None:
    """Notify: one value of `metric`, in its unit. A plain `def` on the hot path: never block."""


@hookspec
async def on_memory_pressure(pressure: MemoryPressure) -> Freed | None:
    """Collect: free what you can and say how many bytes; the kernel adds them up. `async def` or `def`."""


KINDS: dict[str, Any] = {
    "on_query": "around",
    "on_cache_miss": "first",
    "on_metric": "notify",
    "on_memory_pressure": "collect",
}
