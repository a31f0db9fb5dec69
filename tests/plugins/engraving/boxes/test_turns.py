"""Whose turn it is to be drawn, and where."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil
import pytest

from galvo_engraving.boxes import turns
from galvo_engraving.boxes.panel import POINTS, Sketch, TooFine
from galvo_engraving.boxes.sheet import preview_svg
from galvo_engraving.boxes.turns import SMALL, Busy, drawn
from galvo_engraving.problems import Unfit
from galvo_memory.processes.idle import WORKERS

pytestmark = pytest.mark.anyio
BOX: dict[str, Any] = {"width": 120.0, "depth": 80.0, "height": 60.0, "thickness": 3.0, "finger": 10.0}


@pytest.fixture(autouse=True)
def no_children_left() -> Iterator[None]:
    yield
    WORKERS.close()


def spending(count: int, *, points: int) -> tuple[int, int]:
    """Where it was drawn."""
    Sketch(points).spend(count, "width")
    return os.getpid(), threading.get_ident()


async def test_small_ones_are_drawn_here_and_large_ones_elsewhere() -> None:
    process, thread = await drawn(spending, SMALL)
    assert process == os.getpid()
    assert thread != threading.get_ident()
    other, _ = await drawn(spending, SMALL + 1)
    assert other != os.getpid()
    children = {child.pid for child in psutil.Process().children()}  # other tests have some, too
    assert other in children
    assert (await drawn(spending, POINTS))[0] in children  # their start is paid for once
    with pytest.raises(TooFine, match=f"width: .* more than {POINTS} points"):
        await drawn(spending, POINTS + 1)


@pytest.mark.parametrize("finger", [10.0, 0.4], ids=["small", "large"])
async def test_it_is_the_same_wherever_it_is_drawn(finger: float) -> None:
    values = BOX | {"finger": finger, "kerf": 0.1, "dogbone": True}
    assert await drawn(preview_svg, "finger-joint-box", values, title="Box") == preview_svg(
        "finger-joint-box", values, title="Box"
    )


async def test_what_does_not_fit_is_told_from_elsewhere_too() -> None:
    with pytest.raises(Unfit, match=r"^kerf: 2 mm burn away the finest detail"):
        await drawn(preview_svg, "finger-joint-box", BOX | {"finger": 0.4, "kerf": 2.0}, title="")


async def test_who_comes_when_many_wait_already_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LARGE_ONES", 2)
    may_end = asyncio.Event()

    async def held(*args: Any, **options: Any) -> str:
        await may_end.wait()
        return "drawn"

    monkeypatch.setattr(turns, "run_limited", held)
    waiting = [asyncio.create_task(drawn(spending, POINTS)) for _ in range(3)]
    while not (found := turns._beside.get(None)) or found.statistics().tasks_waiting < 2:  # noqa: ASYNC110  # no event says so
        await asyncio.sleep(0)
    with pytest.raises(Busy) as told:
        await drawn(spending, POINTS)
    assert (told.value.status, told.value.headers) == (503, {"retry-after": "2"})
    assert (await drawn(spending, 1))[0] == os.getpid()  # small ones have their own queue
    waiting[1].cancel()  # whoever leaves gives his place away
    with suppress(asyncio.CancelledError):
        await waiting[1]
    waiting[1] = asyncio.create_task(drawn(spending, POINTS))
    may_end.set()
    assert await asyncio.gather(*waiting) == ["drawn"] * 3
