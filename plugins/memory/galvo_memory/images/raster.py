"""What an engraving laser works on: brightness, dot by dot."""

from __future__ import annotations

from functools import partial

import msgspec
from PIL import Image

from galvo_memory.budgets import Admission
from galvo_memory.images.errors import ImageTooLarge
from galvo_memory.images.header import Header
from galvo_memory.images.limits import LIMITS, Limits
from galvo_memory.images.plan import Plan, route
from galvo_memory.images.source import Source
from galvo_memory.images.work import made


class Raster(msgspec.Struct, frozen=True):
    width: int
    height: int
    """Dots."""
    dots_per_mm: float
    pixels: bytes
    """A byte a dot, row by row from the top; 0 is black, and 255 is not burned."""


async def raster(
    source: Source,
    *,
    width_mm: float,
    height_mm: float | None = None,
    dots_per_mm: float,
    limits: Limits = LIMITS,
    admission: Admission | None = None,
    name: str = "",
    isolated: bool = False,
) -> Raster:
    """The image in grey, exactly `width_mm` x `height_mm`; without `height_mm`, as high as it gets.

    It is decoded as grey where the format allows, transparency becomes white, small images are enlarged.
    Raises ImageProblem, also for more dots than `limits.pixels`; OSError, ValueError, TypeError.
    """
    for what, value in (("width_mm", width_mm), ("height_mm", height_mm), ("dots_per_mm", dots_per_mm)):
        if value is not None and not 0 < value < 1e6:
            raise ValueError(f"{what} must be positive and below a million, not {value}")

    def plan(header: Header) -> Plan:
        across, down = header.upright
        width = max(1, round(width_mm * dots_per_mm))
        height = round(width * down / across) if height_mm is None else round(height_mm * dots_per_mm)
        if width * height > limits.pixels:
            raise ImageTooLarge(f"the raster of {header.name}", width, height, limits.pixels)
        return Plan(width, max(1, height), route(header), grey=True)

    return await made(source, plan, partial(_raster, dots_per_mm=dots_per_mm), limits, admission, name, isolated)


def _raster(image: Image.Image, dots_per_mm: float) -> Raster:
    return Raster(image.width, image.height, dots_per_mm, image.tobytes())
