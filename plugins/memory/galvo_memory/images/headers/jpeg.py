"""JPEG: the segments before the first scan, and how many scans there are. ITU T.81, annex B."""

from __future__ import annotations

from math import ceil

from galvo_memory.images.errors import CorruptImage, UnknownImage
from galvo_memory.images.header import Header
from galvo_memory.images.headers import exif
from galvo_memory.images.headers.reader import Reader

FRAMES = {0xC0, 0xC1, 0xC2}
"""Baseline, extended, progressive; Huffman coded."""
OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
"""Lossless, hierarchical, arithmetic coding: no browser reads them."""
PROGRESSIVE = 0xC2
NO_LENGTH = {0x01, *range(0xD0, 0xD8)}
SEGMENTS = 5_000
WINDOW = 1 << 20


def read(reader: Reader, frames: int) -> Header:
    """A second picture behind the first (MPO) is no frame: viewers show the first."""
    place, turn, icc, frame, kind, notes = 2, 1, False, b"", 0, 0
    for _ in range(SEGMENTS):
        mark, code = reader.at(place, 2)
        if mark != 0xFF:
            raise CorruptImage(reader.name, f"byte {place:,} is no marker of JPEG: send it again")
        if code == 0xFF:  # fill bytes
            place += 1
            continue
        place += 2
        if code in NO_LENGTH:
            continue
        length = reader.number(place, 2)
        if code == 0xD9 or length < 2:
            raise CorruptImage(reader.name, "its JPEG ends before the first scan: send it again")
        if code in OTHER_FRAMES:
            raise UnknownImage(reader.name, "lossless, hierarchical or arithmetic coded JPEG: save it as baseline")
        if code == 0xE1 and turn == 1 and reader.at(place + 2, min(6, length - 2)) == b"Exif\0\0":
            turn = exif.orientation(reader.at(place + 2, length - 2))
        elif code == 0xE2:
            icc = icc or reader.at(place + 2, min(11, length - 2)) == b"ICC_PROFILE"
        elif code in FRAMES:
            frame, kind = reader.at(place + 2, length - 2), code
        elif code == 0xDA:
            return _header(reader, frame, kind, place, turn, icc, notes)
        notes += length
        place += length
    raise CorruptImage(reader.name, f"more than {SEGMENTS:,} segments before the first scan: save it again")


def _header(reader: Reader, frame: bytes, kind: int, scan: int, turn: int, icc: bool, notes: int) -> Header:
    if len(frame) < 6 or len(frame) < 6 + 3 * frame[5]:
        raise CorruptImage(reader.name, "its JPEG has a scan and no frame before it: send it again")
    channels = frame[5]
    if channels not in (1, 3, 4):
        raise UnknownImage(reader.name, f"JPEG of {channels} channels: save it in colour or grey")
    if frame[0] != 8:
        raise UnknownImage(reader.name, f"JPEG of {frame[0]} bits a channel: save it with 8")
    # A first scan that lacks channels makes libjpeg keep all coefficients, as a progressive one does.
    whole = kind == PROGRESSIVE or reader.number(scan + 2, 1) < channels
    return Header(
        name=reader.name, format="JPEG", width=int.from_bytes(frame[3:5], "big"),
        height=int.from_bytes(frame[1:3], "big"), channels=channels, whole=whole,
        scans=_scans(reader, scan) if whole else 1, coefficients=_coefficients(frame),
        orientation=turn, icc=icc, notes=notes, size=reader.size,
    )  # fmt: skip


def _coefficients(frame: bytes) -> int:
    """Bytes of them all: 16 bits for each sample of each channel, in blocks of 8 x 8. ITU T.81, A.1.1."""
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    factors = [(frame[7 + 3 * channel] >> 4 or 1, frame[7 + 3 * channel] & 15 or 1) for channel in range(frame[5])]
    across, down = max(factor[0] for factor in factors), max(factor[1] for factor in factors)
    blocks = sum(ceil(width / (8 * across)) * x * ceil(height / (8 * down)) * y for x, y in factors)
    return blocks * 64 * 2


def _scans(reader: Reader, place: int) -> int:
    """Within a scan's data 0xFF is always followed by something else, so that its mark can be searched for."""
    found = 0
    while place < reader.size:
        window = reader.at(place, min(WINDOW, reader.size - place))
        found += window.count(b"\xff\xda")
        place += len(window) - (window[-1:] == b"\xff" and len(window) > 1)
    return found + 1
