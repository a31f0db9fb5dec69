"""How many bytes decoding and encoding take at most: from the header, before any of it.

Sums of what the decoders hold at the same time, rounded up; tests compare them with the peak of real processes.
Source: the libraries' code, and research/operations.md, 2c.
"""

from __future__ import annotations

from math import ceil

from galvo_memory.images.by_pillow import BAND, DRAFT_GAP, GAP
from galvo_memory.images.header import Header
from galvo_memory.images.plan import Output, Plan

BASE = 12 << 20
"""Libraries' tables, buffers, what the allocator rounds up."""
COPIES = 3
"""Of the result: in its own colours, in sRGB and turned, and for one with alpha, without."""
ENCODER: dict[Output | None, int] = {None: 2, "jpeg": 4, "png": 8, "webp": 36}
"""Bytes for a pixel of the result, with what is encoded of it."""
ROWS = 1_200
"""That vips keeps of an image which it goes through."""
LINES = 512
"""Bytes that a decoder keeps for a column."""
WEBP = 17
"""Bytes of a pixel while libwebp's animation decoder makes it a whole picture, twice, and that is copied."""
NOTES = 3
"""Copies of metadata."""
VALUES = 12
"""Bytes that Python needs for a byte of a TIFF's numbers."""


def estimate(header: Header, plan: Plan, held: int = 0) -> int:
    """In bytes, above what the process has; `held` is what the source takes already."""
    decoding = _by_vips(header, plan) if plan.route == "vips" else _by_pillow(header, plan)
    notes = header.notes * (VALUES if header.format == "TIFF" else NOTES)
    copies = _unit(header) * (COPIES + header.alpha) + ENCODER[plan.output]
    return BASE + held + notes + header.width * LINES + decoding + plan.width * plan.height * copies


def _unit(header: Header) -> int:
    """Bytes of a pixel that is ready."""
    return 1 if header.channels == 1 and not header.palette and not header.alpha else 4


def drafted(header: Header, plan: Plan) -> tuple[int, int]:
    """The size to which Pillow decodes; libjpeg divides by 1, 2, 4 or 8."""
    if header.format != "JPEG":
        return header.width, header.height
    width, height = plan.turned(header)
    room = min(header.width // (round(width * DRAFT_GAP) or 1), header.height // (round(height * DRAFT_GAP) or 1))
    factor = next((factor for factor in (8, 4, 2) if factor <= room), 1)
    return ceil(header.width / factor), ceil(header.height / factor)


def _by_pillow(header: Header, plan: Plan) -> int:
    across, down = drafted(header, plan)
    width, height = plan.turned(header)
    result = 1 if plan.grey and not header.alpha and header.channels < 4 else _unit(header)
    shrink_x, shrink_y = max(1, int(across / width / GAP)), max(1, int(down / height / GAP))
    reduced = ceil(across / shrink_x) * ceil(down / shrink_y) * result
    halfway = width * ceil(down / shrink_y) * result
    return across * down * _stored(header, plan) + _decoder(header) + reduced + halfway + BAND * 16


def _stored(header: Header, plan: Plan) -> int:
    """Bytes of a pixel of Pillow's; of TIFF that EXIF turns there are two copies for a moment."""
    if header.format == "WEBP":
        return WEBP
    one = 2 if header.channels == 1 and header.bits == 16 else 1 if header.channels == 1 else 4
    if header.format == "JPEG" and plan.grey and header.channels == 3:
        one = 1
    return one * (2 if header.format == "TIFF" and header.orientation > 1 else 1)


def _decoder(header: Header) -> int:
    if header.format == "JPEG":
        return header.coefficients if header.whole else 0
    if header.format == "WEBP":
        return 3 * header.size
    return header.size + header.strip + 2 * header.tiles if header.packed else 0


def _by_vips(header: Header, plan: Plan) -> int:
    width, height = plan.turned(header)
    channels = 4 if header.palette else min(header.channels + header.alpha, 4) if header.channels != 2 else 2
    raw = header.pixels * channels * (2 if header.bits == 16 else 1)
    strips = min(raw // header.height * ROWS, raw * 5 // 4)
    if header.format == "WEBP":
        return _webp(header, max(width / header.width, height / header.height)) + strips
    return strips + (raw if header.whole else 0) + min(2 * header.tiles, raw) + (header.size if header.packed else 0)


def _webp(header: Header, scale: float) -> int:
    """Half of it in size or less, libwebp does it while it decodes."""
    if scale * GAP > 0.5:
        return header.pixels * WEBP + 3 * header.size
    kept = 5 if header.whole else 3 if header.alpha else 0
    return header.pixels * kept + ceil(header.pixels * (scale * GAP) ** 2) * 12 + 3 * header.size
