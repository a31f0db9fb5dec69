from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from galvo import Kernel, Level, MemoryPressure, Metric, Plugin, hookimpl
from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.scaling.crew import Crew
from galvo_tasks.scaling.governor import Governor
from galvo_tasks.scaling.plugin import Scaling
from tests.plugins.cache.coherence.own_redis import OwnRedis

DONE = Metric("done")


class Listener(Plugin):
    name = "listener"
    heard: ClassVar[list[tuple[Metric, float]]] = []
    told: ClassVar[threading.Event] = threading.Event()

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        if metric is DONE:
            self.heard.append((metric, value))
            self.told.set()


@contextmanager
def governing(root: Path) -> Iterator[Governor]:
    Listener.heard.clear()
    Listener.told.clear()
    governor = Governor(root, Listener)
    governor.start()
    try:
        yield governor
    finally:
        governor.stop()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "settings").mkdir()
    off = "".join(f"[{name}]\non = false\n" for name in ("embedded", "monitor"))
    (tmp_path / "settings" / "galvo.toml").write_text(off)
    return tmp_path


def test_what_any_thread_records_is_told_in_the_kernel(root: Path) -> None:
    with governing(root) as governor:
        governor.record(DONE, 3)
        assert Listener.told.wait(10)
        assert governor.kernel is not None
        assert governor.kernel.find_capability("memory") is not None
        assert governor.kernel.find_capability("pool") is None
    assert Listener.heard == [(DONE, 3)]
    assert governor.kernel is None


def test_what_was_recorded_last_is_told_before_it_ends(root: Path) -> None:
    with governing(root) as governor:
        governor.record(DONE)
        assert Listener.told.wait(10)
        governor.record(DONE, 2)
    assert Listener.heard == [(DONE, 1), (DONE, 2)]


def test_pressure_in_the_kernel_moves_the_ceiling(root: Path, own_redis: OwnRedis) -> None:
    settings = TasksSettings.model_validate({"broker": own_redis.url})
    crew = Crew(celery_app("scaled", settings), ["quick"], 8)
    governor = Governor(root, Scaling, crew=crew)
    governor.start()
    try:
        crew.worker = SimpleNamespace(pool=SimpleNamespace(num_processes=8))
        crew.ceiling.plan = crew.wanted
        found = []
        for level in (Level.ELEVATED, Level.HIGH, Level.CRITICAL):
            governor.ask(partial(Kernel.relieve, pressure=MemoryPressure(level)), 30)
            found.append(crew.ceiling.now)
        assert found == [8, 4, 1]
    finally:
        governor.stop()
