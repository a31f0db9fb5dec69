"""Bytes, as people write them."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12}


def size(text: str) -> int:
    """Reads "500MB" or "2 GB". Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"{text!r} is no size: write it as 500MB")
    return int(float(found[1]) * _UNITS[found[2]])


def shown(number: float) -> str:
    """`12 MB`; three digits at most, but for terabytes."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= factor:
            value = number / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{number:.0f} B"
