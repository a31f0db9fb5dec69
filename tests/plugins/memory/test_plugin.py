"""The plugin in a kernel: real memory crosses its thresholds, and everybody hears of it."""

from __future__ import annotations

import gc
import logging
import os
import pickle
import re
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from galvo import Kernel, Level, PluginError
from galvo_memory import MemoryPlugin, budgets, plugin
from galvo_memory.asking.asking import NoAnswer, ask
from galvo_memory.errors import Unreadable
from galvo_memory.processes import idle
from galvo_memory.processes.worker import Worker
from galvo_memory.verdict import Finding, Verdict, WindowRefused
from galvo_memory.watching import leaks
from tests.plugins.memory.signals.trees import MIB, Tree
from tests.plugins.memory.stand import QUICK, Hoard, on, rss, staged

pytestmark = pytest.mark.anyio
NORMAL, ELEVATED, HIGH, CRITICAL = Level


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def nothing_left() -> Iterator[None]:
    """No file, no change of the garbage collector, no smaller budget."""

    def state() -> tuple[int, tuple[int, int, int], int, int]:
        return len(os.listdir("/proc/self/fd")), gc.get_threshold(), gc.get_freeze_count(), len(gc.callbacks)

    gc.collect()
    before = state()
    yield
    gc.collect()
    assert state() == before


async def test_real_memory_crosses_the_thresholds(tmp_path: Path) -> None:
    """Up level by level as it is allocated, and down again once it is freed."""
    async with staged(tmp_path, again=0.2) as stage:
        hoard, memory = stage.hoard, stage.memory
        limit = memory.stats()["limit"]
        whole = budgets.process.total
        assert whole == limit // 2
        for share, level in ((0.8, ELEVATED), (0.9, HIGH), (0.99, CRITICAL)):
            hoard.fill(share * limit)
            await hoard.until(lambda level=level: level in hoard.heard)
        assert hoard.heard[:1] == [ELEVATED]
        assert hoard.heard == sorted(hoard.heard), "up only"
        assert max(hoard.over) > 0
        await hoard.until(lambda: hoard.metrics.get("galvo.memory.level") == CRITICAL)
        assert budgets.process.allowed == whole // 4
        hoard.keeps = False
        hoard.kept.clear()
        await hoard.until(lambda: NORMAL in hoard.heard)
        assert budgets.process.allowed == budgets.process.total == whole
        assert hoard.metrics["process.memory.usage"] < limit
        assert hoard.metrics["galvo.memory.limit"] == limit
        assert memory.stats()["faults"] == 0


