"""Processes that a subject has started: none outlives it, however it ends. Servers look after themselves."""

from __future__ import annotations

from contextlib import suppress

import psutil


class Children:
    """Those that are there when this is made are somebody else's."""

    def __init__(self) -> None:
        self._others = set(psutil.Process().children())

    def end(self) -> int:
        """Kill those that are left, with all of theirs; how many there were."""
        left = [process for process in psutil.Process().children() if process not in self._others]
        for process in left:
            theirs: list[psutil.Process] = []
            with suppress(psutil.Error):
                theirs = process.children(recursive=True)
            for one in (process, *theirs):
                with suppress(psutil.Error):
                    one.kill()
        psutil.wait_procs(left, timeout=10)
        return len(left)
