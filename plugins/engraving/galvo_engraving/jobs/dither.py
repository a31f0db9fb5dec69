"""From shades of grey to dots, band by band."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageChops

from galvo_engraving.jobs.wanted import Dither
from galvo_memory.images import Raster
from galvo_tasks.jobs import progress

BAND = 64
"""Lines that are made at once, between two tellings of progress."""
LEAD = 16
"""Lines before a band that are dithered with it and thrown away, so that no seam shows."""
SIDE = 8
"""Of the matrix for ordered dither; a band is a multiple of it."""


def dithered(grey: Raster, dither: Dither = "floyd-steinberg", gamma: float = 1.0) -> dict[str, Any]:
    """width, height (dots), burned (of them), and png: one bit a dot, black is burned. Raises Cancelled."""
    whole = Image.frombytes("L", (grey.width, grey.height), grey.pixels)
    shades = None if gamma == 1.0 else [round(255 * (value / 255) ** (1 / gamma)) for value in range(256)]
    band_of = _ordered(grey.width) if dither == "ordered" else _floyd_steinberg
    dots = Image.new("1", whole.size)
    burned = 0
    for top in range(0, grey.height, BAND):
        progress(top, grey.height, "lines")
        bottom, lead = min(top + BAND, grey.height), min(LEAD, top)
        band = whole.crop((0, top - lead, grey.width, bottom))
        band = band_of(band if shades is None else band.point(shades), lead)
        burned += band.histogram()[0]
        dots.paste(band, (0, top))
    progress(grey.height, grey.height, "lines")
    file = io.BytesIO()
    dots.save(file, "PNG")
    return {"width": grey.width, "height": grey.height, "burned": burned, "png": file.getvalue()}


def _floyd_steinberg(band: Image.Image, lead: int) -> Image.Image:
    """Floyd and Steinberg, An Adaptive Algorithm for Spatial Grey Scale, 1976."""
    return band.convert("1").crop((0, lead, band.width, band.height))


def _ordered(width: int) -> Callable[[Image.Image, int], Image.Image]:
    """Bayer, An Optimum Method for Two-Level Rendition of Continuous-Tone Pictures, 1973."""
    steps = bytes(_threshold(index) for row in bayer(SIDE) for index in row)
    tile = Image.frombytes("L", (SIDE, SIDE), steps)
    thresholds = Image.new("L", (width, BAND))
    for top in range(0, BAND, SIDE):
        for left in range(0, width, SIDE):
            thresholds.paste(tile, (left, top))

    def dots(band: Image.Image, lead: int) -> Image.Image:
        own = band.crop((0, lead, band.width, band.height))
        above = ImageChops.subtract(own, thresholds.crop((0, 0, own.width, own.height)))
        return above.point([0] + [255] * 255).convert("1", dither=Image.Dither.NONE)

    return dots


def bayer(side: int) -> list[list[int]]:
    """The matrix of a power of two: each number below `side` squared once."""
    if side == 1:
        return [[0]]
    half = bayer(side // 2)
    return [
        [4 * half[row % len(half)][column % len(half)] + ((0, 2), (3, 1))[row // len(half)][column // len(half)]
         for column in range(side)]
        for row in range(side)
    ]  # fmt: skip


def _threshold(index: int) -> int:
    """The lightest shade that is burned there: white nowhere, black everywhere."""
    return int((index + 0.5) * 255 / SIDE**2)
