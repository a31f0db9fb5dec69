"""Numbers for people."""

from __future__ import annotations

import math

_SIZES = (("TB", 1024**4), ("GB", 1024**3), ("MB", 1024**2), ("kB", 1024))
_TIMES = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


def size(count: float) -> str:
    """`count` bytes."""
    for unit, length in _SIZES:
        if count >= length:
            return f"{count / length:.{1 if count < 10 * length else 0}f} {unit}"
    return f"{count:.0f} bytes"


def setting(count: float) -> str:
    """`count` bytes as postgresql.conf wants them, in the largest unit that is exact."""
    for unit, length in _SIZES:
        if count >= length and count % length == 0:
            return f"{count // length:.0f}{unit}"
    return f"{count / 1024:.0f}kB"


def rounded(count: float) -> int:
    """The power of two that is not less: what people set."""
    return 1 << max(0, math.ceil(count) - 1).bit_length()


def duration(seconds: float) -> str:
    for unit, length in _TIMES:
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} seconds"


def many(count: float, what: str, plural: str = "") -> str:
    return f"{count:,.0f} {what if count == 1 else plural or what + 's'}"
