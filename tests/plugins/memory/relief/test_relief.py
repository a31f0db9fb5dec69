"""The steps of a relief: in order, measured by what the process really holds, told in one sentence."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
import psutil
import pytest

from galvo import Freed, Level, MemoryPressure
from galvo_memory.allocator import malloc_trim
from galvo_memory.relief import Relief, trim

pytestmark = pytest.mark.anyio
LOG = logging.getLogger("galvo.memory")
MIB = 1 << 20


class Stage:
    """A process whose memory is a number, and the plugins of a kernel."""

    def __init__(self) -> None:
        self.held = 100 * MIB
        self.now = 1000.0
        self.done: list[str] = []
        self.told: list[MemoryPressure] = []
        self.frees = {"plugins": 10, "young": 1, "all": 5, "trim": 20}
        """MiB."""
        self.trims = True
        self.relief = Relief(
            self._relieve, lambda: self.held, LOG, collect=self._collect, trim=self._trim, free=lambda: 3 * MIB,
            clock=lambda: self.now,
        )  # fmt: skip

    def _do(self, what: str) -> None:
        self.done.append(what)
        self.held -= self.frees[what] * MIB

    async def _relieve(self, pressure: MemoryPressure) -> Freed:
        self.told.append(pressure)
        self._do("plugins")
        return Freed(12 * MIB, "cache, 2 idle connections")

    def _collect(self, generation: int) -> int:
        self._do({1: "young", 2: "all"}[generation])
        return 1234

    async def _trim(self) -> bool:
        if self.trims:
            self._do("trim")
        return self.trims


async def test_nothing_is_freed_when_it_gets_better() -> None:
    stage = Stage()
    await stage.relief.relieve(Level.CRITICAL)
    assert await stage.relief.relieve(Level.HIGH) == []
    assert stage.told == [MemoryPressure(Level.CRITICAL)]
    assert await stage.relief.relieve(Level.HIGH) != [], "it is asked for again, as it stays so"


async def test_the_steps_and_what_each_has_regained(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage = Stage()
    steps = await stage.relief.relieve(Level.HIGH, 7 * MIB)
    assert stage.done == ["plugins", "all", "trim"]
    assert stage.told == [MemoryPressure(Level.HIGH, 7 * MIB)]
    assert [step.bytes for step in steps] == [10 * MIB, 5 * MIB, 20 * MIB]
    assert stage.relief.stats() == {"reliefs": 1, "regained": 35 * MIB}
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(
        "memory is short (high, 7.0 MiB too much): 35.0 MiB of 100 MiB regained: 10.0 MiB by plugins (cache, 2 idle "
        "connections: 12.0 MiB as they say), 5.0 MiB by garbage collector (1,234 objects in "
    )
    assert record.getMessage().endswith("ms), 20.0 MiB by malloc_trim; malloc has 3.0 MiB free")


async def test_what_stops_the_process_runs_once_a_minute_unless_it_is_critical() -> None:
    stage = Stage()
    await stage.relief.relieve(Level.HIGH)
    stage.done.clear()
    stage.now += 59
    await stage.relief.relieve(Level.HIGH)
    assert stage.done == ["plugins", "young"]
    await stage.relief.relieve(Level.CRITICAL)
    assert stage.done[2:] == ["plugins", "all", "trim"]
    await stage.relief.relieve(Level.HIGH)  # it is better, and nothing is done
    stage.now += 59
    await stage.relief.relieve(Level.HIGH)
    assert stage.done[5:] == ["plugins", "young"]
    stage.now += 1
    await stage.relief.relieve(Level.HIGH)
    assert stage.done[7:] == ["plugins", "all", "trim"]


async def test_what_is_only_elevated_does_not_stop_for_the_whole_heap() -> None:
    stage = Stage()
    await stage.relief.relieve(Level.ELEVATED)
    assert stage.done == ["plugins", "young", "trim"]


async def test_a_normal_level_is_told_and_frees_nothing() -> None:
    stage = Stage()
    assert await stage.relief.relieve(Level.NORMAL) == []
    assert stage.done == ["plugins"]
    assert stage.told == [MemoryPressure(Level.NORMAL)]
    assert stage.relief.stats()["reliefs"] == 0


async def test_memory_that_grows_meanwhile_is_not_said_to_be_regained() -> None:
    stage = Stage()
    stage.frees = {"plugins": -30, "all": 1, "trim": 2}
    steps = await stage.relief.relieve(Level.CRITICAL)
    assert [step.bytes for step in steps] == [0, MIB, 2 * MIB]
    assert stage.relief.stats()["regained"] == 0


async def test_where_there_is_nothing_to_trim_no_such_step_is_told() -> None:
    stage = Stage()
    stage.trims = False
    assert len(await stage.relief.relieve(Level.HIGH)) == 2


# -- malloc_trim --------------------------------------------------------------------------------------

needs_glibc = pytest.mark.skipif(malloc_trim() is None, reason="this libc has no malloc_trim")


@needs_glibc
async def test_trimming_gives_back_what_the_allocator_kept() -> None:
    """Blocks below the size for which it asks the system each time, with a last one above them that stays."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
    blocks = [libc.malloc(60_000) for _ in range(2000)]
    for block in blocks:
        ctypes.memset(block, 1, 60_000)
    last = blocks.pop()
    for block in blocks:
        libc.free(block)
    before = rss()
    assert await trim.trim()
    assert before - rss() > 100 * MIB
    libc.free(last)


async def test_another_libc_has_nothing_to_trim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trim, "malloc_trim", lambda: None)
    assert not await trim.trim()


async def test_without_room_for_a_thread_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []

    async def run_sync(call: Callable[..., Any], *args: Any) -> Awaitable[Any]:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
    monkeypatch.setattr(trim, "malloc_trim", lambda: called.append)
    assert await trim.trim()
    assert called == [0]


def rss() -> int:
    return int(psutil.Process().memory_info().rss)
