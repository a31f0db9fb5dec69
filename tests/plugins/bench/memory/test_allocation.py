"""What is allocated and left is counted: what is planted is found, and real children tell of all that is compared."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from galvo import GalvoError
from galvo_bench.memory import allocation, answers, lives
from galvo_bench.reports.table import show
from galvo_bench.results.model import Missing, Values
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio
KIB = 1024


@pytest.fixture(autouse=True)
def untraced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Collections must not look at all that pytest has collected."""
    monkeypatch.setattr(lives, "collected", gc.collect)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    tracemalloc.stop()


async def test_an_operation_that_keeps_nothing() -> None:
    async def operation() -> bytes:
        bytearray(100 * KIB)
        return bytes(10 * KIB)

    told = await answers.allocated(operation, 200)
    assert 100 * KIB <= told["peak B"] < 102 * KIB
    assert 10 * KIB <= told["held B"] < 11 * KIB
    assert abs(told["left"]) < 1
    assert abs(told["left B"]) < KIB


async def test_an_operation_that_leaks() -> None:
    """Objects of Python's, and memory that malloc gave."""
    kept: list[Any] = []

    async def operation() -> None:
        kept.append((object(), bytes(10 * KIB)))

    told = await answers.allocated(operation, 200)
    assert 3 <= told["left"] < 4, "a tuple and what it holds"
    assert 10 * KIB <= told["left B"] < 11 * KIB


async def test_a_life_that_leaves_nothing() -> None:
    async def life(mark: lives.Mark) -> None:
        held = bytes(1 << 20)
        mark("full")
        del held
        mark("relieved")

    told = await lives.lived(life, 3)
    assert told["full"] - told["relieved"] == pytest.approx(1 << 20, abs=KIB)
    assert {name: told[name] for name in ("files", "threads", "tasks")} == {"files": 0, "threads": 0, "tasks": 0}


def test_what_is_frozen_is_collected_too() -> None:
    """As the memory plugin freezes it. In a process of its own: all that pytest has made would be thawed here."""
    child = """if True:
        import asyncio, gc
        from galvo_bench.memory import lives
        async def life(mark):
            knot = [bytes(1 << 20)]
            knot.append(knot)
            gc.freeze()
        print(asyncio.run(lives.lived(life, 3))["bytes"])
    """
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    assert float(done.stdout) < KIB


async def test_a_life_that_leaks() -> None:
    """A megabyte, a descriptor, a thread and a task each time."""
    kept: list[Any] = []
    end = threading.Event()

    async def life(mark: lives.Mark) -> None:
        kept.append([bytes(1 << 20)])
        kept.append(os.open(os.devnull, os.O_RDONLY))
        threading.Thread(target=end.wait).start()
        kept.append(asyncio.create_task(asyncio.Event().wait()))

    try:
        told = await lives.lived(life, 3)
    finally:
        end.set()
        for one in kept:
            if isinstance(one, int):
                os.close(one)
            elif isinstance(one, asyncio.Task):
                one.cancel()
    assert {name: told[name] for name in ("files", "threads", "tasks")} == {"files": 1, "threads": 1, "tasks": 1}
    assert told["bytes"] == pytest.approx(1 << 20, rel=0.02)
    assert told["objects"] >= 2


@pytest.mark.parametrize("way", answers.WAYS)
async def test_each_way_gives_an_answer(way: str, dsn: str, tmp_path: Any) -> None:
    await allocation.prepared(dsn)
    picture = tmp_path / "picture.png"
    await asyncio.to_thread(paint, picture)
    async with answers.WAYS[way](dsn, str(picture)) as operation:
        first = await operation()
        assert len(first) >= 20 if way not in ("record", "observe") else first is None
        await operation()


def paint(path: Any) -> None:
    from PIL import Image

    Image.new("RGB", (120, 80)).save(path)


async def test_sections(dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in {"TIMES": 20, "READS": 20, "COUNT": 1, "PICTURE": (120, 80)}.items():
        monkeypatch.setattr(allocation, name, value)
    monkeypatch.setattr(
        allocation, "ANSWERS", {"galvo fetch, L1 hit": ("hit", ""), "cashews mem:// get": ("cashews", "cashews")}
    )
    monkeypatch.setattr(allocation, "LIVES", {"galvo, a reload": ("reloaded", "")})
    monkeypatch.setitem(sys.modules, "cashews", None)
    one, course, left = await allocation.measure(Stand(dsn, rounds=1))
    assert one.rows[1] == Missing("cashews mem:// get", "not installed")
    row = one.rows[0]
    assert isinstance(row, Values)
    assert row.values["objects"] < 10, "a hit hands out what is kept"
    assert [[*row.values] for row in course.rows if isinstance(row, Values)] == [[*allocation.STAGES]]
    [row] = left.rows
    assert isinstance(row, Values)
    assert (row.values["files"], row.values["threads"], row.values["tasks"]) == (0, 0, 0)
    for section in (one, course, left):
        show(section)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


async def test_a_child_that_fails_says_why(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation, "ANSWERS", {"nobody's": ("nothing", "")})
    with pytest.raises(GalvoError, match="answers nothing ended with exit code 1: KeyError: 'nothing'"):
        await allocation.measure(Stand(dsn, rounds=1))
