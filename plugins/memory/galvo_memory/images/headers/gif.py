"""GIF: blocks are skipped, frames counted as far as was asked. CompuServe GIF89a."""

from __future__ import annotations

from galvo_memory.images.errors import CorruptImage, ImageBomb
from galvo_memory.images.header import Header
from galvo_memory.images.headers.reader import Reader

BLOCKS = 1_100_000
"""Of all pieces: 255 bytes each, as encoders write them, of 256 MiB. To skip them takes 2 s."""
EXTENSION, IMAGE, TRAILER, CONTROL = 0x21, 0x2C, 0x3B, 0xF9


def read(reader: Reader, frames: int) -> Header:
    width, height = reader.number(6, 2, "little"), reader.number(8, 2, "little")
    flags = reader.number(10, 1)
    place, room, count, alpha, interlaced = 13 + _table(flags), BLOCKS, 0, False, False
    while count < frames:
        kind = reader.number(place, 1)
        if kind == TRAILER:
            break
        if kind == EXTENSION:
            if not count and reader.number(place + 1, 1) == CONTROL:
                alpha = bool(reader.number(place + 3, 1) & 1)
            place, room = _skip(reader, place + 2, room)
        elif kind == IMAGE:
            if count == 0:
                box = reader.at(place + 1, 9)
                right, bottom = (int.from_bytes(box[i : i + 2], "little") for i in (4, 6))
                left, top = (int.from_bytes(box[i : i + 2], "little") for i in (0, 2))
                if left + right > width or top + bottom > height:
                    width, height = max(width, left + right), max(height, top + bottom)
                alpha = alpha or (right, bottom) != (width, height)
                interlaced = bool(box[8] & 0x40)
            count += 1
            place, room = _skip(reader, place + 10 + _table(reader.number(place + 9, 1)) + 1, room)
        else:
            raise CorruptImage(reader.name, f"byte {place:,} begins no block of GIF: send it again")
    if not count:
        raise CorruptImage(reader.name, "its GIF has no picture: send it again")
    return Header(
        name=reader.name, format="GIF", width=width, height=height, channels=1, palette=True, alpha=alpha,
        whole=interlaced, frames=count, size=reader.size,
    )  # fmt: skip


def _table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip(reader: Reader, place: int, room: int) -> tuple[int, int]:
    """Past a block's pieces, each says its length, and an empty one is the last; and the room that is left.

    Raises ImageBomb when none is.
    """
    while room:
        length = reader.number(place, 1)
        place += 1 + length
        room -= 1
        if not length:
            return place, room
    raise ImageBomb(reader.name, f"its GIF has more than {BLOCKS:,} pieces: save it again")
