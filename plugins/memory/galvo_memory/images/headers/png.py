"""PNG: all chunks are walked, so that a missing end or a bomb behind the pixels is known before. W3C PNG, 5, 11."""

from __future__ import annotations

import zlib

from galvo_memory.images.errors import CorruptImage, ImageBomb, UnknownImage
from galvo_memory.images.header import Header
from galvo_memory.images.headers import exif
from galvo_memory.images.headers.reader import Reader
from galvo_memory.images.limits import NOTES

CHUNKS = 200_000
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
UNPACKED = 1 << 20
"""Bytes of a text or a profile; Pillow's limit, too."""
PACKED = {b"iCCP", b"zTXt", b"iTXt"}
TEXTS = {b"tEXt", *PACKED, b"eXIf"}


def read(reader: Reader, frames: int) -> Header:
    if reader.at(12, 4) != b"IHDR" or reader.number(8, 4) != 13:
        raise CorruptImage(reader.name, "its PNG does not begin with IHDR: send it again")
    bits, kind, packing, filtering, interlace = reader.at(24, 5)
    if bits not in DEPTHS.get(kind, ()) or packing or filtering or interlace > 1:
        raise UnknownImage(
            reader.name,
            f"PNG of colour type {kind} with {bits} bits: there is no such PNG, save it again",
        )
    place, seen, count, turn, pixels, unpacked = 33, set[bytes](), 1, 1, 0, 0
    for _ in range(CHUNKS):
        head = reader.at(place, 8)
        length, chunk = int.from_bytes(head[:4], "big"), head[4:]
        if chunk == b"IDAT":
            pixels += length
        elif chunk == b"acTL" and not pixels:
            count = reader.number(place + 8, 4)
        elif chunk in TEXTS:
            unpacked += _unpacked(reader, place + 8, length, chunk)
            if unpacked > NOTES:  # now, as unpacking the rest takes time
                raise ImageBomb(reader.name, f"its metadata takes more than {NOTES:,} bytes: remove it")
            if chunk == b"eXIf":
                turn = exif.orientation(reader.at(place + 8, length))
        seen.add(chunk)
        place += 12 + length
        if chunk == b"IEND":
            break
    else:
        raise CorruptImage(reader.name, f"more than {CHUNKS:,} chunks: save it again")
    if not pixels:
        raise CorruptImage(reader.name, "its PNG has no pixels (IDAT): send it again")
    if kind == 3 and b"PLTE" not in seen:
        raise CorruptImage(reader.name, "its PNG has no palette (PLTE): send it again")
    return Header(
        name=reader.name, format="PNG", width=reader.number(16, 4), height=reader.number(20, 4),
        channels=CHANNELS[kind], bits=bits, palette=kind == 3, alpha=kind in (4, 6) or b"tRNS" in seen,
        whole=interlace == 1, frames=max(count, 1), orientation=turn, icc=b"iCCP" in seen, notes=unpacked,
        size=reader.size,
    )  # fmt: skip


def _unpacked(reader: Reader, place: int, length: int, chunk: bytes) -> int:
    """Bytes that a text or profile takes. Raises ImageBomb."""
    if length > UNPACKED:
        raise ImageBomb(reader.name, f"{chunk.decode()} of {length:,} bytes is more than {UNPACKED:,}: remove it")
    if chunk not in PACKED:
        return length
    packed = _stream(reader.at(place, length), chunk)
    try:
        size = len(zlib.decompressobj().decompress(packed, UNPACKED + 1))
    except zlib.error:
        return UNPACKED  # at most, before it failed; whether it matters is the decoder's to say
    if size > UNPACKED:
        raise ImageBomb(reader.name, f"{chunk.decode()} unpacks to more than {UNPACKED:,} bytes: remove it")
    return max(size, length)


def _stream(data: bytes, chunk: bytes) -> bytes:
    """What is compressed of a chunk: behind its keyword and method, and in iTXt behind language and translation."""
    rest = data.partition(b"\0")[2]
    if chunk == b"iTXt":
        return rest[2:].split(b"\0", 2)[-1] if rest[:1] == b"\1" else b""
    return rest[1:]
