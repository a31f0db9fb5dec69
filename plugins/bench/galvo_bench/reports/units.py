"""Numbers as people read them."""

from __future__ import annotations


def number(value: float) -> str:
    """Three digits, or all of a whole number."""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"


def human(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.1f} us" if seconds >= 1e-6 else f"{seconds * 1e9:.0f} ns"
