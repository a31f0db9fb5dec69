"""Headers, one module a format. They read a few bytes and skip the rest; nothing is unpacked without a bound."""

from __future__ import annotations

from collections.abc import Callable

from galvo_memory.images.errors import UnknownImage
from galvo_memory.images.header import Header
from galvo_memory.images.headers import gif, jpeg, png, tiff, webp
from galvo_memory.images.headers.reader import Reader

READERS: tuple[tuple[bytes, Callable[[Reader, int], Header]], ...] = (
    (b"\xff\xd8\xff", jpeg.read),
    (b"\x89PNG\r\n\x1a\n", png.read),
    (b"GIF87a", gif.read),
    (b"GIF89a", gif.read),
    (b"RIFF", webp.read),
    (b"II*\0", tiff.read),
    (b"MM\0*", tiff.read),
)
"""By the first bytes; a name or a content type may lie."""


def read(reader: Reader, frames: int = 1) -> Header:
    """Frames are counted to one more than `frames`. Raises UnknownImage, CorruptImage, TruncatedImage, ImageBomb."""
    start = reader.at(0, min(8, reader.size))
    for magic, parse in READERS:
        if start.startswith(magic):
            return parse(reader, frames + 1)
    raise UnknownImage(reader.name, f"it begins with {start.hex(' ')}: send JPEG, PNG, GIF, WebP or TIFF")
