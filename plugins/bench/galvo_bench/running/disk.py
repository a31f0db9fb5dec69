"""Room for what a run writes: asked for before anything is started."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import asyncpg

from galvo import GalvoError

MB = 1_000_000


class Writing(Protocol):
    """A subject, or a claim."""

    @property
    def name(self) -> str: ...

    @property
    def disk(self) -> int:
        """MB that it writes at most, servers included."""


def must_fit(subjects: Iterable[Writing], places: Iterable[Path], free: Callable[[Path], int] | None = None) -> None:
    """Each alone, for each cleans up; anywhere, for which place a subject fills is its own affair.
    Raises GalvoError.
    """
    most = max(subjects, key=lambda subject: subject.disk)
    for place in places:
        there = next(folder for folder in (place, *place.parents) if folder.is_dir())
        left = (free or _free)(there) // MB
        if left < most.disk:
            change = "or set TMPDIR" if place == Path(tempfile.gettempdir()) else "or run it in another folder"
            raise GalvoError(
                f"{most.name} needs {most.disk:,} MB in {place}, where {left:,} MB are left: make room, {change}"
            )


def is_full(error: BaseException) -> bool:
    """Whether a disk, this machine's or the server's, has no room left."""
    return isinstance(error, asyncpg.DiskFullError) or (
        isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    )


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
