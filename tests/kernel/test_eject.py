"""Too many faults take a plugin out; later a fresh instance of it is tried."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import trio

from galvo import Kernel, Metric, Plugin, PluginUnavailable, Proceed, Query, Rows, hookimpl
from galvo.unit import Unit

pytestmark = pytest.mark.anyio
NoLeak = Callable[[], AbstractAsyncContextManager[None]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Inner(Plugin):
    name = "inner"

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows(("inner",))


class World:
    """What one test's faulty plugin does, and what became of its instances."""

    def __init__(self) -> None:
        self.made: list[Plugin] = []
        self.alive: list[Plugin] = []
        self.most = 0
        self.cannot_start = False
        self.settle_badly = False
        self.gate: anyio.Event | None = None

        world = self

        class Faulty(Plugin):
            name = "faulty"

            @asynccontextmanager
            async def lifespan(self) -> AsyncIterator[None]:
                if world.cannot_start:
                    raise OSError("still down")
                world.made.append(self)
                world.alive.append(self)
                world.most = max(world.most, len(world.alive))
                yield
                world.alive.remove(self)

            def settled(self) -> None:
                if world.settle_badly:
                    world.settle_badly = False
                    raise ValueError

            @hookimpl
            async def on_query(self, query: Query, proceed: Proceed) -> Rows:
                return await world.on_query(self, query)

        self.cls = Faulty

    async def on_query(self, plugin: Plugin, query: Query) -> Rows:
        assert plugin in self.alive
        if self.gate:
            await self.gate.wait()
        assert plugin in self.alive
        if query.sql == "bad":
            raise ValueError("bad")
        return Rows((f"faulty {self.made.index(plugin)}",))

    def kernel(self, table: dict[str, Any] | None = None, **kernel: Any) -> Kernel:
        defaults = {"faults": 3, "eject_for": 3600}
        return Kernel.of({self.cls: {"on_error": "eject", **(table or {})}, Inner: {}}, **(defaults | kernel))


def faulty(kernel: Kernel) -> Unit:
    return kernel.supervisor.units["faulty"]


async def spoil(kernel: Kernel, times: int) -> None:
    for _ in range(times):
        assert await kernel.fetch("bad") == ["inner"]


async def test_out_after_n_faults_and_back_as_a_fresh_instance(no_leak: NoLeak, until: Until) -> None:
    world = World()
    async with no_leak(), world.kernel(eject_for=0.001) as kernel:
        await spoil(kernel, 2)
        assert await kernel.fetch("good") == ["faulty 0"]
        await spoil(kernel, 1)
        assert faulty(kernel).state == "degraded"
        assert faulty(kernel).reason == "ejected after 3 faults"
        assert faulty(kernel).last_fault == "on_query: ValueError: bad"
        assert await kernel.fetch("good") == ["inner"]
        await until(lambda: faulty(kernel).state == "active")
        assert await kernel.fetch("good") == ["faulty 1"]
        assert world.alive == world.made[1:]
        await spoil(kernel, 2)
        assert faulty(kernel).state == "active", "a fresh instance starts with a clean slate"
        await spoil(kernel, 1)
        assert faulty(kernel).ejections == 2
    assert world.alive == []


async def test_faults_outside_the_window_do_not_add_up() -> None:
    async with World().kernel(fault_window=1e-9) as kernel:
        await spoil(kernel, 10)
        assert faulty(kernel).state == "active"
        assert faulty(kernel).faults == 10


async def test_the_first_fault_of_a_burst_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with World().kernel({"on_error": "skip"}) as kernel:
        await spoil(kernel, 5)
        for _ in range(2):
            faulty(kernel).fault("the event loop", ValueError("slow"))
    told = ("on_query: ValueError: bad", "the event loop: ValueError: slow")
    assert caplog.messages == [f"plugin 'faulty' faulted in {one}" for one in told], "of each hook the first"


async def test_skip_never_ejects() -> None:
    async with World().kernel({"on_error": "skip"}) as kernel:
        await spoil(kernel, 10)
        assert faulty(kernel).state == "active"


