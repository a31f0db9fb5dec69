"""Plugins that block the loop, in this process; and what only looks like it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from galvo import Kernel, Plugin, Proceed, Query, Rows, hookimpl
from galvo_live import LivePlugin, LiveSettings
from tests.plugins.live.hosting import ROOT

pytestmark = pytest.mark.anyio
LIVE = {"sighup": False, "answer": False, "watch": 0.05}
CPU = 0.3
"""Seconds of it, whatever else runs on this machine."""


class Base(Plugin):
    name = "base"

    @hookimpl(trylast=True)
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows(((1,),))


def computing() -> None:
    end = time.thread_time() + CPU
    while time.thread_time() < end:
        pass


def keeping_the_lock() -> None:
    for n in range(18, 40):  # until one is long enough
        began = time.thread_time()
        re.match(r"(a+)+$", "a" * n + "b")
        if time.thread_time() - began > CPU:
            break


class Blocking(Plugin):
    """Does in its hook what a query says, and in the background what it is given."""

    name = "blocking"
    ways: ClassVar[dict[str, Callable[[], None]]]
    background: Callable[[], None] | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._work())
        yield
        task.cancel()

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(0.001)
            if self.background is not None:
                type(self).background, work = None, type(self).background
                assert work is not None
                work()

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        self.ways.get(query.sql, lambda: None)()
        return await proceed(query)


def live(kernel: Kernel) -> LivePlugin:
    plugin = kernel.supervisor.units["live"].instance
    assert isinstance(plugin, LivePlugin)
    return plugin


def faults(kernel: Kernel) -> int:
    return kernel.supervisor.units["blocking"].faults


async def counted(kernel: Kernel, most: int) -> None:
    async with asyncio.timeout(30):
        while faults(kernel) < most:  # noqa: ASYNC110  # it is told by a thread
            await asyncio.sleep(0.001)


@pytest.fixture
def blocking() -> type[Blocking]:
    def waiting() -> None:
        """For nothing, until it has been seen: by another thread, since each time that this one woke it would wait for
        a CPU, which does not count.
        """
        watchdog, end = live(kernels[0]).watchdog, time.monotonic() + 30
        assert watchdog is not None

        def look() -> None:
            while not watchdog.blocked and time.monotonic() < end:
                time.sleep(0.01)

        looker = threading.Thread(target=look)
        looker.start()
        looker.join()

    class Mine(Blocking):
        ways: ClassVar = {"wait": waiting, "compute": computing, "keep": keeping_the_lock}

    kernels.clear()
    return Mine


kernels: list[Kernel] = []


async def test_who_blocks_in_a_hook_or_in_the_background_is_named(
    blocking: type[Blocking], caplog: pytest.LogCaptureFixture
) -> None:
    async with Kernel.of({blocking: {}, Base: {}, LivePlugin: LIVE}) as kernel:
        kernels.append(kernel)
        for number, (way, function) in enumerate(blocking.ways.items(), 1):
            await asyncio.sleep(0)
            assert await kernel.fetchval(way) == 1  # it is slow, and answered
            await counted(kernel, number)
            told = kernel.supervisor.units["blocking"].last_fault
            assert re.fullmatch(
                rf"the event loop: blocked for [\d.]+ s at {re.escape(__file__)}:\d+ \(\S*{function.__name__}\)", told
            ), told
        blocking.background = computing
        await counted(kernel, 4)
        assert live(kernel).stats()["blocks"] == 4
        assert await kernel.fetchval("anything") == 1
        assert faults(kernel) == 4
    assert "plugin 'blocking' faulted in the event loop: blocked for" in caplog.text


async def test_it_is_ejected_when_its_faults_eject_it(blocking: type[Blocking]) -> None:
    async with Kernel.of({blocking: {"on_error": "eject"}, Base: {}, LivePlugin: LIVE}, faults=2) as kernel:
        kernels.append(kernel)
        for number in (1, 2):
            await kernel.fetchval("compute")
            await counted(kernel, number)
        assert kernel.plugins()[0]["state"] == "degraded"
        assert await kernel.fetchval("compute") == 1
        assert faults(kernel) == 2


async def test_the_application_is_not_a_plugin(blocking: type[Blocking], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with Kernel.of({blocking: {}, Base: {}, LivePlugin: LIVE}) as kernel:
        computing()
        async with asyncio.timeout(30):
            while not live(kernel).stats()["blocks"]:  # noqa: ASYNC110  # it is told by a thread
                await asyncio.sleep(0.001)
        assert faults(kernel) == 0
    assert "the application blocked the event loop for" in caplog.text


async def test_a_busy_loop_is_not_blocked(blocking: type[Blocking]) -> None:
    """Thousands of short callbacks, several hundred in each turn of the loop."""
    blocking.ways = {"short": lambda: [*range(1000)] and None}
    async with Kernel.of({blocking: {}, Base: {}, LivePlugin: LIVE}) as kernel:
        end = time.thread_time() + 2 * CPU
        while time.thread_time() < end:
            await asyncio.gather(*(kernel.fetchval("short") for _ in range(300)))
        assert live(kernel).stats()["blocks"] == 0


async def test_the_thread_ends_with_the_plugin(blocking: type[Blocking]) -> None:
    before = {*threading.enumerate()}
    async with Kernel.of({blocking: {}, Base: {}, LivePlugin: LIVE}) as kernel:
        assert len({*threading.enumerate()} - before) == 1
        await kernel.disable("live")
        assert {*threading.enumerate()} == before
        await kernel.enable("live")
    assert {*threading.enumerate()} == before


STOPPED = """
import asyncio, time
from galvo import Kernel
from galvo_live import LivePlugin
from tests.plugins.live.test_watchdog import Base, Blocking

class Mine(Blocking):
    ways = {"short": lambda: [*range(100_000)] and None}

async def main():
    async with Kernel.of({Mine: {}, Base: {}, LivePlugin: {"watch": 0.1, "answer": False}}) as kernel:
        print("ready", flush=True)
        asked = asyncio.create_task(asyncio.to_thread(input))
        while not asked.done():
            await kernel.fetchval("short")
            await asyncio.sleep(0)
        print(kernel.plugin_stats("live")["blocks"], flush=True)

asyncio.run(main())
"""


def test_a_stopped_process_is_not_blocked() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(4):
            process.send_signal(signal.SIGSTOP)
            while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
                time.sleep(0.001)
            time.sleep(0.3)  # three times what is too long
            process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
        out, _ = process.communicate("\n", 60)
    assert out == "0\n"


@pytest.mark.parametrize("watch", [-1, 0.01, 61, "often"])
def test_what_cannot_be_watched_is_refused(watch: object) -> None:
    with pytest.raises(ValueError, match="watch"):
        LiveSettings.model_validate({"watch": watch})
