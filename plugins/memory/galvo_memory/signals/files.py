"""Small files of the kernel's."""

from __future__ import annotations

import os
import re
from pathlib import Path

from galvo_memory.errors import Unreadable

LARGEST = 1 << 16
"""Bytes: a page or two is what these files have."""


def read(path: str | Path) -> str:
    """The whole file. Raises Unreadable."""
    try:
        handle = os.open(path, os.O_RDONLY)
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


def fields(path: str | Path, *names: str) -> list[int | None]:
    """The numbers behind `names` in lines of names and numbers; None without such a line. Raises Unreadable."""
    text = read(path)
    found = (re.search(rf"^{name}:?[ \t]+(\S+)", text, re.M) for name in names)
    try:
        return [int(one[1]) if one else None for one in found]
    except ValueError:
        raise Unreadable(path, "a number in it is none") from None


def whole(path: str | Path) -> str:
    """A file of any size. Raises Unreadable."""
    try:
        return Path(path).read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise Unreadable(path, error.strerror or type(error).__name__) from error
