"""Reading at places of a file, never beyond its end."""

from __future__ import annotations

from threading import Event
from typing import BinaryIO

from galvo_memory.images.errors import TruncatedImage


class Reader:
    def __init__(self, file: BinaryIO, size: int, name: str, stop: Event | None = None) -> None:
        """`size` in bytes is that of `file`, which can seek and ends at once when `stop` is set."""
        self.size = size
        self.name = name
        self._file = file
        self._stop = stop

    def at(self, place: int, count: int) -> bytes:
        """`count` bytes from `place` on. Raises TruncatedImage."""
        if place + count <= self.size and not (self._stop is not None and self._stop.is_set()):
            self._file.seek(place)
            found = self._file.read(count)
            if len(found) == count:
                return found
        raise TruncatedImage(
            self.name, f"byte {place + count:,} is needed, and it ends after {self.size:,}: send it again"
        )

    def number(self, place: int, count: int, order: str = "big") -> int:
        """An unsigned number of `count` bytes. Raises TruncatedImage."""
        return int.from_bytes(self.at(place, count), "little" if order == "little" else "big")
