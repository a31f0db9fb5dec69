"""One plugin's life: starts, hangs, crashes, ends, and what is left of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar

import anyio
import pytest

from galvo import GalvoError, Kernel, Plugin, PluginError, PluginUnavailable, Proceed, Query, Rows, hookimpl
from galvo.unit import Unit, sentence

pytestmark = pytest.mark.anyio
NoLeak = Callable[[], AbstractAsyncContextManager[None]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Recorder(Plugin):
    """Writes its life down in the class's `log`; the tests' plugins say what goes wrong."""

    log: ClassVar[list[str]]

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.log.append(f"{self.name} starts")
        try:
            async with anyio.create_task_group() as tasks:  # a scope of its own: must close where it opened
                await self.start(tasks)
                yield
                await self.end()
                tasks.cancel_scope.cancel()
        finally:
            self.log.append(f"{self.name} ends")

    async def start(self, tasks: Any) -> None: ...
    async def end(self) -> None: ...

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows((self.name,))


def recorder(plugin_name: str, log: list[str], **members: Any) -> type[Recorder]:
    return type(plugin_name, (Recorder,), {"name": plugin_name, "log": log, **members})


def unit(kernel: Kernel, name: str) -> Unit:
    return kernel.supervisor.units[name]


async def test_states_of_a_calm_life(no_leak: NoLeak) -> None:
    log: list[str] = []
    seen: list[str] = []

    async def start(self: Any, tasks: Any) -> None:
        seen.append(unit(kernel, "p").state)

    kernel = Kernel.of({recorder("p", log, start=start, end=lambda self: start(self, None)): {}})
    seen.append(unit(kernel, "p").state)
    async with no_leak(), kernel:
        seen.append(unit(kernel, "p").state)
    seen.append(unit(kernel, "p").state)
    assert seen == ["listed", "starting", "active", "draining", "stopped"]
    assert log == ["p starts", "p ends"]
    assert unit(kernel, "p").plugin is None


@pytest.mark.parametrize("broken", ["constructor", "start", "no context manager", "no super"])
async def test_an_optional_plugin_that_cannot_start_is_shown_and_the_app_runs(
    broken: str, no_leak: NoLeak, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []

    async def fail(self: Any, tasks: Any) -> None:
        raise OSError("no route to host")

    def init(self: Any, settings: Any, context: Any) -> None:
        raise OSError("no route to host")

    async def lifespan(self: Any) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def asking(self: Any) -> AsyncIterator[None]:
        yield self.context

    wrong = {
        "constructor": {"__init__": init}, "start": {"start": fail}, "no context manager": {"lifespan": lifespan},
        "no super": {"__init__": lambda self, settings, context: None, "lifespan": asking},
    }  # fmt: skip
    reasons = {
        "no context manager": "`lifespan` is no context manager: put @asynccontextmanager above it",
        "no super": "AttributeError: 'bad' object has no attribute 'context': its `__init__` must call "
        "`super().__init__(settings, context)`",
    }
    plugins: dict[type[Plugin], Any] = {recorder("bad", log, **wrong[broken]): {}, recorder("good", log): {}}
    async with no_leak(), Kernel.of(plugins) as kernel:
        bad = unit(kernel, "bad")
        assert bad.state == "failed"
        assert bad.plugin is None
        assert bad.reason == reasons.get(broken, "OSError: no route to host")
        assert (await kernel.run(Query("q"))).records == ("good",)
    assert [record.message for record in caplog.records] == [f"plugin 'bad': {bad.reason}; going on without it"]
    assert bad.state == "failed", "the reason stays visible"


async def test_a_required_plugin_that_cannot_start_unwinds_what_started(no_leak: NoLeak) -> None:
    log: list[str] = []

    async def fail(self: Any, tasks: Any) -> None:
        raise OSError("no route to host")

    plugins = {
        recorder("c", log, requires=("b",)): {}, recorder("b", log, requires=("a",)): {}, recorder("a", log): {},
        recorder("bad", log, start=fail, after=("c",)): {"required": True}, recorder("never", log): {},
    }  # fmt: skip
    kernel = Kernel.of(plugins)
    async with no_leak():
        with pytest.raises(PluginError, match="plugin 'bad': OSError: no route to host"):
            async with kernel:
                pytest.fail("it must not open")
    assert log == [
        "a starts", "b starts", "c starts", "bad starts", "bad ends", "c ends", "b ends", "a ends",
    ]  # fmt: skip
    assert [info["state"] for info in kernel.plugins()] == ["stopped", "stopped", "stopped", "failed", "listed"]


async def test_a_hang_at_start_is_ended_and_named(no_leak: NoLeak) -> None:
    log: list[str] = []

    async def hang(self: Any, tasks: Any) -> None:
        await anyio.sleep_forever()

    async with no_leak(), Kernel.of({recorder("slow", log, start=hang): {}}, start_timeout=0.02) as kernel:
        assert unit(kernel, "slow").state == "failed"
        assert unit(kernel, "slow").reason == "did not start within 0.02 s (start_timeout under [kernel])"
        assert log == ["slow starts", "slow ends"]


async def test_a_hang_at_stop_is_cancelled_and_named(no_leak: NoLeak, caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []

    async def hang(self: Any) -> None:
        await anyio.sleep_forever()

    async with no_leak(), Kernel.of({recorder("slow", log, end=hang): {}}, stop_timeout=0.02) as kernel:
        await kernel.disable("slow")
        assert log == ["slow starts", "slow ends"]
        assert unit(kernel, "slow").state == "stopped"
    assert "'slow' did not stop within 0.02 s and is cancelled" in caplog.text


async def test_an_error_at_stop_is_logged_and_the_others_stop_too(
    no_leak: NoLeak, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []

    async def fail(self: Any) -> None:
        raise OSError("disk full")

    async with no_leak(), Kernel.of({recorder("a", log): {}, recorder("b", log, end=fail): {}}):
        pass
    assert log == ["a starts", "b starts", "b ends", "a ends"]
    assert "plugin 'b' failed while stopping: OSError: disk full" in caplog.text


def crashing(log: list[str], quietly: bool = False) -> tuple[type[Recorder], dict[str, anyio.Event]]:
    events = {}

    async def start(self: Any, tasks: Any) -> None:
        events["crash"] = crash = anyio.Event()

        async def background() -> None:
            await crash.wait()
            if quietly:
                tasks.cancel_scope.cancel()
            else:
                raise ConnectionError("lost")

        tasks.start_soon(background)

    return recorder("p", log, start=start), events


@pytest.mark.parametrize("quietly,reason", [(False, "ConnectionError: lost"), (True, "its lifespan ended by itself")])
async def test_a_crash_after_the_start_takes_it_out_of_the_chain(
    quietly: bool, reason: str, no_leak: NoLeak, until: Until
) -> None:
    log: list[str] = []
    cls, events = crashing(log, quietly)
    async with no_leak(), Kernel.of({cls: {}, recorder("inner", log): {}}) as kernel:
        assert (await kernel.run(Query("q"))).records == ("p",)
        events["crash"].set()
        await until(lambda: unit(kernel, "p").state != "active")
        assert (unit(kernel, "p").state, unit(kernel, "p").reason) == ("failed", reason)
        assert unit(kernel, "p").plugin is None
        assert (await kernel.run(Query("q"))).records == ("inner",)
        await kernel.enable("p")
        assert (await kernel.run(Query("q"))).records == ("p",)
        assert (unit(kernel, "p").state, unit(kernel, "p").reason) == ("active", "")
    assert log.count("p starts") == log.count("p ends") == 2


async def test_a_required_plugin_that_crashes_closes_the_kernel_until_it_is_back(until: Until) -> None:
    cls, events = crashing([])
    async with Kernel.of({cls: {"required": True}, recorder("inner", []): {}}) as kernel:
        events["crash"].set()
        await until(lambda: unit(kernel, "p").state == "failed")
        for _ in range(2):
            with pytest.raises(PluginUnavailable, match="plugin 'p': is required and is not running"):
                await kernel.fetch("q")
            await kernel.disable("inner")  # another change must not open it again
        await kernel.enable("p")
        assert await kernel.fetch("q") == ["p"]


async def test_a_required_plugin_that_is_just_starting_again_keeps_the_kernel_closed(
    no_leak: NoLeak, until: Until
) -> None:
    events: dict[str, anyio.Event] = {}

    class Slow(Recorder):
        name = "slow"
        log: ClassVar[list[str]] = []

        async def start(self, tasks: Any) -> None:
            if "crash" in events:
                await events["go"].wait()
            events["crash"], events["go"] = anyio.Event(), anyio.Event()

            async def background(crash: anyio.Event) -> None:
                await crash.wait()
                raise ConnectionError

            tasks.start_soon(background, events["crash"])

    other, other_events = crashing([])
    async with no_leak(), Kernel.of({Slow: {"required": True}, other: {}}) as kernel:
        events["crash"].set()
        await until(lambda: unit(kernel, "slow").state == "failed")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kernel.enable, "slow")
            await until(lambda: unit(kernel, "slow").state == "starting")
            other_events["crash"].set()  # publishes a new chain while the required one is on its way
            await until(lambda: unit(kernel, "p").state == "failed")
            with pytest.raises(PluginUnavailable):
                await kernel.fetch("q")
            events["go"].set()
        assert await kernel.fetch("q") == ["slow"]


async def test_a_cancelled_enable_leaves_nothing_and_can_be_repeated(no_leak: NoLeak) -> None:
    log: list[str] = []
    gate = anyio.Event()

    async def start(self: Any, tasks: Any) -> None:
        await gate.wait()

    async with Kernel.of({recorder("p", log, start=start): {"on": False}}) as kernel:
        async with no_leak():
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(kernel.enable, "p")
                    await anyio.wait_all_tasks_blocked()
                    scope.cancel()
            assert log == ["p starts", "p ends"]
            assert (unit(kernel, "p").state, unit(kernel, "p").plugin) == ("failed", None)
            assert unit(kernel, "p").reason == "its start was cancelled"
        gate.set()
        await kernel.enable("p")
        assert await kernel.fetch("q") == ["p"]
    assert log == ["p starts", "p ends"] * 2


async def test_a_cancelled_disable_still_stops_it(no_leak: NoLeak) -> None:
    log: list[str] = []
    gate = anyio.Event()

    async def end(self: Any) -> None:
        await gate.wait()

    async with Kernel.of({recorder("p", log, end=end): {}}) as kernel:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(kernel.disable, "p")
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
                gate.set()
        assert unit(kernel, "p").state == "stopped"
        assert log == ["p starts", "p ends"]
        await kernel.enable("p")
        assert log == ["p starts", "p ends", "p starts"]


async def test_a_cancelled_host_stops_its_plugins_in_order(no_leak: NoLeak) -> None:
    log: list[str] = []

    async def flush(self: Any) -> None:
        log.append(f"{self.name} flushes: {await self.context.fetch('q')}")

    plugins: dict[type[Plugin], Any] = {
        recorder("outer", log, end=flush, requires=("pool",), on_query=None): {},
        recorder("pool", log): {},
    }
    async with no_leak():
        with anyio.CancelScope() as scope:
            async with Kernel.of(plugins, stop_timeout=60) as kernel:
                scope.cancel()
                await anyio.sleep_forever()
    assert log == ["pool starts", "outer starts", "outer flushes: ['pool']", "outer ends", "pool ends"]
    assert {info["state"] for info in kernel.plugins()} == {"stopped"}


async def test_a_cancelled_start_of_the_host_unwinds(no_leak: NoLeak) -> None:
    log: list[str] = []

    async def hang(self: Any, tasks: Any) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    async with no_leak():
        with anyio.CancelScope() as scope:
            async with Kernel.of({recorder("a", log): {}, recorder("b", log, start=hang): {}}):
                pytest.fail("it must not open")
    assert scope.cancelled_caught
    assert log == ["a starts", "b starts", "b ends", "a ends"]


async def test_settled_waits_for_the_queries_that_were_there_before_and_may_fail(no_leak: NoLeak) -> None:
    gate = anyio.Event()
    settled: list[str] = []

    class Slow(Plugin):
        name = "slow"

        @hookimpl(trylast=True)
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            if query.sql == "old":
                await gate.wait()
            return Rows((1,))

    class Late(Plugin):
        name = "late"

        def __init__(self, settings: Any, context: Any) -> None:
            self.number = len(made)
            made.append(self)

        def settled(self) -> None:
            settled.append(f"late {self.number}")
            raise ValueError("in settled")

    made: list[Late] = []
    async with no_leak(), Kernel.of({Slow: {}, Late: {"on": False}}, drain_timeout=0.01) as kernel:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kernel.run, Query("old"))
            await anyio.wait_all_tasks_blocked()
            await kernel.enable("late")
            await kernel.run(Query("new"))
            await anyio.wait_all_tasks_blocked()
            assert settled == []
            await kernel.disable("late")
            await kernel.enable("late")
            gate.set()
        await anyio.wait_all_tasks_blocked()
        assert settled == ["late 1"], "only the instance that runs, and once"
        assert unit(kernel, "late").last_fault == "settled: ValueError: in settled"
        await kernel.disable("late")
        await kernel.enable("late")
        assert settled == ["late 1", "late 2"], "at once when nothing is under way"


@pytest.mark.parametrize(
    "error,text",
    [
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (ValueError(), "ValueError"),
        (TimeoutError("too late"), "too late"),
        (TimeoutError(), "TimeoutError"),
        (PluginError("p", "is: odd"), "is: odd"),
        (GalvoError("ours"), "ours"),
        (ExceptionGroup("g", [ExceptionGroup("h", [KeyError("x"), OSError()])]), "KeyError: 'x'"),
    ],
)
def test_sentence(error: BaseException, text: str) -> None:
    assert sentence(error) == text


def test_sentence_of_an_error_that_cannot_say_what_it_is() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert sentence(Mute()) == "Mute"
