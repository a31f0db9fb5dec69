"""In a child process: the same pictures, and what goes wrong there goes wrong there only."""

from __future__ import annotations

import os
import time

import pytest

from galvo_memory import budgets
from galvo_memory.images import CorruptImage, ImageBomb, ImageNeedsTooMuch, ImageProblem, isolated, raster, thumbnail
from tests.plugins.memory.images.pictures import PICTURES, made

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "png alpha", "webp", "tiff", "gif"])
async def test_the_same_picture(name: str) -> None:
    assert name in PICTURES
    assert await thumbnail(made(name), width=40, isolated=True) == await thumbnail(made(name), width=40)


async def test_the_same_raster() -> None:
    wanted = await raster(made("jpeg"), width_mm=4, dots_per_mm=10)
    assert await raster(made("jpeg"), width_mm=4, dots_per_mm=10, isolated=True) == wanted


async def test_problems_come_back_as_they_are() -> None:
    with pytest.raises(ImageProblem) as here:
        await thumbnail(made("tiff")[:-100], width=40, name="cut")
    with pytest.raises(type(here.value), match=r"cut: ") as there:
        await thumbnail(made("tiff")[:-100], width=40, name="cut", isolated=True)
    assert there.value.name == "cut"


async def test_more_than_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets.process, "total", 1 << 20)
    with pytest.raises(ImageNeedsTooMuch, match="photo: "):
        await thumbnail(made("png"), width=10, name="photo", isolated=True)


async def test_crashes_hangs_and_greed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CorruptImage, match="logo: its decoder crashed"):
        await isolated.in_process(os.abort, "logo", 1 << 20)
    with pytest.raises(ImageBomb, match=r"logo: it needed more than the 1.0 MiB"):
        await isolated.in_process(_greedy, "logo", 1 << 20)
    monkeypatch.setattr(isolated, "SECONDS", 0.2)
    with pytest.raises(ImageBomb, match=r"logo: it was not decoded within 0.2 s"):
        await isolated.in_process(_hanging, "logo", 1 << 20)


def _greedy() -> int:
    return len(bytearray(1 << 30))


def _hanging() -> None:
    time.sleep(60)