async def test_new_kernel_settings_count_for_old_units() -> None:
    async with World().kernel(faults=5) as kernel:
        await spoil(kernel, 4)
        kernel.settings = kernel.settings.model_copy(update={"faults": 2})
        await spoil(kernel, 1)
        assert faulty(kernel).state == "degraded"


async def test_a_required_plugin_that_is_ejected_closes_the_kernel(until: Until) -> None:
    world = World()
    world.cannot_start = False
    async with world.kernel({"required": True}, eject_for=0.001) as kernel:
        await spoil(kernel, 2)
        world.cannot_start = True
        await spoil(kernel, 1)
        with pytest.raises(PluginUnavailable, match="'faulty'"):
            await kernel.fetch("good")
        await until(lambda: faulty(kernel).ejections >= 3)
        with pytest.raises(PluginUnavailable, match="'faulty'"):
            await kernel.fetch("good")
        world.cannot_start = False
        await until(lambda: faulty(kernel).state == "active")
        assert await kernel.fetch("good") == ["faulty 1"]


async def test_an_ejected_plugin_stops_only_after_its_running_queries(no_leak: NoLeak, until: Until) -> None:
    world = World()
    async with no_leak(), world.kernel(faults=1) as kernel:
        async with anyio.create_task_group() as tasks:
            gate = world.gate = anyio.Event()
            tasks.start_soon(kernel.fetch, "good")
            await anyio.wait_all_tasks_blocked()
            world.gate = None
            await spoil(kernel, 1)
            await anyio.wait_all_tasks_blocked()
            assert len(world.alive) == 1
            gate.set()
        await until(lambda: not world.alive)
        assert faulty(kernel).faults == 1


async def test_enable_does_not_wait_for_the_probe_which_then_keeps_its_hands_off(no_leak: NoLeak, until: Until) -> None:
    world = World()
    async with no_leak(), world.kernel(faults=1, eject_for=0.001) as kernel:
        await spoil(kernel, 1)
        await kernel.enable("faulty")  # before the task that readmits it has even begun
        assert await kernel.fetch("good") == ["faulty 1"]
        async with kernel.supervisor._lock:
            pass  # whoever waited for the lock has had it
        for _ in range(50):
            await anyio.lowlevel.checkpoint()
        await anyio.sleep(0.005)
        await anyio.wait_all_tasks_blocked()
        assert await kernel.fetch("good") == ["faulty 1"]
        assert world.alive == world.made[1:]


async def test_a_toggle_between_ejection_and_probe_wins(no_leak: NoLeak, until: Until) -> None:
    world = World()
    async with no_leak(), world.kernel(faults=1) as kernel:
        async with anyio.create_task_group() as tasks:
            await kernel.supervisor._lock.acquire()
            tasks.start_soon(kernel.disable, "faulty")
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(kernel.enable, "faulty")
            await anyio.wait_all_tasks_blocked()
            await spoil(kernel, 1)  # its own clean-up now waits behind both
            await anyio.wait_all_tasks_blocked()
            kernel.supervisor._lock.release()
        await anyio.wait_all_tasks_blocked()
        assert await kernel.fetch("good") == ["faulty 1"]
        assert world.alive == world.made[1:]


async def test_disabled_while_ejected_stays_out(no_leak: NoLeak, until: Until) -> None:
    world = World()
    async with no_leak(), world.kernel(faults=1, eject_for=0.001) as kernel:
        await spoil(kernel, 1)
        await kernel.disable("faulty")
        assert faulty(kernel).state == "stopped"
        await anyio.sleep(0.005)
        await anyio.wait_all_tasks_blocked()
        assert faulty(kernel).state == "stopped"
        assert world.alive == []


async def test_the_kernel_stops_while_a_plugin_is_out(no_leak: NoLeak) -> None:
    world = World()
    async with no_leak():
        async with world.kernel(faults=1) as kernel:
            await spoil(kernel, 1)
        assert world.alive == []
        assert faulty(kernel).state == "stopped"


