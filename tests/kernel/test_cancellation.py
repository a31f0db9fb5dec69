"""Cancel a query at every await of every layer: nothing is a fault, nothing keeps running, nothing is lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from galvo import Kernel, Plugin, Proceed, Query, Rows, hookimpl

pytestmark = pytest.mark.anyio
NoLeak = Callable[[], AbstractAsyncContextManager[None]]


class Steps:
    """Counts awaits; cancels `scope` at the chosen one."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.chosen = self.passed = self.runs = 0
        self.cleaned: list[str] = []

    async def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.chosen:
            self.scope.cancel()
        await anyio.lowlevel.checkpoint()


def stack(steps: Steps) -> dict[type[Plugin], dict[str, Any]]:
    class Layer(Plugin):
        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            await steps()
            try:
                return await proceed(query)
            finally:
                steps.cleaned.append(self.name)
                await steps()

    class Shadow(Layer):
        name = "shadow"

    class Eject(Layer):
        name = "eject"

    class Group(Plugin):
        name = "group"

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(steps)
                return await proceed(query)

    class Broken(Plugin):
        name = "broken"

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            await steps()
            raise ValueError("always")

    class Database(Plugin):
        name = "database"

        @hookimpl(trylast=True)
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            steps.runs += 1
            await steps()
            await steps()
            return Rows((1,))

    return {
        Shadow: {"mode": "shadow"},
        Eject: {"on_error": "eject"},
        Group: {},
        Broken: {},
        Database: {"on_error": "raise", "required": True},
    }


async def test_cancelled_at_every_await(no_leak: NoLeak) -> None:
    steps = Steps()
    async with no_leak(), Kernel.of(stack(steps), faults=1) as kernel:
        for chosen in itertools.count(1):
            async with no_leak():
                steps.chosen, steps.passed, steps.runs, steps.scope = chosen, 0, 0, anyio.CancelScope()
                faults = {info["name"]: info["faults"] for info in kernel.plugins()}
                rows = None
                with steps.scope:
                    rows = await kernel.run(Query("q"))
                assert kernel.chains.calls == 0
                assert steps.runs <= 1
                after = {info["name"]: info["faults"] for info in kernel.plugins()}
                assert after.pop("broken") - faults.pop("broken") <= 1, "its own error, never the cancellation"
                assert after == faults
                assert {info["state"] for info in kernel.plugins()} == {"active"}
                if steps.passed < chosen:
                    break  # one await beyond the last
                assert steps.scope.cancelled_caught or rows == Rows((1,))
        assert chosen > 8
        assert rows == Rows((1,))


async def test_a_timeout_of_the_caller_is_no_fault_and_the_next_query_runs() -> None:
    steps = Steps()
    async with Kernel.of(stack(steps)) as kernel:
        with pytest.raises(TimeoutError), anyio.fail_after(0):
            await kernel.run(Query("q"))
        assert kernel.chains.calls == 0
        assert [i["name"] for i in kernel.plugins() if i["faults"]] in ([], ["broken"])
        assert await kernel.run(Query("q")) == Rows((1,))


async def test_draining_ends_when_the_last_running_call_is_cancelled(no_leak: NoLeak) -> None:
    class Forever(Plugin):
        name = "forever"

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            await anyio.sleep_forever()
            raise AssertionError

    async with no_leak(), Kernel.of({Forever: {}}, drain_timeout=60) as kernel:
        async with anyio.create_task_group() as tasks:
            scope = anyio.CancelScope()

            async def ask() -> None:
                with scope:
                    await kernel.run(Query("q"))

            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(kernel.disable, "forever")
            await anyio.wait_all_tasks_blocked()
            assert kernel.supervisor.units["forever"].state == "draining"
            scope.cancel()
        assert kernel.supervisor.units["forever"].state == "stopped"
        assert kernel.supervisor.units["forever"].faults == 0
