"""A reload: all replacements start before anything old stops, or nothing changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from galvo import GalvoError, Kernel, KernelClosed, Plugin, PluginError, Proceed, Query, Rows, hookimpl
from galvo.unit import Unit

pytestmark = pytest.mark.anyio
NoLeak = Callable[[], AbstractAsyncContextManager[None]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


def unit(kernel: Kernel, name: str) -> Unit:
    return kernel.supervisor.units[name]


def states(kernel: Kernel) -> dict[str, str]:
    return {info["name"]: info["state"] for info in kernel.plugins()}


async def reload(kernel: Kernel, plugins: Any) -> list[str]:
    plan = Kernel.of(plugins)
    return await kernel.supervisor.reload([u.blueprint for u in plan.supervisor.units.values()])


def tracer(plugin_name: str, log: list[str], **members: Any) -> type[Plugin]:
    class Tracer(Plugin):
        name = plugin_name
        broken = False

        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            if type(self).broken:
                raise OSError("no")
            log.append(f"+{self.name} {self.settings.mode}")
            yield
            log.append(f"-{self.name} {self.settings.mode}")

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            return Rows((self.name, *(await proceed(query)).records))

    for key, value in members.items():
        setattr(Tracer, key, value)
    return Tracer


class Inner(Plugin):
    name = "inner"

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows(("inner",))


async def test_all_replacements_start_before_anything_old_stops(no_leak: NoLeak) -> None:
    log: list[str] = []
    a, b = tracer("a", log), tracer("b", log, requires=("a",))
    async with no_leak(), Kernel.of({b: {}, a: {}, Inner: {}}) as kernel:
        keeps = unit(kernel, "inner").instance
        changed = await reload(kernel, {b: {"mode": "shadow"}, a: {"mode": "shadow"}, Inner: {}})
        assert changed == ["a", "b"]
        assert log == ["+a active", "+b active", "+a shadow", "+b shadow", "-b active", "-a active"]
        assert unit(kernel, "inner").instance is keeps
        assert await reload(kernel, {b: {"mode": "shadow"}, a: {"mode": "shadow"}, Inner: {}}) == []
    assert log[6:] == ["-b shadow", "-a shadow"]


async def test_a_reload_that_fails_changes_nothing(no_leak: NoLeak) -> None:
    log: list[str] = []
    a, b = tracer("a", log), tracer("b", log)
    async with no_leak(), Kernel.of({a: {}, b: {}, Inner: {}}) as kernel:
        before, chains = dict(kernel.supervisor.units), kernel.chains
        instances = [u.instance for u in before.values()]
        b.broken = True  # type: ignore[attr-defined]
        with pytest.raises(PluginError, match="plugin 'b': OSError: no"):
            await reload(kernel, {a: {"on_error": "eject"}, b: {"on_error": "eject"}, Inner: {}})
        assert kernel.supervisor.units == before
        assert kernel.chains is chains
        assert [u.instance for u in before.values()] == instances
        assert log == ["+a active", "+b active", "+a active", "-a active"]
        assert await kernel.fetch("q") == ["a", "b", "inner"]


async def test_what_has_failed_is_tried_again_and_does_not_hold_up_the_rest(
    no_leak: NoLeak, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    first, second = tracer("first", log), tracer("second", log, broken=True)
    async with no_leak(), Kernel.of({first: {}, second: {}, Inner: {}}) as kernel:
        assert states(kernel) == {"first": "active", "second": "failed", "inner": "active"}
        caplog.clear()
        assert await reload(kernel, {first: {"mode": "shadow"}, second: {}, Inner: {}}) == ["first"]
        assert states(kernel) == {"first": "active", "second": "failed", "inner": "active"}
        assert caplog.messages == ["plugin 'second': OSError: no; going on without it"]
        second.broken = False  # type: ignore[attr-defined]
        assert await reload(kernel, {first: {"mode": "shadow"}, second: {}, Inner: {}}) == ["second"]
        assert await kernel.fetch("q") == ["second", "inner"]
        await kernel.disable("second")
        assert await reload(kernel, {first: {"mode": "shadow"}, second: {}, Inner: {}}) == []
        assert states(kernel)["second"] == "stopped"


async def test_a_replacement_that_crashes_before_the_swap_changes_nothing(no_leak: NoLeak, until: Until) -> None:
    fresh = anyio.Event()

    class Crashing(tracer("a", [])):  # type: ignore[misc]
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            async with anyio.create_task_group() as tasks:
                if self.settings.on_error == "eject":
                    tasks.start_soon(self.crash)
                yield
                tasks.cancel_scope.cancel()

        async def crash(self) -> None:
            await fresh.wait()
            raise OSError("gone")

    class Late(tracer("b", [])):  # type: ignore[misc]
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            if self.settings.on_error == "eject":
                fresh.set()
                for _ in range(20):
                    await anyio.lowlevel.checkpoint()
            yield

    async with no_leak(), Kernel.of({Crashing: {}, Late: {}, Inner: {}}) as kernel:
        with pytest.raises(PluginError, match="plugin 'a': is not running"):
            await reload(kernel, {Crashing: {"on_error": "eject"}, Late: {"on_error": "eject"}, Inner: {}})
        assert await kernel.fetch("q") == ["a", "b", "inner"]
        assert states(kernel) == {"a": "active", "b": "active", "inner": "active"}


async def test_a_cancelled_reload_changes_nothing(no_leak: NoLeak) -> None:
    class Hanging(tracer("b", [])):  # type: ignore[misc]
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            if self.settings.on_error == "eject":
                await anyio.sleep_forever()
            yield

    a = tracer("a", log := [])
    async with no_leak(), Kernel.of({a: {}, Hanging: {}, Inner: {}}) as kernel:
        async with no_leak():
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(
                        reload, kernel, {a: {"on_error": "eject"}, Hanging: {"on_error": "eject"}, Inner: {}}
                    )
                    await anyio.wait_all_tasks_blocked()
                    scope.cancel()
        assert log == ["+a active", "+a active", "-a active"]
        assert await kernel.fetch("q") == ["a", "b", "inner"]


async def test_a_reload_adds_removes_switches_and_reorders(no_leak: NoLeak) -> None:
    log: list[str] = []
    a, b, c = (tracer(name, log) for name in "abc")
    async with no_leak(), Kernel.of({a: {}, b: {}, Inner: {}}) as kernel:
        assert await reload(kernel, {c: {}, b: {}, a: {}, Inner: {}}) == ["c"]
        assert await kernel.fetch("q") == ["c", "b", "a", "inner"]
        assert await reload(kernel, {c: {}, b: {"on": False}, Inner: {}}) == ["a", "b"]
        assert await kernel.fetch("q") == ["c", "inner"]
        assert list(states(kernel)) == ["c", "b", "inner"]


async def test_a_reload_cannot_take_away_what_others_need(no_leak: NoLeak) -> None:
    cache = tracer("cache", [], requires=("inner",))
    async with no_leak(), Kernel.of({cache: {}, Inner: {}}) as kernel:
        with pytest.raises(PluginError, match="plugin 'cache': requires 'inner', which is not on"):
            await reload(kernel, {cache: {}, Inner: {"on": False}})
        assert states(kernel) == {"cache": "active", "inner": "active"}
        assert await reload(kernel, {cache: {"on": False}, Inner: {"on": False}}) == ["cache", "inner"]


async def test_faults_of_a_replaced_instance_do_not_touch_its_successor(no_leak: NoLeak, until: Until) -> None:
    gate = anyio.Event()

    class Faulty(Plugin):
        name = "faulty"

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            if query.sql == "old":
                await gate.wait()
                raise ValueError("late")
            return Rows(("faulty",))

    async with no_leak(), Kernel.of({Faulty: {"on_error": "eject"}, Inner: {}}, faults=1) as kernel:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kernel.fetch, "old")
            await anyio.wait_all_tasks_blocked()
            old = unit(kernel, "faulty")
            tasks.start_soon(reload, kernel, {Faulty: {"on_error": "eject", "required": True}, Inner: {}})
            await until(lambda: unit(kernel, "faulty") is not old)
            gate.set()
        assert old.faults == 1
        assert await kernel.fetch("new") == ["faulty"]
        assert states(kernel) == {"faulty": "active", "inner": "active"}


async def test_a_plugin_knows_whether_queries_went_past_it(no_leak: NoLeak) -> None:
    told: list[bool] = []

    class Told(tracer("told", [])):  # type: ignore[misc]
        def settled(self) -> None:
            told.append(self.context.continuous)

    async with no_leak(), Kernel.of({Told: {}, Inner: {}}) as kernel:
        assert told.pop() is True
        for table, expected in (
            ({"mode": "shadow"}, True), ({"mode": "off"}, True), ({"mode": "active"}, False),
            ({"required": True}, True), ({"on": False}, None), ({}, False), ({"mode": "shadow"}, True),
        ):  # fmt: skip
            await reload(kernel, {Told: table, Inner: {}})
            assert (told.pop() if told else None) is expected, table
        await kernel.disable("told")
        await kernel.enable("told")
        assert told.pop() is False
        kernel.supervisor.eject(unit(kernel, "told"))
        await reload(kernel, {Told: {}, Inner: {}})
        assert told == [False]


async def test_a_reload_waits_for_the_end_of_the_start(no_leak: NoLeak, until: Until) -> None:
    """Else what it replaces while that starts would never stop."""
    log: list[str] = []
    asked, go = anyio.Event(), anyio.Event()

    class Slow(tracer("a", log)):  # type: ignore[misc]
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            asked.set()
            if self.settings.mode == "active":
                await go.wait()
            async with super().lifespan():
                yield

    kernel = Kernel.of({Slow: {}, Inner: {}})

    async def change() -> None:
        await asked.wait()
        tasks.start_soon(reload, kernel, {Slow: {"mode": "shadow"}, Inner: {}})
        await anyio.wait_all_tasks_blocked()
        go.set()

    async with no_leak(), anyio.create_task_group() as tasks:
        tasks.start_soon(change)
        async with kernel:
            await until(lambda: "-a active" in log)
            assert await kernel.fetch("q") == ["inner"]
            assert states(kernel) == {"a": "active", "inner": "active"}
    assert log == ["+a active", "+a shadow", "-a active", "-a shadow"]


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_reload_beside_a_start_that_fails_is_refused(no_leak: NoLeak, *, cancelled: bool) -> None:
    log: list[str] = []
    asked, go = anyio.Event(), anyio.Event()
    refused: list[GalvoError] = []

    class Failing(tracer("b", log)):  # type: ignore[misc]
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            asked.set()
            await go.wait()
            raise OSError("no")
            yield

    a = tracer("a", log)
    kernel = Kernel.of({a: {}, Failing: {"required": True}})

    async def change() -> None:
        try:
            await reload(kernel, {a: {"mode": "shadow"}, Failing: {"on": False}})
        except GalvoError as error:
            refused.append(error)

    async def end() -> None:
        await asked.wait()
        tasks.start_soon(change)
        await anyio.wait_all_tasks_blocked()
        (scope.cancel if cancelled else go.set)()

    async with no_leak(), anyio.create_task_group() as tasks:
        tasks.start_soon(end)
        with anyio.CancelScope() as scope:
            with pytest.raises(PluginError) if not cancelled else nullcontext():
                async with kernel:
                    pass
    assert log == ["+a active", "-a active"]
    assert [type(error) for error in refused] == [KernelClosed]
    assert not kernel.running
