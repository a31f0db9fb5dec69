"""EXIF's orientation: a TIFF inside of the file. What cannot be read there is no orientation, as viewers have it."""

from __future__ import annotations

from typing import Literal

ORIENTATION = 0x0112
ENTRIES = 1000
ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}


def orientation(data: bytes) -> int:
    """1 to 8; 1 is upright."""
    data = data.removeprefix(b"Exif\0\0")
    order = ORDERS.get(data[:4])
    if order is None:
        return 1
    first = int.from_bytes(data[4:8], order)
    count = int.from_bytes(data[first : first + 2], order)
    for number in range(min(count, ENTRIES)):
        place = first + 2 + 12 * number
        entry = data[place : place + 12]
        if int.from_bytes(entry[:2], order) == ORIENTATION and len(entry) == 12:
            return upright_unless(int.from_bytes(entry[8:10], order))
    return 1


def upright_unless(value: int) -> int:
    """What is no orientation is upright."""
    return value if 1 <= value <= 8 else 1
