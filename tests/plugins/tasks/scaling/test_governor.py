from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from galvo import Metric, Plugin, hookimpl
from galvo_tasks.scaling.governor import Governor

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
