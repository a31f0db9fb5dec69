"""The window is short, alone, bounded and rare, and nothing traces after it."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from galvo_memory.verdict import WindowRefused
from galvo_memory.verdict import windows as module
from galvo_memory.verdict.windows import Windows

KEPT: list[list[int]] = []


@pytest.fixture(autouse=True)
def _nothing_traces_after() -> Iterator[None]:
    KEPT.clear()
    yield
    traces = tracemalloc.is_tracing()
    tracemalloc.stop()
    assert not traces


def during(monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], object]) -> None:
    """Instead of waiting: first before the first snapshot, then before the second."""
    left = iter(actions)
    monkeypatch.setattr(module, "_wait", lambda seconds: next(left)())


def grow() -> None:
    KEPT.extend([number] for number in range(1000))


def test_lines_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    during(monkeypatch, grow, grow)
    first = Windows().look()[0]
    assert (first.file, first.line) == (__file__, grow.__code__.co_firstlineno + 1)
    assert first.bytes >= 1000 * 64
    assert first.blocks >= 1000
    assert str(first).startswith(f"{__file__}:{first.line} keeps ")
    assert str(first).endswith(f", {first.blocks:,} blocks of {first.bytes / first.blocks:.0f} B")


def test_what_is_freed_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    during(monkeypatch, grow, KEPT.clear)
    assert all(line.file != __file__ for line in Windows().look())


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    windows, refused = Windows(), []

    def second() -> None:
        with pytest.raises(WindowRefused, match="is open already") as caught:
            windows.look()
        refused.append(caught.value)

    during(monkeypatch, second, second)
    windows.look()
    assert len(refused) == 2


def test_not_when_somebody_else_traces() -> None:
    tracemalloc.start(7)
    try:
        with pytest.raises(WindowRefused, match="traces already"):
            Windows().look(0.1)
        assert tracemalloc.get_traceback_limit() == 7
    finally:
        tracemalloc.stop()


def test_somebody_else_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    during(monkeypatch, tracemalloc.stop, grow)
    with pytest.raises(WindowRefused, match="stopped by somebody else"):
        Windows().look()


def test_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    during(monkeypatch, grow, grow, grow, grow)
    windows = Windows()
    windows.look()
    with pytest.raises(WindowRefused, match="may open in 600 s"):
        windows.look()
    monkeypatch.setattr(module, "monotonic", lambda: 1e12)
    windows.look()


@pytest.mark.parametrize("seconds", [0, -1, 61, float("nan"), float("inf")])
def test_as_long_as_is_sensible(seconds: float) -> None:
    with pytest.raises(WindowRefused, match="at most 60"):
        Windows().look(seconds)


def test_a_fault_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> None:
        raise KeyboardInterrupt

    windows = Windows(rest=0)
    during(monkeypatch, fault, grow, grow)
    with pytest.raises(KeyboardInterrupt):
        windows.look()
    assert not tracemalloc.is_tracing()
    windows.look()


def test_it_closes_early_when_it_holds_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else this waits for a minute."""
    monkeypatch.setattr(module, "HELD", 1 << 20)
    started = threading.Event()

    def leak() -> None:
        while not tracemalloc.is_tracing():
            started.wait(0.001)
        for _ in range(20):
            grow()

    leaking = threading.Thread(target=leak)
    leaking.start()
    Windows().look(60)
    leaking.join()
