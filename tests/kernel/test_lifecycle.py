"""Plugins that come and go while queries run."""

from __future__ import annotations

import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from galvo import Kernel, KernelClosed, Plugin, PluginError, Proceed, Query, Rows, hookimpl
from galvo.explain import explain_hook
from galvo.unit import Unit

pytestmark = pytest.mark.anyio
NoLeak = Callable[[], AbstractAsyncContextManager[None]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Living(Plugin):
    """Asserts that it is alive whenever it is called."""

    starts = stops = 0

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        await anyio.lowlevel.checkpoint()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            type(self).starts += 1
            self.alive = True
            yield
            self.alive = False
            tasks.cancel_scope.cancel()
        await anyio.lowlevel.checkpoint()
        type(self).stops += 1

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        assert self.alive
        await anyio.lowlevel.checkpoint()
        rows = await proceed(query)
        assert self.alive
        return rows


class Cache(Living):
    name = "cache"
    requires = ("pool",)


class Pool(Plugin):
    name = "pool"

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        await anyio.lowlevel.checkpoint()
        return Rows((query.args[0],))


def unit(kernel: Kernel, name: str) -> Unit:
    return kernel.supervisor.units[name]


def states(kernel: Kernel) -> dict[str, str]:
    return {info["name"]: info["state"] for info in kernel.plugins()}


async def test_two_hundred_toggles_under_fifty_clients(no_leak: NoLeak) -> None:
    class Mine(Cache):
        starts = stops = 0

    done = anyio.Event()
    answered = [0] * 50

    async def client(number: int) -> None:
        while not done.is_set():
            assert await kernel.fetch("q", number) == [number]
            answered[number] += 1

    async with no_leak():
        async with (
            Kernel.of({Mine: {"on_error": "raise"}, Pool: {"required": True}}, drain_timeout=60) as kernel,
            anyio.create_task_group() as tasks,
        ):
            for number in range(50):
                tasks.start_soon(client, number)
            for toggle in range(200):
                if toggle % 2:
                    await kernel.enable("cache")
                else:
                    await kernel.disable("cache")
            done.set()
        assert kernel.chains.calls == 0
    assert min(answered) > 100
    assert Mine.starts == Mine.stops == 101
    assert [info["faults"] for info in kernel.plugins()] == [0, 0]


async def test_reload_under_load_and_toggles_by_many_at_once(no_leak: NoLeak) -> None:
    class Mine(Cache):
        starts = stops = 0

    done = anyio.Event()

    async def client(number: int) -> None:
        while not done.is_set():
            assert await kernel.fetch("q", number) == [number]

    async def toggler() -> None:
        for _ in range(10):
            await kernel.disable("cache")
            await kernel.enable("cache")

    async def reloader() -> None:
        for turn in range(20):
            table = {"on_error": "raise", "mode": ("active", "shadow")[turn % 2]}
            plan = Kernel.of({Mine: table, Pool: {"required": bool(turn % 3)}})
            await kernel.supervisor.reload([u.blueprint for u in plan.supervisor.units.values()])

    async with no_leak():
        async with Kernel.of({Mine: {"on_error": "raise"}, Pool: {}}, drain_timeout=60) as kernel:
            async with anyio.create_task_group() as clients:
                for number in range(20):
                    clients.start_soon(client, number)
                async with anyio.create_task_group() as changes:
                    for change in (toggler, toggler, toggler, reloader):
                        changes.start_soon(change)
                done.set()
            assert set(states(kernel).values()) <= {"active", "stopped"}
        assert kernel.chains.calls == 0
    assert Mine.starts == Mine.stops > 5
    assert [info["faults"] for info in kernel.plugins()] == [0, 0]


async def test_concurrent_calls_start_it_once_and_stop_it_once(no_leak: NoLeak) -> None:
    class Mine(Living):
        name = "mine"
        starts = stops = 0

    async with no_leak(), Kernel.of({Mine: {}}) as kernel:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(kernel.disable, "mine")
        assert (Mine.starts, Mine.stops) == (1, 1)
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(kernel.enable, "mine")
        assert (Mine.starts, Mine.stops) == (2, 1)


async def test_what_others_need_stays() -> None:
    class Other(Plugin):
        name = "other"
        requires = ("missing",)

    async with Kernel.of({Cache: {}, Pool: {}, Other: {"on": False}}) as kernel:
        with pytest.raises(PluginError, match="plugin 'pool': is required by cache: disable that first"):
            await kernel.disable("pool")
        assert states(kernel) == {"cache": "active", "pool": "active", "other": "listed"}
        await kernel.disable("cache")
        await kernel.disable("pool")
        with pytest.raises(PluginError, match="plugin 'cache': requires 'pool', which is not active"):
            await kernel.enable("cache")
        with pytest.raises(PluginError, match="requires 'missing'"):
            await kernel.enable("other")
        with pytest.raises(PluginError, match="plugin 'typo': is not listed; listed are cache, pool, other"):
            await kernel.enable("typo")


async def test_a_required_plugin_cannot_be_disabled() -> None:
    async with Kernel.of({Pool: {"required": True}}) as kernel:
        with pytest.raises(PluginError, match="required = false"):
            await kernel.disable("pool")
        assert await kernel.fetch("q", 1) == [1]


async def test_a_cycle_is_named_at_the_start_and_at_an_enable(no_leak: NoLeak) -> None:
    a = type("A", (Plugin,), {"name": "a", "after": ("b",)})
    b = type("B", (Plugin,), {"name": "b", "after": ("a",)})
    async with no_leak(), Kernel.of({a: {}, b: {}}) as kernel:
        assert states(kernel) == {"a": "failed", "b": "active"}
        assert kernel.plugins()[0]["reason"].endswith("form a cycle: a -> b -> a")
    async with no_leak():
        with pytest.raises(PluginError, match="cycle: a -> b -> a"):
            async with Kernel.of({a: {"required": True}, b: {}}):
                pytest.fail("it must not open")
    async with no_leak(), Kernel.of({a: {}, b: {"on": False}}) as kernel:
        with pytest.raises(PluginError, match="cycle: a -> b -> a"):
            await kernel.enable("b")
        assert states(kernel) == {"a": "active", "b": "listed"}


async def test_a_plugin_that_left_is_not_kept_in_memory() -> None:
    async with Kernel.of({Cache: {}, Pool: {}}) as kernel:
        seen = weakref.ref(unit(kernel, "cache").instance)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(kernel.fetch, "q", 1)
            await anyio.lowlevel.checkpoint()
            await kernel.disable("cache")
        await anyio.lowlevel.checkpoint()
        gc.collect()
        assert seen() is None


async def test_the_drain_is_limited(caplog: pytest.LogCaptureFixture) -> None:
    gate = anyio.Event()

    class Slow(Plugin):
        name = "slow"

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            await gate.wait()
            return Rows()

    async with Kernel.of({Slow: {}}, drain_timeout=0.01) as kernel, anyio.create_task_group() as tasks:
        tasks.start_soon(kernel.fetch, "q")
        await anyio.wait_all_tasks_blocked()
        await kernel.disable("slow")
        assert states(kernel) == {"slow": "stopped"}
        assert "1 queries still run after 0.01 s of draining" in caplog.text
        gate.set()


# -- the host ------------------------------------------------------------------------------------------


async def test_the_bodys_exception_comes_out_unwrapped(no_leak: NoLeak) -> None:
    error = LookupError("mine")
    async with no_leak():
        with pytest.raises(LookupError) as caught:
            async with Kernel.of({Cache: {}, Pool: {}}):
                raise error
    assert caught.value is error


async def test_before_the_start_and_after_the_stop() -> None:
    kernel = Kernel.of({Pool: {}})
    with pytest.raises(KernelClosed):
        await kernel.enable("pool")
    async with kernel:
        assert await kernel.fetch("q", 1) == [1]
        with pytest.raises(KernelClosed, match="running already"):
            await kernel.__aenter__()
        assert await kernel.fetch("q", 1) == [1]
    with pytest.raises(KernelClosed):
        await kernel.enable("pool")
    async with kernel:
        assert await kernel.fetch("q", 2) == [2]


async def test_queries_before_the_start_and_after_the_stop_are_refused() -> None:
    kernel = Kernel.of({Pool: {}})
    with pytest.raises(KernelClosed):
        await kernel.fetch("q", 1)
    async with kernel:
        pass
    with pytest.raises(KernelClosed):
        await kernel.fetch("q", 1)


def test_a_kernel_can_be_made_before_there_is_an_event_loop(anyio_backend: str) -> None:
    kernel = Kernel.of({Pool: {}})

    async def main() -> list[Any]:
        async with kernel:
            return await kernel.fetch("q", 7)

    assert anyio.run(main, backend=anyio_backend) == [7]


class Off(Plugin):
    name = "off"

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query)


async def test_explain_shows_what_runs_and_why_it_is_there() -> None:
    async with Kernel.of({Off: {"on": False}, Pool: {}, Cache: {"mode": "shadow"}}) as kernel:

        def layers() -> list[tuple[str, str, str]]:
            shown = explain_hook("on_query", list(kernel.supervisor.units.values()))["layers"]
            return [(layer["plugin"], layer["mode"], layer["why"]) for layer in shown]

        rest = [("cache", "shadow", "listed 3 of 3"), ("pool", "active", "listed 2 of 3, trylast")]
        assert layers() == rest
        await kernel.enable("off")
        assert layers() == [("off", "active", "listed 1 of 3"), *rest]
