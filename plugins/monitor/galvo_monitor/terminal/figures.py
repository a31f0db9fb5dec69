"""Numbers in units (UCUM), and times, as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

NONE = "-"
BARS = "▁▂▃▄▅▆▇█"
TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0.0, "ns"))
SIZES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (0, "B"))
COUNTS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (0.0, ""))
SPANS = ((86400, "d"), (3600, "h"), (60, "min"))


def figure(value: float | None, unit: str) -> str:
    """0.0012 "s" is "1.2 ms", 0.5 "1" is "50 %", 1234 "{query}/s" is "1,234/s"."""
    if value is None or not math.isfinite(value):
        return NONE
    what, slash, per = unit.partition("/")
    each = f"{slash}{per}"
    if what == "s" and not slash:
        return _seconds(value)
    if what == "By":
        return _scaled(value, SIZES, " ") + each
    if unit in ("1", "%"):
        return f"{_rounded(value * 100 if unit == '1' else value)} %"
    made = _rounded(value) if abs(value) < 10_000 else _scaled(value, COUNTS, "")
    return made + (f" {what}" if what and what[0] not in "{1" else "") + each


def span(seconds: float) -> str:
    """How long: in the unit that suits it."""
    for size, unit in SPANS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def sparks(values: Sequence[float | None], width: int) -> str:
    """The last `width` of them as bars, the highest full; a gap where there was none."""
    last = [value if value is not None and math.isfinite(value) else None for value in values[-width:]]
    top = max((value for value in last if value is not None), default=0.0)
    scale = (len(BARS) - 1) / top if top > 0 else 0.0
    return "".join(" " if value is None else BARS[round(max(0.0, value) * scale)] for value in last)


def _seconds(value: float) -> str:
    if abs(value) >= 120:
        return ("-" if value < 0 else "") + span(abs(value))
    size, unit = next(pair for pair in TIMES if abs(value) >= pair[0]) if value else (1.0, "s")
    return f"{_rounded(value / (size or 1e-9))} {unit}"


def _scaled(value: float, scale: Sequence[tuple[float, str]], gap: str) -> str:
    size, unit = next(pair for pair in scale if abs(value) >= pair[0])
    return f"{_rounded(value / (size or 1))}{gap if unit else ''}{unit}"


def _rounded(value: float) -> str:
    """Two digits, or all of a larger whole."""
    if abs(value) >= 9.95 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 0.1 else f"{value:.1g}"
