"""The other three hooks, and generations of chains that come and go while calls run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from galvo import (
    Context,
    Freed,
    Kernel,
    KernelClosed,
    Level,
    MemoryPressure,
    Metric,
    NoBackend,
    Plugin,
    Proceed,
    Query,
    Rows,
    hookimpl,
)  # fmt: skip

pytestmark = pytest.mark.anyio
METRIC = Metric("db.client.operations")
PRESSURE = MemoryPressure(Level.HIGH, 1000)


class Answers(Plugin):
    """Innermost layer: answers with its name, after a gate if there is one."""

    name = "answers"
    gate: Any = None

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if self.gate:
            await self.gate.wait()
        return Rows((self.name,))


def named(plugin_name: str, **members: Any) -> type[Plugin]:
    return type(plugin_name, (Plugin,), {"name": plugin_name, **members})


def context(kernel: Kernel) -> Context:
    return Context(kernel, "asker")


# -- first ------------------------------------------------------------------------------------------


async def test_the_first_that_knows_the_answer_is_the_last_that_is_asked() -> None:
    asked: list[str] = []

    @hookimpl
    async def nothing(self: Any, query: Query, reason: str) -> None:
        asked.append(f"nothing {query.sql} {reason}")

    @hookimpl
    def knows(self: Any, reason: str) -> Rows:
        asked.append(f"knows {reason}")
        return Rows((1,))

    @hookimpl
    async def later(self: Any) -> Rows:
        asked.append("later")
        return Rows((2,))

    a, b, c = (
        named("a", on_cache_miss=nothing),
        named("b", on_cache_miss=knows),
        named("c", on_cache_miss=later),
    )
    async with Kernel.of({a: {}, b: {}, c: {}}) as kernel:
        assert await context(kernel).on_cache_miss(Query("q"), "cold") == Rows((1,))
        assert asked == ["nothing q cold", "knows cold"]
        await kernel.disable("b")
        assert await context(kernel).on_cache_miss(Query("q"), "cold") == Rows((2,))
        await kernel.disable("c")
        assert await context(kernel).on_cache_miss(Query("q"), "cold") is None


async def test_a_fault_a_wrong_type_and_a_shadow_are_not_mine() -> None:
    @hookimpl
    def broken(self: Any) -> None:
        raise ValueError("broken")

    @hookimpl
    async def wrong(self: Any) -> int:
        return 42

    @hookimpl
    async def right(self: Any) -> Rows:
        return Rows(("right",))

    plugins = {
        named("broken", on_cache_miss=broken): {},
        named("wrong", on_cache_miss=wrong): {},
        named("shadow", on_cache_miss=right): {"mode": "shadow"},
    }
    async with Kernel.of(plugins) as kernel:
        assert await context(kernel).on_cache_miss(Query("q"), "cold") is None
        faults = {info["name"]: info["faults"] for info in kernel.plugins()}
        assert faults == {"broken": 1, "wrong": 1, "shadow": 0}
        assert "Rows or None, not int" in kernel.supervisor.units["wrong"].last_fault


# -- notify -----------------------------------------------------------------------------------------


async def test_every_sink_hears_and_a_broken_one_harms_nobody() -> None:
    heard: list[Any] = []

    @hookimpl
    def both(self: Any, value: float, metric: Metric) -> None:  # in another order than the specification's
        heard.append((metric.name, value))

    @hookimpl
    def broken(self: Any) -> None:
        raise ZeroDivisionError

    @hookimpl
    def value_only(self: Any, value: float) -> None:
        heard.append(value)

    plugins = {named("a", on_metric=both): {}, named("b", on_metric=broken): {}, named("c", on_metric=value_only): {}}
    async with Kernel.of(plugins) as kernel:  # type: ignore[arg-type]
        kernel.record(METRIC, 3)
        assert heard == [("db.client.operations", 3), 3]
        assert kernel.supervisor.units["b"].faults == 1


async def test_a_faulty_sink_in_a_thread_harms_nobody_either() -> None:
    @hookimpl
    def broken(self: Any) -> None:
        raise ZeroDivisionError

    async with Kernel.of({named("b", on_metric=broken): {}}) as kernel:
        await anyio.to_thread.run_sync(kernel.record, METRIC)
        assert kernel.supervisor.units["b"].faults == 1


# -- collect ----------------------------------------------------------------------------------------


async def test_what_everybody_freed_is_added_up() -> None:
    @hookimpl
    async def cache(self: Any, pressure: MemoryPressure) -> Freed:
        return Freed(pressure.bytes_over, "cache")

    @hookimpl
    def pool(self: Any) -> Freed:
        return Freed(24, "pool")

    @hookimpl
    async def nothing(self: Any) -> None:
        return None

    @hookimpl
    async def broken(self: Any) -> Freed:
        raise ValueError

    @hookimpl
    async def wrong(self: Any) -> int:
        return 5

    functions = {"cache": cache, "broken": broken, "nothing": nothing, "wrong": wrong, "pool": pool}
    plugins = {named(n, on_memory_pressure=f): {} for n, f in functions.items()}
    async with Kernel.of(plugins) as kernel:  # type: ignore[arg-type]
        assert await kernel.relieve(PRESSURE) == Freed(1024, "cache, pool")
        assert {i["name"]: i["faults"] for i in kernel.plugins() if i["faults"]} == {"broken": 1, "wrong": 1}
    assert await kernel.relieve(PRESSURE) == Freed(0, "")


# -- generations --------------------------------------------------------------------------------------


async def test_running_calls_keep_their_chain_and_new_ones_see_the_new() -> None:
    class Outer(Plugin):
        name = "outer"

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            return Rows((*(await proceed(query)).records, "outer"))

    gate = anyio.Event()
    results: dict[str, Any] = {}

    class Gated(Answers):
        pass

    Gated.gate = gate
    async with Kernel.of({Outer: {}, Gated: {}}, drain_timeout=60) as kernel:

        async def ask(key: str) -> None:
            results[key] = (await kernel.run(Query(key))).records

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "before")
            await anyio.wait_all_tasks_blocked()
            old = kernel.chains
            tasks.start_soon(kernel.disable, "outer")
            await anyio.wait_all_tasks_blocked()
            assert kernel.chains is not old
            assert old.calls == 2  # one query in two layers
            assert kernel.supervisor.units["outer"].plugin is not None, "it waits for the running call"
            tasks.start_soon(ask, "after")
            await anyio.wait_all_tasks_blocked()
            assert not results
            gate.set()
        assert results == {"before": ("answers", "outer"), "after": ("answers",)}
        assert kernel.supervisor.units["outer"].plugin is None
        assert (old.calls, kernel.chains.calls) == (0, 0)


async def test_a_call_on_its_way_round_a_faulty_layer_still_counts() -> None:
    """Between the layers nobody may believe that the old chain is idle, and stop what it is about to call."""
    gates = {"outer": anyio.Event(), "inner": anyio.Event()}
    alive: list[bool] = []

    @hookimpl
    async def outer(self: Any, query: Query, proceed: Proceed) -> None:
        await gates["outer"].wait()

    @hookimpl
    async def inner(self: Any, query: Query, proceed: Proceed) -> Rows:
        await gates["inner"].wait()
        alive.append(kernel.supervisor.units["inner"].plugin is self)
        return Rows(("inner",))

    plugins = {named("outer", on_query=outer): {}, named("inner", on_query=inner): {}}
    kernel = Kernel.of(plugins, drain_timeout=60)  # type: ignore[arg-type]
    async with kernel, anyio.create_task_group() as tasks:
        tasks.start_soon(kernel.run, Query("q"))
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(kernel.disable, "inner")
        await anyio.wait_all_tasks_blocked()
        gates["outer"].set()
        await anyio.wait_all_tasks_blocked()
        gates["inner"].set()
    assert alive == [True]


async def test_a_session_and_a_context_use_the_chain_of_the_moment() -> None:
    @hookimpl
    async def outer(self: Any, query: Query, proceed: Proceed) -> Rows:
        return Rows(("outer", *(await proceed(query)).records))

    async with Kernel.of({named("outer", on_query=outer): {}, Answers: {}}) as kernel:
        asker = context(kernel)
        async with kernel.acquire() as session:
            assert await session.fetch("q") == await asker.fetch("q") == ["outer", "answers"]
            await kernel.disable("outer")
            assert await session.fetch("q") == await asker.fetch("q") == await kernel.fetch("q") == ["answers"]


@pytest.mark.parametrize("hook", ["on_cache_miss", "on_memory_pressure"])
async def test_a_plugin_that_answers_a_background_task_is_not_stopped_meanwhile(hook: str) -> None:
    gate, inside = anyio.Event(), anyio.Event()
    alive: list[bool] = []

    @hookimpl
    async def slow(self: Any) -> None:
        inside.set()
        await gate.wait()
        alive.append(kernel.supervisor.units["slow"].plugin is self)

    kernel = Kernel.of({named("slow", **{hook: slow}): {}})
    async with kernel, anyio.create_task_group() as tasks:
        if hook == "on_cache_miss":
            tasks.start_soon(context(kernel).on_cache_miss, Query("q"), "cold")
        else:
            tasks.start_soon(kernel.relieve, PRESSURE)
        await inside.wait()
        tasks.start_soon(kernel.disable, "slow")
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert alive == [True]


async def test_nobody_runs_sql_says_what_to_install() -> None:
    async with Kernel.of({}) as kernel:
        with pytest.raises(NoBackend, match="install galvo-pool and set `on = true` under"):
            await kernel.fetch("select 1")


async def test_who_runs_sql_and_faults_is_named_and_is_the_cause() -> None:
    refused = OSError("server refused")

    @hookimpl
    async def broken(self: Any, query: Query, proceed: Proceed) -> Rows:
        raise refused

    @hookimpl
    async def asks(self: Any, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query)

    backend, outer = named("backend", on_query=broken), named("outer", on_query=asks)
    async with Kernel.of({named("first", on_query=broken): {}, outer: {}, backend: {"on_error": "eject"}}) as kernel:
        for _ in range(kernel.settings.faults):
            with pytest.raises(NoBackend, match="plugin 'backend' faulted in on_query") as told:
                await kernel.fetch("select 1")
            assert told.value.__cause__ is refused
        await kernel.disable("first")
        with pytest.raises(NoBackend, match=r"not active: first \(stopped\), backend \(degraded\); `galvo plugins`"):
            await kernel.fetch("select 1")


async def test_what_comes_when_the_kernel_ends_is_told_so() -> None:
    gone: list[BaseException] = []

    @asynccontextmanager
    async def asks(self: Any) -> AsyncIterator[None]:
        yield
        with pytest.raises(KernelClosed, match="this kernel is ending") as told:
            await self.context.run(Query("select 1"))
        gone.append(told.value)

    async with Kernel.of({named("last", lifespan=asks): {}, Answers: {}}) as kernel:
        assert await kernel.fetchval("select 1")
    assert gone


async def test_a_computed_value_needs_no_plugin() -> None:
    async def load() -> str:
        return "computed"

    async with Kernel.of({}) as kernel:
        assert await kernel.cached("key", load) == "computed"
