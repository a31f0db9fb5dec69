"""Numbers for people."""

from __future__ import annotations

_SIZES = (("TB", 1024**4), ("GB", 1024**3), ("MB", 1024**2), ("kB", 1024))
_TIMES = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


def size(count: float) -> str:
    """`count` bytes."""
    for unit, length in _SIZES:
        if count >= length:
            return f"{count / length:.{1 if count < 10 * length else 0}f} {unit}"
    return f"{count:.0f} bytes"


def setting(count: float) -> str:
    """`count` bytes as postgresql.conf wants them: a whole number of a unit, never less."""
    for unit, length in _SIZES[1:]:
        if count >= 4 * length or (count >= length and count % length == 0):
            return f"{-int(-count // length)}{unit}"
    return "1MB"


def duration(seconds: float) -> str:
    for unit, length in _TIMES:
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} seconds"


def many(count: float, what: str, plural: str = "") -> str:
    return f"{count:,.0f} {what if count == 1 else plural or what + 's'}"
