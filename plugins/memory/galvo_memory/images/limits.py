"""What an image may be at most. All of it is known from the header."""

from __future__ import annotations

import msgspec

from galvo_memory.images.errors import EmptyImage, ImageBomb, ImageHasFrames, ImageTooHeavy, ImageTooLarge
from galvo_memory.images.header import Header

SIDE = 65_500
"""Pixels of a side; libjpeg's own limit."""
SCANS = 100
"""Of a progressive JPEG; encoders make about ten, and each costs a pass over the whole image."""
NOTES = 32 << 20
"""Bytes of metadata."""
TILE_BYTES = 64 << 20
"""Of a row of a TIFF's tiles, unpacked, if the picture is smaller: a decoder holds a whole one."""


class Limits(msgspec.Struct, frozen=True):
    pixels: int = 150_000_000
    """Width times height."""
    size: int = 256 << 20
    """Bytes of the file."""
    frames: int = 1
    """Of an animation, or pages; the first is used."""

    def check_size(self, name: str, size: int) -> None:
        """Raises EmptyImage, ImageTooHeavy."""
        if size == 0:
            raise EmptyImage(name, "the file is empty: send it again")
        if size > self.size:
            raise ImageTooHeavy(name, size, self.size)

    def check(self, header: Header) -> None:
        """Raises EmptyImage, ImageTooLarge, ImageHasFrames, ImageBomb."""
        name, width, height = header.name, header.width, header.height
        if width <= 0 or height <= 0:
            raise EmptyImage(name, f"{width:,} x {height:,} pixels are no picture")
        if width * height > self.pixels:
            raise ImageTooLarge(name, width, height, self.pixels)
        if max(width, height) > SIDE:
            raise ImageTooLarge(name, width, height, SIDE, "on a side")
        if header.frames > self.frames:
            raise ImageHasFrames(name, self.frames)
        if header.scans > SCANS:
            raise ImageBomb(name, f"{header.scans:,} progressive scans are more than {SCANS}: save it again")
        if header.notes > NOTES:
            raise ImageBomb(name, f"its metadata takes {header.notes:,} bytes, more than {NOTES:,}: remove it")
        if header.tiles > max(TILE_BYTES, header.raw):
            raise ImageBomb(name, f"tiles of {header.tiles:,} bytes are more than {TILE_BYTES:,}: save it again")


LIMITS = Limits()
