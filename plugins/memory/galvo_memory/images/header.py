"""What is known of an image before a pixel of it is decoded."""

from __future__ import annotations

from math import ceil
from typing import Literal

import msgspec

Format = Literal["JPEG", "PNG", "GIF", "WEBP", "TIFF"]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    format: Format
    width: int
    height: int
    """Of the first frame, before EXIF turns it."""
    channels: int
    """Of one pixel as it is stored; a palette's index is one."""
    bits: int = 8
    """Of one channel."""
    palette: bool = False
    alpha: bool = False
    """Transparency of any kind."""
    whole: bool = False
    """No decoder can go through it row by row: progressive JPEG, interlaced PNG, lossless WebP."""
    scans: int = 1
    """Of a JPEG."""
    coefficients: int = 0
    """Bytes of a JPEG's, which libjpeg keeps when it is whole."""
    frames: int = 1
    """Counted no further than was asked."""
    orientation: int = 1
    """EXIF's, 1 to 8."""
    icc: bool = False
    packed: bool = False
    """A TIFF's pixels are compressed."""
    strip: int = 0
    """Bytes of a TIFF's strip, unpacked."""
    tiles: int = 0
    """The same of a row of tiles."""
    notes: int = 0
    """Bytes of metadata, unpacked."""
    size: int
    """Bytes of the file."""

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def raw(self) -> int:
        """Bytes of all pixels as they are stored."""
        return ceil(self.pixels * self.channels * self.bits / 8)

    @property
    def turned(self) -> bool:
        """Whether EXIF swaps width and height."""
        return self.orientation >= 5

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as a viewer shows them."""
        return (self.height, self.width) if self.turned else (self.width, self.height)
