"""What several commands take."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path


def existing(text: str) -> Path:
    """Raises ArgumentTypeError when there is none: a mistyped one would mean default settings, without a word."""
    found = Path(text)
    if not found.is_dir():
        raise ArgumentTypeError(f"{text!r} is no folder")
    return found


def seconds(least: float) -> Callable[[str], float]:
    """Reads a time from `least` seconds to an hour. What it gives raises ArgumentTypeError."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not least <= value <= 3600:
            raise ArgumentTypeError(f"{text!r} is not between {least:g} and 3600 seconds")
        return value

    return read
