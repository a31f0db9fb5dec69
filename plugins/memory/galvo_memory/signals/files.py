"""Small files of the kernel's."""

from __future__ import annotations

import os
import re
from pathlib import Path

from galvo_memory.errors import Unreadable

PIECE = 1 << 16
"""Bytes read at once. Of a long list the kernel gives no more than a page, whatever it is asked for."""


def read(path: str | Path) -> str:
    """The whole file. Raises Unreadable."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            pieces = [*iter(lambda: os.read(handle, PIECE), b"")]
        finally:
            os.close(handle)
    except OSError as error:
        raise Unreadable(path, error.strerror or type(error).__name__) from error
    return b"".join(pieces).decode("utf-8", "surrogateescape")


def there(path: Path) -> bool:
    """Whether there is such a file or folder. Raises Unreadable if that cannot be seen."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Unreadable(path, error.strerror or type(error).__name__) from error
    return True


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
