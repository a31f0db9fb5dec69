"""Bytes of memory that a process has: one read of a file that stays open."""

from __future__ import annotations

import os

from galvo_memory.errors import Unreadable
from galvo_memory.signals.paths import Paths

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
"""Bytes."""


class Resident:
    """RSS of one process; other ways are slower and only tried when there is no /proc."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._handle = -1
        self._opened_by = 0
        self.problem = ""

    def read(self) -> int:
        """Bytes. Raises Unreadable when nothing tells them: the process has ended, or may not be looked at."""
        if self._opened_by != os.getpid():  # after a fork it is still the parent's file
            self.close()
        try:
            if self._handle < 0:
                self._handle = os.open(self._paths.statm, os.O_RDONLY)
                self._opened_by = os.getpid()
            value = int(os.pread(self._handle, 128, 0).split()[1]) * PAGE
        except (OSError, ValueError, IndexError) as error:
            self.close()
            why = getattr(error, "strerror", None) or "it is not as Linux writes it"
            return self._otherwise(Unreadable(self._paths.statm, why))
        self.problem = ""
        return value

    def _otherwise(self, error: Unreadable) -> int:
        import psutil  # 4 MiB that Linux does not need

        try:
            value = int(psutil.Process(self._paths.pid or None).memory_info().rss)
        except (psutil.Error, OSError):
            raise error from None
        self.problem = f"{error}: psutil is asked instead"
        return value

    def close(self) -> None:
        """The next read opens the file anew."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def __del__(self) -> None:
        self.close()  # a trace may have read on after the plugin's end
