"""TIFF: the first directory, and how many follow. Adobe TIFF 6.0, section 2."""

from __future__ import annotations

from math import ceil

from galvo_memory.images.errors import CorruptImage, UnknownImage
from galvo_memory.images.header import Header
from galvo_memory.images.headers import exif
from galvo_memory.images.headers.reader import Reader

SIZES = {1: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4}
"""Bytes of the types that matter here."""
ENTRIES = 1_000
Tags = dict[int, tuple[int, int, int]]
"""Type, count and where the values are, by tag."""
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, CHANNELS = 256, 257, 258, 259, 262, 274, 277
ROWS, PLANES, TILE_WIDTH, TILE_HEIGHT, EXTRA, FORMAT, ICC = 278, 284, 322, 323, 338, 339, 34675
DEPTHS = {1, 2, 4, 8, 16}
PALETTE = 3


def read(reader: Reader, frames: int) -> Header:
    tags, following, notes = _directory(reader, _order(reader), reader.number(4, 4, _order(reader)))
    seen, count = set[int](), 1
    while following and count < frames:
        if following in seen:
            raise CorruptImage(reader.name, "its TIFF has a page that is followed by itself: save it again")
        seen.add(following)
        _, following, _ = _directory(reader, _order(reader), following)
        count += 1
    return _header(_First(reader, tags, _order(reader)), reader, count, notes)


class _First:
    """The first value of a tag."""

    def __init__(self, reader: Reader, tags: Tags, order: str) -> None:
        self.tags = tags
        self._reader = reader
        self._order = order

    def __call__(self, tag: int, default: int = 0) -> int:
        if tag not in self.tags:
            return default
        kind, _, place = self.tags[tag]
        return self._reader.number(place, SIZES.get(kind, 4), self._order)


def _header(first: _First, reader: Reader, frames: int, notes: int) -> Header:
    width, height, bits, channels = first(WIDTH), first(HEIGHT), first(BITS, 1), first(CHANNELS, 1)
    if not 1 <= channels <= 5 or bits not in DEPTHS or first(FORMAT, 1) not in (1, 4):
        raise UnknownImage(reader.name, f"TIFF of {channels} channels with {bits} bits: save it with 8 or 16")
    tile, high = first(TILE_WIDTH), first(TILE_HEIGHT)
    if bool(tile) != bool(high):
        raise CorruptImage(reader.name, f"its TIFF has tiles of {tile:,} x {high:,} pixels: save it again")
    pixel = channels * bits / 8
    return Header(
        name=reader.name, format="TIFF", width=width, height=height, channels=channels, bits=bits,
        palette=first(PHOTOMETRIC) == PALETTE, alpha=EXTRA in first.tags,
        whole=first(PLANES, 1) == 2, frames=frames, orientation=exif.upright_unless(first(ORIENTATION, 1)),
        icc=ICC in first.tags, packed=first(COMPRESSION, 1) != 1,
        strip=0 if tile else ceil(width * min(first(ROWS, height), height) * pixel),
        tiles=ceil(ceil(width / tile) * tile * high * pixel) if tile else 0, notes=notes, size=reader.size,
    )  # fmt: skip


def _directory(reader: Reader, order: str, place: int) -> tuple[Tags, int, int]:
    """Its tags, where the next one is (0: there is none), and bytes of all values."""
    count = reader.number(place, 2, order)
    if not 1 <= count <= ENTRIES:
        raise CorruptImage(reader.name, f"its TIFF has a directory of {count:,} entries: save it again")
    tags: Tags = {}
    values = 0
    for at in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind = reader.number(at, 2, order), reader.number(at + 2, 2, order)
        number = reader.number(at + 4, 4, order)
        values += SIZES.get(kind, 8) * number
        inside = SIZES.get(kind, 8) * number <= 4
        tags.setdefault(tag, (kind, number, at + 8 if inside else reader.number(at + 8, 4, order)))
    return tags, reader.number(place + 2 + 12 * count, 4, order), values


def _order(reader: Reader) -> str:
    return "little" if reader.at(0, 2) == b"II" else "big"
