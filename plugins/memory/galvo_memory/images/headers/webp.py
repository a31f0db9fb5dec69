"""WebP: a RIFF file of chunks. RFC 9649."""

from __future__ import annotations

from galvo_memory.images.errors import CorruptImage, TruncatedImage, UnknownImage
from galvo_memory.images.header import Header
from galvo_memory.images.headers import exif
from galvo_memory.images.headers.reader import Reader

CHUNKS = 100_000
ICC, ALPHA, ANIMATION = 0x20, 0x10, 0x02


def read(reader: Reader, frames: int) -> Header:
    if reader.at(8, 4) != b"WEBP":
        raise UnknownImage(reader.name, "a RIFF file that is no WebP: send JPEG, PNG, GIF, WebP or TIFF")
    end = 8 + reader.number(4, 4, "little")
    if end > reader.size:
        raise TruncatedImage(reader.name, f"it says {end:,} bytes, and ends after {reader.size:,}: send it again")
    place, count, turn, flags = 12, 0, 1, 0
    size: tuple[int, int] | None = None
    lossless = alpha = pixels = False
    for _ in range(CHUNKS):
        if place + 8 > end or count >= frames:
            break
        chunk, length = reader.at(place, 4), reader.number(place + 4, 4, "little")
        if chunk == b"VP8X":
            flags = reader.number(place + 8, 1)
            size = reader.number(place + 12, 3, "little") + 1, reader.number(place + 15, 3, "little") + 1
        elif chunk == b"VP8 ":
            pixels = True
            size = size or _lossy(reader, place + 8)
        elif chunk == b"VP8L":
            pixels = lossless = True
            bits = reader.number(place + 9, 4, "little")
            size = size or ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
            alpha = alpha or bool(bits >> 28 & 1)
        elif chunk == b"ANMF":
            pixels = True
            count += 1
        elif chunk == b"EXIF":
            turn = exif.orientation(reader.at(place + 8, min(length, 1 << 16, reader.size - place - 8)))
        place += 8 + length + length % 2
    if size is None or not pixels:
        raise CorruptImage(reader.name, "its WebP has no picture: send it again")
    alpha = alpha or bool(flags & ALPHA)
    return Header(
        name=reader.name, format="WEBP", width=size[0], height=size[1], channels=4 if alpha else 3, alpha=alpha,
        whole=lossless, frames=max(count, 1) if flags & ANIMATION else 1, orientation=turn, icc=bool(flags & ICC),
        size=reader.size,
    )  # fmt: skip


def _lossy(reader: Reader, place: int) -> tuple[int, int]:
    """From the key frame's header. Raises CorruptImage. RFC 6386, 9.1."""
    if reader.at(place + 3, 3) != b"\x9d\x01\x2a":
        raise CorruptImage(reader.name, "its WebP has no key frame: send it again")
    return reader.number(place + 6, 2, "little") & 0x3FFF, reader.number(place + 8, 2, "little") & 0x3FFF
