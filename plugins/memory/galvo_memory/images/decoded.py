"""What a decoder gives, before its colours and its orientation are put right."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image


class Decoded(NamedTuple):
    image: Image.Image
    """In mode L, RGB, RGBA or CMYK, in the size that was planned."""
    icc: bytes | None
    """Its colour profile."""
    upright: bool = False
    """EXIF's orientation has been applied."""
