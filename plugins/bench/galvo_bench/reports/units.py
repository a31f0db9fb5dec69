"""Numbers as people read them."""

from __future__ import annotations

import re
from math import isfinite

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, changes its state or turns its texts around."""


def number(value: float) -> str:
    """Three digits, or all of a whole number."""
    if not isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 999.5 or value == int(value) else f"{value:.3g}"


def human(seconds: float) -> str:
    """A duration in the unit that suits it."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 0.9995:
            return f"{number(seconds * factor)} {unit}"
    return f"{number(seconds * 1e9)} ns"


def span(low: str, high: str) -> str:
    """From one amount to another; a unit that both have is said once."""
    figure, _, unit = low.partition(" ")
    return f"{figure if unit and high.endswith(f' {unit}') else low} to {high}"


def duration(seconds: float) -> str:
    """How long a run took."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def shown(said: str) -> str:
    """On a terminal, whoever made it up."""
    return CONTROL.sub("\ufffd", said)