async def test_what_grows_fast_is_seen_between_two_looks(tmp_path: Path) -> None:
    async with staged(tmp_path, interval=1000) as stage:
        hoard, limit = stage.hoard, int(stage.memory.stats()["limit"])
        while not stage.memory.stats()["rss"]:  # noqa: ASYNC110  # the first look may be before the hoard hears
            await anyio.sleep(0.01)
        looks = hoard.looks
        for share, level in ((0.8, ELEVATED), (0.99, CRITICAL)):
            hoard.take(int(share * limit - rss()) // MIB + 1)
            await hoard.until(lambda level=level: level in hoard.heard)
        assert hoard.looks == looks


async def test_processes_that_are_idle_for_long_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a next call of `run_limited`."""
    worker = Worker()
    await anyio.to_thread.run_sync(worker.ask, 64 << 20, pickle.dumps((abs, (-1,))))
    idle.WORKERS.give(worker)
    monkeypatch.setattr(idle, "LONGEST", 0.0)
    async with staged(tmp_path):
        with anyio.fail_after(10):
            await anyio.to_thread.run_sync(worker.ended.wait, abandon_on_cancel=True)
    assert idle.WORKERS.held().items == 0


async def test_what_is_freed_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.hoard.keeps = False
        limit = int(stage.memory.stats()["limit"])
        stage.hoard.take((limit - rss()) // MIB)
        await stage.hoard.until(lambda: stage.hoard.metrics.get("galvo.memory.freed", 0) > 0)
        state = stage.memory.state()
        assert state.relieved[-1].level == "critical"
        assert "hoard" in state.relieved[-1].what
        assert stage.hoard.metrics["galvo.memory.freed"] == state.relieved[-1].bytes


async def test_it_is_asked_again_while_memory_stays_short(tmp_path: Path) -> None:
    async with staged(tmp_path, again=0.02) as stage:
        stage.tree.waiting(11)
        await stage.hoard.until(lambda: stage.hoard.heard.count(HIGH) >= 3)
        assert ELEVATED not in stage.hoard.heard
        stage.tree.waiting(0)
        await stage.hoard.until(lambda: NORMAL in stage.hoard.heard)


async def test_budgets_grow_with_a_level_that_falls(tmp_path: Path) -> None:
    """Nobody is asked to free more, but what is admitted is what the new level allows."""
    async with staged(tmp_path, again=1000) as stage:
        stage.tree.waiting(30)
        await stage.hoard.until(lambda: CRITICAL in stage.hoard.heard)
        stage.tree.waiting(4)
        await stage.hoard.until(lambda: stage.memory.state().level == "elevated")
        assert budgets.process.allowed == budgets.process.total
        assert stage.hoard.heard == [CRITICAL]


async def test_it_is_not_asked_again_when_only_the_dwell_is_left(tmp_path: Path) -> None:
    async with staged(tmp_path, again=0.001, dwell=1000) as stage:
        stage.tree.waiting(11)
        await stage.hoard.until(lambda: len(stage.hoard.heard) > 3)
        stage.tree.waiting(0)
        looks = stage.hoard.looks
        await stage.hoard.until(lambda: stage.hoard.looks > looks + 5)
        heard = len(stage.hoard.heard)
        await stage.hoard.until(lambda: stage.hoard.looks > looks + 25)
        assert len(stage.hoard.heard) == heard
        assert stage.memory.state().level == "high"


async def test_it_is_not_asked_again_at_once(tmp_path: Path) -> None:
    async with staged(tmp_path, again=1000) as stage:
        stage.tree.waiting(11)
        await stage.hoard.until(lambda: stage.hoard.heard)
        looks = stage.hoard.looks
        await stage.hoard.until(lambda: stage.hoard.looks > looks + 20)
        assert stage.hoard.heard == [HIGH]


async def test_who_frees_slowly_keeps_nobody_from_watching(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        hoard = stage.hoard
        hoard.pause = anyio.Event()
        stage.tree.waiting(6)
        await hoard.until(lambda: hoard.heard == [ELEVATED])
        looks = hoard.looks
        stage.tree.waiting(11)
        await hoard.until(lambda: hoard.metrics["galvo.memory.level"] == HIGH)
        stage.tree.waiting(30)
        await hoard.until(lambda: hoard.metrics["galvo.memory.level"] == CRITICAL)
        await hoard.until(lambda: hoard.looks > looks + 10)
        assert hoard.heard == [ELEVATED], "one at a time"
        hoard.pause.set()
        await hoard.until(lambda: len(hoard.heard) == 2)
        assert hoard.heard == [ELEVATED, CRITICAL], "the last that was wanted"


async def test_it_survives_its_own_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with staged(tmp_path) as stage:
        hoard, watcher = stage.hoard, stage.memory._watcher
        real = watcher.levels.step, watcher.leaks.add, watcher._sampler.sample

        def broken(*_: object) -> None:
            raise ZeroDivisionError("mine")

        watcher.levels.step = broken  # type: ignore[assignment, method-assign]
        watcher.leaks.add = broken  # type: ignore[assignment, method-assign]
        before = hoard.looks
        await hoard.until(lambda: hoard.looks > before + 5)

        def unreadable() -> None:
            raise Unreadable("/proc/self/statm", "gone")

        for kind in (unreadable, broken):
            watcher._sampler.sample = kind  # type: ignore[assignment, method-assign]
            before = hoard.looks
            with anyio.move_on_after(0.1):
                await hoard.until(lambda before=before: hoard.looks > before + 1)
        watcher.levels.step, watcher.leaks.add, watcher._sampler.sample = real  # type: ignore[method-assign]
        relief = stage.memory._relieving._relief
        hoard.fault = RuntimeError("its own")
        stage.tree.waiting(11)
        await hoard.until(lambda: HIGH in hoard.heard)
        faults = stage.memory.stats()["faults"]
        monkeypatch.setattr(relief, "relieve", broken)
        stage.tree.waiting(30)
        await hoard.until(lambda: stage.memory.stats()["faults"] > faults)
        monkeypatch.undo()
        stage.tree.waiting(0)
        await hoard.until(lambda: NORMAL in hoard.heard)
        assert stage.memory.stats()["faults"] >= 10
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    once = [
        "the level failed, and the rest goes on: ZeroDivisionError: mine",
        "the verdict failed, and the rest goes on: ZeroDivisionError: mine",
        "/proc/self/statm cannot be read (gone): memory is not watched meanwhile",
        "reading memory failed, and the rest goes on: ZeroDivisionError: mine",
    ]
    assert [said.count(sentence) for sentence in once] == [1, 1, 1, 1], said


async def test_it_answers_only_when_it_is_told_to(tmp_path: Path) -> None:
    async with staged(tmp_path, answer=False):
        with pytest.raises(NoAnswer, match="`answer = false` under"):
            await anyio.to_thread.run_sync(ask, os.getpid())


async def test_a_fault_in_answering_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("mine")

    async with staged(tmp_path, answer=True) as stage:
        with monkeypatch.context() as patch:
            patch.setattr(plugin, "state_of", broken)
            with pytest.raises(NoAnswer, match="gave no answer"):
                await anyio.to_thread.run_sync(ask, os.getpid())
        assert stage.memory.stats()["faults"] == 1
        state = await anyio.to_thread.run_sync(ask, os.getpid())
        assert (state.pid, state.level) == (os.getpid(), "normal")
        assert stage.kernel.plugins()[0]["state"] == "active"


async def test_a_missing_file_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with staged(tmp_path) as stage:
        stage.tree.paths.pressure.unlink()
        looks = stage.hoard.looks
        await stage.hoard.until(lambda: stage.hoard.looks > looks + 5)
        assert stage.memory.state().problems == [
            f"{stage.tree.paths.pressure} cannot be read (No such file or directory): nobody sees who waits for memory"
        ]
    assert [str(stage.tree.paths.pressure) in record.getMessage() for record in caplog.records].count(True) == 1


class Leaking:
    """A detector that finds a leak at once."""

    def __init__(self) -> None:
        self.verdicts = [Verdict(kind, 36e6, 0.99, "evidence") for kind in ("none", "python", "none", "python")]

    def add(self, sample: object) -> bool:
        if len(self.verdicts) > 1:
            del self.verdicts[0]
            return True
        return False

    def verdict(self) -> Verdict:
        return self.verdicts[0]


async def test_a_leak_is_told_and_traced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    traced: list[object] = []

    def investigate(*args: object) -> Finding:
        traced.append(args)
        return Finding([], [], [], [], ["shop.py:7 keeps it"])

    monkeypatch.setattr(leaks, "investigate", investigate)
    async with staged(tmp_path, trace=3.0) as stage:
        watch = stage.memory._watcher.leaks
        watch._detector = Leaking()  # type: ignore[assignment]
        await stage.hoard.until(lambda: watch.found)
        assert stage.hoard.metrics["galvo.memory.leak"] == 36e6
        looks = stage.hoard.looks
        await stage.hoard.until(lambda: stage.hoard.looks > looks + 5)
        state = stage.memory.state()
        assert (state.leak.kind, state.found) == ("python", ["shop.py:7 keeps it"])
        assert stage.memory.stats()["leak"] == 1
    assert len(traced) == 1
    said = [record.getMessage() for record in caplog.records if "memory gr" in record.getMessage()]
    assert said == ["memory grows by 34.3 MiB an hour (python): evidence", "while memory grew: shop.py:7 keeps it"]


async def test_a_trace_that_is_refused_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: object) -> Finding:
        raise WindowRefused("tracemalloc traces already")

    monkeypatch.setattr(leaks, "investigate", refuse)
    async with staged(tmp_path, trace=3.0) as stage:
        stage.memory._watcher.leaks._detector = Leaking()  # type: ignore[assignment]
        await stage.hoard.until(lambda: stage.memory.stats()["faults"])
        looks = stage.hoard.looks
        await stage.hoard.until(lambda: stage.hoard.looks > looks + 2)
    assert any("tracemalloc traces already" in record.getMessage() for record in caplog.records)


async def test_a_limit_below_current_use(tmp_path: Path) -> None:
    """Named with both numbers; the application starts without the plugin."""
    async with Kernel.of({on(Tree(tmp_path)): {"limit": "5MiB"}, Hoard: {}}) as kernel:
        [memory, _] = kernel.plugins()
        assert memory["state"] == "failed"
        found = re.fullmatch(
            r"limit = 5.0 MiB under \[memory\] is less than the [\d.]+ MiB that this process has already: "
            "raise it well above that", memory["reason"],
        )  # fmt: skip
        assert found, memory["reason"]


@pytest.mark.parametrize("limit, whose", [("", "machine"), ("40GiB", r"\[memory\] limit")])
async def test_a_budget_larger_than_the_machine(tmp_path: Path, limit: str, whose: str) -> None:
    tree, before = Tree(tmp_path), budgets.process.total
    memory = on(tree)
    tree.write("meminfo", f"MemTotal: {48 << 20} kB\nMemAvailable: {40 << 20} kB\n")
    settings = {"budget": "100GiB"} if not limit else {"budget": "40GiB", "limit": limit}
    if limit:
        tree.write("meminfo", f"MemTotal: {30 << 20} kB\nMemAvailable: {20 << 20} kB\n")
    with pytest.raises(PluginError, match=r"budget = .* GiB under \[memory\] is more than the .* GiB .*\(machine\)"):
        async with Kernel.of({memory: {**settings, "required": True}}):
            pass
    assert budgets.process.total == before


async def test_nothing_is_left(tmp_path: Path) -> None:
    limit = 2 * rss()  # the budget is made of it
    async with staged(tmp_path, limit=limit):
        pass  # what the first one imports
    before = budgets.process.total
    with nothing_left():
        async with staged(tmp_path / "again", limit=limit, answer=True) as stage:
            stage.tree.waiting(30)
            await stage.hoard.until(lambda: CRITICAL in stage.hoard.heard)
            await stage.kernel.disable("memory")
            assert stage.kernel.plugins()[0]["state"] == "stopped"
            await stage.kernel.enable("memory")
            await stage.hoard.until(lambda: stage.hoard.heard.count(CRITICAL) == 2)
    assert budgets.process.total >= before


async def test_a_reload_goes_on_where_it_was(tmp_path: Path) -> None:
    """Its history, its level, and how the garbage collector runs."""
    async with staged(tmp_path) as stage:
        old, kernel = stage.memory, stage.kernel
        stage.tree.waiting(11)
        await stage.hoard.until(lambda: HIGH in stage.hoard.heard)
        settings = {**QUICK, "limit": 3 * rss(), "again": 1000.0}
        plan = Kernel.of({type(old): settings, Hoard: {}})
        blueprints = [unit.blueprint for unit in plan.supervisor.units.values()]
        assert await kernel.supervisor.reload(blueprints) == ["memory"]
        new = stage.memory
        assert new is not old
        assert new._watcher.history is old._watcher.history
        assert new._watcher.collector is old._watcher.collector
        assert new._watcher.collector.state != "off"
        assert new.state().level == "high"
        assert budgets.process.allowed == int(new.stats()["limit"]) // 4, "half, as memory is still short"
        heard, looks = len(stage.hoard.heard), stage.hoard.looks
        await stage.hoard.until(lambda: stage.hoard.looks > looks + 5)
        assert len(stage.hoard.heard) <= heard + 1
        replaced = weakref.ref(old)
        del old
        gc.unfreeze()
        gc.collect()
        assert replaced() is None


async def test_a_reload_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        old, total = stage.memory, budgets.process.total
        plan = Kernel.of({type(old): {**QUICK, "limit": "1MiB"}, Hoard: {}})
        with pytest.raises(PluginError, match="raise it well above"):
            await stage.kernel.supervisor.reload([unit.blueprint for unit in plan.supervisor.units.values()])
        assert stage.memory is old
        assert budgets.process.total == total
        assert old._watcher.collector.state != "off"
        looks = stage.hoard.looks
        await stage.hoard.until(lambda: stage.hoard.looks > looks + 2)


async def test_the_defaults_start_anywhere() -> None:
    """This machine as it is."""
    async with Kernel.of({MemoryPlugin: {}}) as kernel:
        assert kernel.plugins()[0]["state"] == "active"
        state = kernel.find_capability("memory").state()
        assert (state.pid, state.rss > MIB, len(state.bounds) > 0) == (os.getpid(), True, True)