async def test_an_ejected_instance_that_crashes_is_still_replaced(no_leak: NoLeak, until: Until) -> None:
    crash, gate = anyio.Event(), anyio.Event()
    started: list[int] = []

    class Doomed(Plugin):
        name = "faulty"

        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            started.append(1)
            async with anyio.create_task_group() as tasks:
                if len(started) == 1:
                    tasks.start_soon(self.crash)
                yield
                tasks.cancel_scope.cancel()

        async def crash(self) -> None:
            await crash.wait()
            raise OSError

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            if query.sql == "slow":
                await gate.wait()
            raise ValueError

    plugins: Any = {Doomed: {"on_error": "eject"}, Inner: {}}
    async with no_leak(), Kernel.of(plugins, faults=1, eject_for=0.001) as kernel:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kernel.fetch, "slow")
            await anyio.wait_all_tasks_blocked()
            await kernel.fetch("bad")
            crash.set()  # while it drains
            await until(lambda: faulty(kernel).plugin is None)
            assert faulty(kernel).state == "degraded"
            gate.set()
        await until(lambda: len(started) == 2)
        await until(lambda: faulty(kernel).state == "active")


async def test_faults_of_queries_that_drain_do_not_eject_it_again(no_leak: NoLeak) -> None:
    world = World()
    async with no_leak(), world.kernel(faults=1) as kernel:
        async with anyio.create_task_group() as tasks:
            gate = world.gate = anyio.Event()
            for _ in range(3):
                tasks.start_soon(kernel.fetch, "bad")
            await anyio.wait_all_tasks_blocked()
            gate.set()
        assert (faulty(kernel).faults, faulty(kernel).ejections) == (3, 1)


async def change_before_the_probe(kernel: Kernel, change: Callable[[str], Awaitable[None]], until: Until) -> None:
    """Eject it, and let `change` have the lock just before the probe does."""
    lock = kernel.supervisor._lock
    await spoil(kernel, 1)
    await until(lambda: faulty(kernel).plugin is None)
    await lock.acquire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(change, "faulty")
        await until(lambda: lock.statistics().tasks_waiting == 2)
        lock.release()


async def test_a_probe_that_comes_after_a_disable_does_nothing(no_leak: NoLeak, until: Until) -> None:
    world = World()
    async with no_leak(), world.kernel(faults=1, eject_for=0.05) as kernel:
        await change_before_the_probe(kernel, kernel.disable, until)
        async with kernel.supervisor._lock:
            assert faulty(kernel).state == "stopped"
        assert len(world.made) == 1


async def test_a_probe_of_an_earlier_ejection_leaves_the_later_one_alone(no_leak: NoLeak, until: Until) -> None:
    world = World()
    async with no_leak(), world.kernel(faults=1, eject_for=0.05) as kernel:
        world.settle_badly = True  # enabled, and ejected again at once
        await change_before_the_probe(kernel, kernel.enable, until)
        await until(lambda: faulty(kernel).state == "active")
        assert faulty(kernel).ejections == 2
        assert world.most == 1, "two instances at the same time"
        assert world.alive == world.made[2:]


async def test_a_fault_in_a_callback_of_the_loop_ejects_and_readmits(
    until: Until, anyio_backend_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Sink(Plugin):
        name = "sink"
        seen = 0

        @hookimpl
        def on_metric(self, metric: Metric, value: float) -> None:
            Sink.seen += 1
            raise ValueError

    def soon(function: Callable[[], object]) -> None:
        if anyio_backend_name == "asyncio":
            asyncio.get_running_loop().call_soon(function)
        else:
            trio.lowlevel.current_trio_token().run_sync_soon(function)

    async with Kernel.of({Sink: {"on_error": "eject"}, Inner: {}}, faults=1, eject_for=0.001) as kernel:
        for times in (1, 2):
            soon(lambda: kernel.record(Metric("rows", "counter", "1")))
            await until(lambda: Sink.seen == times)  # noqa: B023  # it is waited for here
            await until(lambda: kernel.plugins()[0]["state"] == "active")
    assert caplog.text.count("ejected after") == 2
