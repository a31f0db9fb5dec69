"""A fault of one part of a plugin neither ends the plugin nor keeps the other parts from their work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class Surviving:
    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told: set[str] = set()
        self.faults = 0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Its errors are counted, and each kind is logged once."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is, the rest has to go on
            self.faults += 1
            self.tell(f"{name} failed, and the rest goes on: {type(error).__name__}: {error}", type(error).__name__)

    def tell(self, sentence: str, kind: str = "") -> None:
        """Log it, unless it, or one of its `kind`, was."""
        key = f"{sentence.partition(':')[0]} {kind}"
        if key not in self._told and len(self._told) < 100:
            self._told.add(key)
            self._log.warning("%s", sentence)
