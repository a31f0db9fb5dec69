"""What is timed of the kernel by itself: layers round a query, sinks of a metric, and others' ways to the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pluggy

from galvo import Computed, Kernel, Metric, Plugin, Proceed, Query, Rows, hookimpl

Asked = Callable[[], Awaitable[object]]
Called = Callable[[], object]
VALUES = {7: "birch plywood, 4 mm"}
METRIC = Metric("bench.layers", "histogram", "s", (("bench.kind", "sink"),))


class Layer(Plugin):
    """Passes every query on."""

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query)


class Sink(Plugin):
    """Takes every metric, and does nothing with it."""

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None: ...


def several(cls: type[Plugin], count: int) -> dict[type[Plugin], dict[str, Any]]:
    """As many plugins of that kind, each with a name of its own."""
    kind = cls.__name__
    return {type(f"{kind}{number}", (cls,), {"name": f"{kind.lower()}{number}"}): {} for number in range(count)}


async def item() -> str:
    return VALUES[7]


@asynccontextmanager
async def plain() -> AsyncIterator[Asked]:
    yield item


@asynccontextmanager
async def onion(layers: int) -> AsyncIterator[Asked]:
    """A computed value through that many plugins, which is computed each time: no cache is among them."""
    async with Kernel.of(several(Layer, layers)) as kernel:
        query = Computed("bench", kind="value", load=item)
        yield partial(kernel.run, query)


@asynccontextmanager
async def gathered(count: int) -> AsyncIterator[Asked]:
    """The same number of implementations, each called in a task."""

    async def gather() -> None:
        await asyncio.gather(*(item() for _ in range(count)))

    yield gather


@asynccontextmanager
async def grouped(count: int) -> AsyncIterator[Asked]:
    async def group() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(item)

    yield group


@asynccontextmanager
async def function() -> AsyncIterator[Called]:
    def sink(metric: Metric, value: float) -> None: ...

    yield partial(sink, METRIC, 0.001)


@asynccontextmanager
async def sinks(count: int) -> AsyncIterator[Called]:
    async with Kernel.of(several(Sink, count)) as kernel:
        yield partial(kernel.record, METRIC, 0.001)


# -- pluggy's own calls ---------------------------------------------------------------------------------

theirs = pluggy.HookspecMarker("bench")
implements = pluggy.HookimplMarker("bench")


class Specification:
    @theirs(firstresult=True)
    def on_query(self, query: int) -> Any: ...

    @theirs
    def on_metric(self, metric: Metric, value: float) -> None: ...


class Item:
    @implements
    def on_query(self, query: int) -> Any:
        return VALUES[query]


class Wrapper:
    """pluggy's onion: a generator round what is inside."""

    @implements(wrapper=True)
    def on_query(self, query: int) -> Any:
        return (yield)


class Listener:
    @implements
    def on_metric(self, metric: Metric, value: float) -> None: ...


def managed(*plugins: object) -> Any:
    manager = pluggy.PluginManager("bench")
    manager.add_hookspecs(Specification)
    for plugin in plugins:
        manager.register(plugin)
    return manager.hook


@asynccontextmanager
async def wrappers(count: int) -> AsyncIterator[Called]:
    hook = managed(Item(), *(Wrapper() for _ in range(count)))
    yield partial(hook.on_query, query=7)


@asynccontextmanager
async def listeners(count: int) -> AsyncIterator[Called]:
    hook = managed(*(Listener() for _ in range(count)))
    yield partial(hook.on_metric, metric=METRIC, value=0.001)
