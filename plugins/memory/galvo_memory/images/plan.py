"""How an image is decoded: which library, to which size."""

from __future__ import annotations

from typing import Literal

import msgspec

from galvo_memory.images.header import Header
from galvo_memory.images.vips import vips

Route = Literal["pillow", "vips"]
Output = Literal["jpeg", "png", "webp"]


class Plan(msgspec.Struct, frozen=True):
    width: int
    height: int
    """Of the result, upright."""
    route: Route
    output: Output | None = None
    """None: bare pixels."""
    grey: bool = False

    def turned(self, header: Header) -> tuple[int, int]:
        """Width and height of the result before EXIF turns it."""
        return (self.height, self.width) if header.turned else (self.width, self.height)


def route(header: Header) -> Route:
    """Pillow drafts JPEG, and keeps one byte for a pixel of GIF; vips goes through the others in strips."""
    return "vips" if header.format in ("PNG", "WEBP", "TIFF") and vips() is not None else "pillow"


def fit(header: Header, width: int, height: int | None) -> tuple[int, int]:
    """The size within a box, upright; never enlarged."""
    across, down = header.upright
    scale = min(width / across, (height or down) / down, 1.0)
    return max(1, round(across * scale)), max(1, round(down * scale))
