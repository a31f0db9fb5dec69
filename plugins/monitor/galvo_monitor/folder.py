"""--folder of the commands."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path


def existing(text: str) -> Path:
    """Raises ArgumentTypeError when there is none: a mistyped one would mean default settings, without a word."""
    found = Path(text)
    if not found.is_dir():
        raise ArgumentTypeError(f"{text!r} is no folder")
    return found
