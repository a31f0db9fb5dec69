"""Where an image comes from: bytes, a path, or anything with `async read(n)`, as an upload or anyio's files have."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any, BinaryIO, Protocol, TypeAlias

from galvo_memory.images.errors import ImageTooHeavy, UnknownImage
from galvo_memory.images.limits import Limits

PIECE = 1 << 18


class AsyncFile(Protocol):
    async def read(self, size: int, /) -> bytes: ...


Source: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | AsyncFile


class Picture:
    """A source that can be opened in a thread. `held`: bytes that this copy of its contents takes."""

    def __init__(self, name: str, contents: bytes | None, held: int = 0) -> None:
        self.name = name
        self.contents = contents
        self.held = held

    @contextmanager
    def open(self, limits: Limits) -> Iterator[tuple[BinaryIO, int]]:
        """The file and its size. Raises OSError, UnknownImage, EmptyImage, ImageTooHeavy."""
        if self.contents is not None:
            limits.check_size(self.name, len(self.contents))
            yield io.BytesIO(self.contents), len(self.contents)
            return
        # A pipe would let nobody's open return.
        with open(os.open(self.name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UnknownImage(self.name, "it is no regular file: name one")
            limits.check_size(self.name, status.st_size)
            yield file, status.st_size


async def picture(source: Source, limits: Limits, name: str) -> Picture:
    """`name` is what errors call it; a path has its own. Raises ImageTooHeavy, TypeError."""
    if isinstance(source, bytes | bytearray | memoryview):
        contents = bytes(source)
        return Picture(name or "image", contents, 0 if contents is source else len(contents))
    if isinstance(source, str | os.PathLike):
        return Picture(os.fspath(source), None)
    if not hasattr(source, "read"):
        raise TypeError(f"an image is bytes, a path or an async file, not {type(source).__name__}")
    name = name or _name(source)
    contents = await _all(source, limits, name)
    return Picture(name, contents, len(contents))


async def _all(source: AsyncFile, limits: Limits, name: str) -> bytes:
    found = bytearray()
    while piece := await source.read(PIECE):
        found += piece
        if len(found) > limits.size:
            raise ImageTooHeavy(name, len(found), limits.size)
    return bytes(found)


def _name(source: Any) -> str:
    found = getattr(source, "filename", None) or getattr(source, "name", None)
    return found if isinstance(found, str) else "image"


class Stoppable:
    """A file that ends at once when `stop` is set: so a decoder in a thread gives up."""

    def __init__(self, file: BinaryIO, stop: Event | None) -> None:
        self._file = file
        self._stop = stop
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        return b"" if self._stop is not None and self._stop.is_set() else self._file.read(size)
