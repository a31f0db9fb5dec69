"""Small files of the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

from galvo_memory.errors import Unreadable

LARGEST = 1 << 16
"""Bytes: a page or two is what these files have."""


def read(path: str | Path) -> str:
    """The whole file. Raises Unreadable."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(handle, LARGEST).decode("utf-8", "surrogateescape")
        finally:
            os.close(handle)
    except OSError as error:
        raise Unreadable(path, error.strerror or type(error).__name__) from error


def number(path: str | Path) -> int | None:
    """Bytes; None for "max". Raises Unreadable, also for what is no number."""
    text = read(path).strip()
    if text == "max":
        return None
    try:
        return int(text)
    except ValueError:
        raise Unreadable(path, f"{text[:20]!r} is no number of bytes") from None


def field(path: str | Path, name: str, *, unit: int = 1) -> int | None:
    """The number behind `name` in lines of names and numbers, times `unit`; None without such a line.

    Raises Unreadable.
    """
    before, found, after = ("\n" + read(path)).partition(f"\n{name}")
    del before
    words = after.removeprefix(":").split(maxsplit=1) if found and after[:1] in (" ", ":") else []
    if not words:
        return None
    try:
        return int(words[0]) * unit
    except ValueError:
        raise Unreadable(path, f"{name} is {words[0][:20]!r}, which is no number") from None
