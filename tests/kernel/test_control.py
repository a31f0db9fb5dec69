"""Changes that somebody asks a running kernel for, plugins themselves among them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from galvo import Change, GalvoError, Kernel, KernelClosed, Plugin, PluginError
from galvo.control import KEPT, LONGEST, Operations

pytestmark = pytest.mark.anyio
NoLeak = Callable[[], AbstractAsyncContextManager[None]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Asker(Plugin):
    """Asks for changes itself."""

    name = "asker"


class Slow(Plugin):
    """Starts when it is let to."""

    name = "slow"
    gate: anyio.Event
    starting = 0

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        type(self).starting += 1
        await self.gate.wait()
        yield


@pytest.fixture
def slow() -> type[Slow]:
    class Mine(Slow):
        gate = anyio.Event()

    return Mine


def states(kernel: Kernel) -> dict[str, str]:
    return {info["name"]: info["state"] for info in kernel.plugins()}


def asker(kernel: Kernel) -> Asker:
    plugin = kernel.supervisor.units["asker"].instance
    assert isinstance(plugin, Asker)
    return plugin


def operations(kernel: Kernel) -> Operations:
    """What only the plugin `live` uses."""
    control = asker(kernel).context.control
    assert isinstance(control, Operations)
    return control


async def test_each_change_is_logged_and_kept_with_who_when_why_and_result(caplog: pytest.LogCaptureFixture) -> None:
    async with Kernel.of({Asker: {}, Plain: {}}) as kernel:
        control = asker(kernel).context.control
        done = await control.disable("plain", who="root", why="it is\nin the way\x1b[2J")
        assert states(kernel)["plain"] == "stopped"
        assert (await control.disable("plain", who="root")).changed == (), "it was that already"
        with pytest.raises(PluginError, match="is not listed") as caught:
            await control.enable("nix\n2026 CRITICAL", who="root")
        with pytest.raises(GalvoError, match="not made from settings"):
            await control.reload(who="SIGHUP")
    assert [one.what for one in control.changes] == ["disable", "disable", "enable", "reload"]
    assert done == control.changes[0]
    assert (done.name, done.who, done.why) == ("plain", "root", "it is in the way?[2J")
    assert (done.changed, done.problem) == (("plain",), "")
    assert control.changes[2].problem == str(caught.value)
    assert done.seconds >= 0
    assert done.at > 1.7e9
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "disable plain, asked for by root (it is in the way?[2J): done: plain",
        "disable plain, asked for by root: done: nothing has changed",
        f"enable nix 2026 CRITICAL, asked for by root: refused: {caught.value}",
        f"reload, asked for by SIGHUP: refused: {control.changes[3].problem}",
    ]


async def test_a_reload_that_replaces_the_plugin_that_asked_for_it(tmp_path: Path, no_leak: NoLeak) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "entrypoints.toml").write_text(
        f'[[plugin]]\nname = "selfish"\ntarget = "{__name__}:Selfish"\n', "utf-8"
    )
    settings = tmp_path / "settings/galvo.toml"
    settings.write_text("[selfish]\n", "utf-8")
    async with no_leak(), Kernel.from_settings(tmp_path) as kernel:
        first = kernel.supervisor.units["selfish"].instance
        assert isinstance(first, Selfish)
        settings.write_text('[selfish]\nmode = "shadow"\n', "utf-8")
        first.ask.set()
        while not kernel.control.changes:  # noqa: ASYNC110  # of whoever asks nobody is left to tell of it
            await anyio.sleep(0.001)
        assert kernel.control.changes[0].changed == ("selfish",)
        assert kernel.supervisor.units["selfish"].instance is not first
        assert states(kernel) == {"selfish": "active"}


async def test_the_kernels_own_settings_change_with_the_plugins(tmp_path: Path) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "entrypoints.toml").write_text("", "utf-8")
    settings = tmp_path / "settings/galvo.toml"
    settings.write_text("[kernel]\nfaults = 1\n", "utf-8")
    async with Kernel.from_settings(tmp_path) as kernel:
        async with anyio.create_task_group() as tasks, kernel.supervisor._lock:  # another change is made
            for faults in (2, 3):
                settings.write_text(f"[kernel]\nfaults = {faults}\n", "utf-8")
                tasks.start_soon(kernel.reload)
                await anyio.lowlevel.checkpoint()
            assert kernel.settings.faults == 1, "they have their turn"
        assert kernel.settings.faults == 3
        settings.write_text("[kernel]\nfaults = 4\n", "utf-8")
        assert (await kernel.control.reload(who="me")).changed == ("kernel",)
        assert kernel.settings.faults == 4
        assert (await kernel.control.reload(who="me")).changed == ()


async def test_a_cancelled_asker_does_not_stop_a_change(slow: type[Slow], until: Until) -> None:
    async with Kernel.of({Asker: {}, slow: {"on": False}}) as kernel:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(enable, kernel, "slow")
            await until(lambda: slow.starting == 1)
            tasks.cancel_scope.cancel()
        assert not kernel.control.changes
        slow.gate.set()
        await until(lambda: bool(kernel.control.changes))
        assert states(kernel)["slow"] == "active"


async def test_one_change_at_a_time_in_the_order_in_which_they_were_asked_for(slow: type[Slow], until: Until) -> None:
    async with Kernel.of({Asker: {}, slow: {"on": False}, Plain: {}}) as kernel, anyio.create_task_group() as tasks:
        tasks.start_soon(enable, kernel, "slow")
        await until(lambda: slow.starting == 1)
        tasks.start_soon(disable, kernel, "plain")
        for _ in range(50):
            await anyio.lowlevel.checkpoint()
        assert states(kernel)["plain"] == "active"
        slow.gate.set()
        await until(lambda: len(kernel.control.changes) == 2)
        assert [change.name for change in kernel.control.changes] == ["slow", "plain"]


async def test_who_waits_when_the_kernel_ends_is_told(slow: type[Slow], until: Until, no_leak: NoLeak) -> None:
    told: list[str] = []

    async def ask(kernel: Kernel, name: str) -> None:
        try:
            await kernel.control.enable(name, who="test")
        except GalvoError as error:
            told.append(str(error))

    kernel = Kernel.of({Asker: {}, slow: {"on": False}, Plain: {"on": False}}, start_timeout=0.1)
    async with no_leak(), anyio.create_task_group() as tasks, kernel:
        tasks.start_soon(ask, kernel, "slow")
        await until(lambda: slow.starting == 1)
        tasks.start_soon(ask, kernel, "plain")
        await anyio.lowlevel.checkpoint()
    assert len(told) == 2
    assert "did not start within" in told[0]
    with pytest.raises(KernelClosed):
        await kernel.control.reload(who="test")


async def test_a_host_may_put_itself_before_the_kernel() -> None:
    class Board:
        async def enable(self, name: str) -> None:
            raise ZeroDivisionError("a bug of the host's")

        async def disable(self, name: str) -> None:
            await kernel.disable(name)

        async def reload(self) -> list[str]:
            return ["everything"]

    async with Kernel.of({Asker: {}, Plain: {}}) as kernel:
        kernel.given["switchboard"] = Board()
        assert (await kernel.control.disable("plain", who="test")).changed == ("plain",)
        assert (await kernel.control.reload(who="test")).changed == ("everything",)
        with pytest.raises(GalvoError, match=r"ZeroDivisionError: a bug of the host's"):
            await kernel.control.enable("plain", who="test")
        assert kernel.running


async def test_the_last_hundred_are_kept_and_none_of_them_is_long() -> None:
    async with Kernel.of({Asker: {}}) as kernel:
        for number in range(KEPT + 3):
            await kernel.control.enable("asker", who="w" * 1000, why=f"{number} " + "y" * 1000)
        assert len(kernel.control.changes) == KEPT
        assert kernel.control.changes[0].why.startswith("3 ")
        assert {(len(one.who), len(one.why)) for one in kernel.control.changes} == {(LONGEST, LONGEST)}


async def test_what_outlives_its_plugin_neither_ends_with_it_nor_ends_the_host(
    until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    gate, done = anyio.Event(), list[str]()

    async def work(word: str) -> None:
        await gate.wait()
        done.append(word)
        raise ValueError("in vain")

    async with Kernel.of({Asker: {}}) as kernel:
        operations(kernel).outlive(work, "hello")
        await kernel.disable("asker")
        gate.set()
        await until(lambda: "ValueError: in vain" in caplog.text)
        assert done == ["hello"]
        await kernel.enable("asker")


async def test_a_fault_outside_of_any_hook_counts(until: Until) -> None:
    async with Kernel.of({Asker: {}, Plain: {"on_error": "eject"}}, faults=2) as kernel:
        control = operations(kernel)
        assert {name: type(plugin) for name, plugin in control.running().items()} == {"asker": Asker, "plain": Plain}
        for _ in range(2):
            control.fault("plain", "the event loop", ValueError("blocked"))
        control.fault("nobody", "the event loop", ValueError("blocked"))
        assert states(kernel) == {"asker": "active", "plain": "degraded"}


class Plain(Plugin):
    """Does nothing."""

    name = "plain"


class Selfish(Plugin):
    """Reloads once, from a task of its own."""

    name = "selfish"

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.ask = anyio.Event()
        self.change: Change | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._reload)
            yield
            tasks.cancel_scope.cancel()

    async def _reload(self) -> Any:
        await self.ask.wait()
        await self.context.control.reload(who="itself")


async def enable(kernel: Kernel, name: str) -> None:
    await kernel.control.enable(name, who="test")


async def disable(kernel: Kernel, name: str) -> None:
    await kernel.control.disable(name, who="test")
