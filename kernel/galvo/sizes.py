"""Sizes in bytes, as people write them."""

from __future__ import annotations

import re

__all__ = ["parse", "show"]
UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?i?b?)\s*", re.I)


def parse(size: int | str) -> int:
    """Bytes of 1000, "200MiB", "1.5 GB". Raises ValueError, naming what cannot be read or is not positive."""
    if isinstance(size, str):
        found = PATTERN.fullmatch(size)
        unit = UNITS.get(found[2].lower()) if found else None
        if found is None or unit is None:
            raise ValueError(f"{size!r} is not a size: write bytes, or a number with KiB, MiB or GiB")
        size = int(float(found[1]) * unit)
    if size <= 0:
        raise ValueError(f"a size of {size} bytes holds nothing: it has to be positive")
    return size


def show(size: float) -> str:
    """For people: "1.2 GiB"."""
    for unit in ("B", "KiB", "MiB"):
        if abs(size) < 1024:
            return f"{size:.0f} {unit}" if unit == "B" or abs(size) >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
