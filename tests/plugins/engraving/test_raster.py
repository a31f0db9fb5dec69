from __future__ import annotations

import io
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from galvo import Kernel
from galvo_engraving.demo.scenes import picture as demo_picture
from galvo_engraving.jobs.dither import BAND, bayer
from galvo_engraving.jobs.raster import BadPicture, raster, rastered
from galvo_engraving.jobs.wanted import Wanted
from galvo_memory.images import ImageProblem
from galvo_tasks.jobs import Cancelled
from galvo_tasks.jobs.running import RUNNING, Run

pytestmark = pytest.mark.anyio


def picture(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def burned(image: Image.Image, width_mm: float, **more: Any) -> dict[str, Any]:
    async with Kernel.of({}) as kernel:
        return await rastered(kernel, picture(image), Wanted(width_mm, **more))


DITHERS = pytest.mark.parametrize("dither", ["floyd-steinberg", "ordered"])


@DITHERS
@pytest.mark.parametrize("grey, share", [(255, 0.0), (254, 0.0), (0, 1.0), (1, 1.0), (128, 0.5), (64, 0.75)])
async def test_as_many_dots_are_burned_as_the_picture_is_dark(grey: int, share: float, dither: str) -> None:
    made = await burned(Image.new("L", (30, 40), grey), 15.0, dither=dither)
    assert (made["width"], made["height"]) == (150, 200)
    assert made["burned"] / (150 * 200) == pytest.approx(share, abs=0.01)
    dots = Image.open(io.BytesIO(made["png"]))
    assert (dots.mode, dots.size) == ("1", (150, 200))
    assert dots.histogram()[0] == made["burned"]


@DITHERS
@pytest.mark.parametrize("height", [1, BAND - 1, BAND, BAND + 1, 3 * BAND + 5])
async def test_no_line_is_lost_between_bands(height: int, dither: str) -> None:
    image = Image.linear_gradient("L").resize((90, height))
    made = await burned(image, 9.0, height_mm=height / 10, dither=dither)
    dots = Image.open(io.BytesIO(made["png"]))
    assert dots.size == (90, height)
    for line in range(0, height - 8, 8):  # what is seen from afar
        there, here = (
            one.convert("L").crop((0, line, 90, line + 8)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
            for one in (image, dots)
        )
        assert here == pytest.approx(there, abs=12)


@pytest.mark.parametrize("grey", [235, 247, 250])
async def test_no_seam_shows_between_bands(grey: int) -> None:
    """Where the error that is handed on begins anew, a light shade has no dots for some lines."""
    made = await burned(Image.new("L", (400, 4 * BAND), grey), 40.0, height_mm=4 * BAND / 10)
    dots = Image.open(io.BytesIO(made["png"]))
    usual = made["burned"] / (4 * BAND / 8)
    for line in range(BAND, 4 * BAND, BAND):
        assert dots.crop((0, line, 400, line + 8)).histogram()[0] == pytest.approx(usual, rel=0.2)


@DITHERS
@pytest.mark.parametrize("gamma, share", [(0.5, 1 - (128 / 255) ** 2), (1.0, 0.5), (2.0, 1 - (128 / 255) ** 0.5)])
async def test_gamma_makes_the_shades_between_lighter_or_darker(gamma: float, share: float, dither: str) -> None:
    made = await burned(Image.new("L", (30, 40), 128), 15.0, gamma=gamma, dither=dither)
    assert made["burned"] / (150 * 200) == pytest.approx(share, abs=0.012)
    for grey, dots in ((0, 150 * 200), (255, 0)):
        made = await burned(Image.new("L", (30, 40), grey), 15.0, gamma=gamma, dither=dither)
        assert made["burned"] == dots


@pytest.mark.parametrize("side", [1, 2, 4, 8])
def test_each_number_is_in_the_matrix_once_and_neighbours_are_far_apart(side: int) -> None:
    matrix = bayer(side)
    assert sorted(number for row in matrix for number in row) == [*range(side * side)]
    for row in matrix:
        assert all(abs(one - other) >= side * side / 4 for one, other in pairwise(row))


async def test_ordered_dots_come_in_a_pattern_of_eight() -> None:
    made = await burned(Image.new("L", (30, 40), 100), 15.0, dither="ordered")
    dots = Image.open(io.BytesIO(made["png"]))
    shifted = ImageChops.offset(dots, 8, 8).crop((8, 8, 150, 200))
    assert shifted.tobytes() == dots.crop((8, 8, 150, 200)).tobytes()


def test_what_is_wanted_is_the_same_when_the_database_has_kept_it() -> None:
    for hundredths in range(10, 500_000, 997):
        wanted = Wanted(hundredths / 100, None, 10.16, 2.2)
        real = {"width_mm": as_real(wanted.width_mm), "height_mm": None, "dots_per_mm": as_real(10.16)}
        assert Wanted.of({**real, "gamma": as_real(2.2), "dither": wanted.dither}) == wanted


def as_real(value: float) -> float:
    """As a column of type real gives it."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


async def test_the_same_picture_has_the_same_key_and_another_has_not() -> None:
    one, again, other = [await burned(Image.new("L", (9, 9), grey), 5.0) for grey in (7, 7, 8)]
    assert one == again
    assert one["key"] != other["key"]
    assert (await burned(Image.new("L", (9, 9), 7), 6.0))["key"] != one["key"]


def test_no_demo_finds_what_another_has_left_in_the_cache(tmp_path: Path) -> None:
    """Pillow's noise begins alike in each process."""
    comments = set()
    for name in ("a.jpg", "b.jpg"):
        demo_picture(tmp_path / name)
        assert 10_000 < (tmp_path / name).stat().st_size < 5_000_000
        with Image.open(tmp_path / name) as image:
            comments.add(image.info.get("comment"))
    assert len(comments) == 2


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({}, "either path or contents"),
        ({"path": "x", "contents": "eA=="}, "either path or contents"),
        ({"path": "/nowhere/at all"}, "/nowhere/at all cannot be read: No such file or directory"),
        ({"contents": "no base64"}, "contents is not base64"),
    ],
)
async def test_a_bad_picture_is_one_sentence(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(BadPicture, match=words):
        await raster(**arguments, width_mm=10.0)


async def test_what_is_no_picture() -> None:
    async with Kernel.of({}) as kernel:
        with pytest.raises(ImageProblem, match=r"a\.txt: "):
            await rastered(kernel, b"no picture", Wanted(1.0), name="a.txt")


async def test_a_cancelled_one_ends_within_a_band(tmp_path: Path) -> None:
    told: list[float] = []

    def cancel(run: Run) -> None:
        told.append(run.fields()["done"])  # type: ignore[arg-type]
        run.told = run.cancelled = True

    token = RUNNING.set(Run("x", cancel))
    try:
        with pytest.raises(Cancelled):
            await burned(Image.new("L", (9, 90)), 9.0)
    finally:
        RUNNING.reset(token)
    assert told == [0.0]
