"""The plugin's part in it: what its settings turn off, and what it leaves behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from galvo import Kernel, Level, MemoryPressure, Plugin, hookimpl
from galvo_memory import MemoryPlugin
from galvo_memory.relief import collector

pytestmark = pytest.mark.anyio
OFTEN = {"interval": 0.01, "answer": False}


class EarPlugin(Plugin):
    """Notes what it is told."""

    name = "ear"
    provides = ("ear",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.levels: list[Level] = []

    @hookimpl
    def on_memory_pressure(self, pressure: MemoryPressure) -> None:
        self.levels.append(pressure.level)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(collector, "SETTLED", 0.0)
    monkeypatch.setattr(collector, "ENOUGH", 1)
    yield
    assert gc.get_freeze_count() == 0


async def again(kernel: Kernel, **settings: Any) -> None:
    """A new instance with other settings takes the place of the one before."""
    plan = Kernel.of({MemoryPlugin: {**OFTEN, **settings}})
    names = await kernel.supervisor.reload([unit.blueprint for unit in plan.supervisor.units.values()])
    assert names == ["memory"]


async def until(condition: Any) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110  # the watcher has no event
            await anyio.sleep(0.01)


async def test_the_collector_is_tuned_and_put_back() -> None:
    original = gc.get_threshold()
    async with Kernel.of({MemoryPlugin: OFTEN}) as kernel:
        await until(lambda: [[] for _ in range(1000)] and kernel.plugin_stats("memory")["gc_tuned"])
        assert gc.get_threshold() != original
        await again(kernel, interval=0.02)
        assert kernel.plugin_stats("memory")["gc_tuned"]
        assert gc.get_threshold() != original
        await again(kernel, tune_gc=False)
        assert gc.get_threshold() == original
        await again(kernel)
    assert gc.get_threshold() == original


async def test_it_can_be_turned_off() -> None:
    original, callbacks = gc.get_threshold(), [*gc.callbacks]
    async with Kernel.of({MemoryPlugin: {**OFTEN, "tune_gc": False}}) as kernel:
        await until(lambda: kernel.plugin_stats("memory")["rss"])
        assert (gc.get_threshold(), gc.callbacks) == (original, callbacks)


async def test_when_it_stops_nobody_believes_that_memory_is_short() -> None:
    short = {"levels": (1e-9, 2e-9, 3e-9), "gap": 0.0, "again": 0.01}
    async with Kernel.of({MemoryPlugin: {**OFTEN, **short}, EarPlugin: {}}) as kernel:
        ear = kernel.find_capability("ear")
        await until(lambda: ear.levels)
        await kernel.disable("memory")
        assert ear.levels[0] is Level.CRITICAL
        assert ear.levels[-1] is Level.NORMAL
