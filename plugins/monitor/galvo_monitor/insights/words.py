"""Numbers and times for people."""

from __future__ import annotations

import time

_TIMES = (("days", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))
_SIZES = (("GiB", 1024.0**3), ("MiB", 1024.0**2), ("KiB", 1024.0))


def duration(seconds: float) -> str:
    """ "48 ms", "12 s", "3 min", "5 h", "3 days"."""
    for unit, length in _TIMES:
        if seconds >= 2 * length or (unit == "s" and seconds >= 1):
            return f"{seconds / length:.{0 if seconds >= 10 or unit != 's' else 1}f} {unit}"
    return f"{seconds * 1000:.{0 if seconds >= 0.0095 else 1}f} ms"


def size(count: float) -> str:
    """ "2.1 GiB"."""
    for unit, length in _SIZES:
        if count >= length:
            return f"{count / length:.{1 if count < 100 * length else 0}f} {unit}"
    return f"{count:.0f} B"


def share(part: float) -> str:
    """ "80 %"; of little one digit more."""
    return f"{part:.1%}".replace("%", " %") if part < 0.0995 else f"{part:.0%}".replace("%", " %")


def times(ratio: float) -> str:
    """ "4x"; of little one digit more."""
    return f"{ratio:.1f}".removesuffix(".0") + "x" if ratio < 9.95 else f"{ratio:,.0f}x"


def many(count: float, what: str, plural: str = "") -> str:
    """ "1 session", "3 sessions"."""
    return f"{count:,.0f} {what if count == 1 else plural or what + 's'}"


def clock(at: float, now: float) -> str:
    """ "18:02" in local time; with the date when that is not today. Both are seconds since the epoch."""
    then, today = time.localtime(at), time.localtime(now)
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%Y-%m-%d %H:%M", then)
