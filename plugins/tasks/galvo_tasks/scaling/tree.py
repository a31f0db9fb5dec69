"""What processes and their children have of memory: proc(5)'s PID/{status,smaps_rollup} and PID/task/TID/children."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic

import msgspec

PROC = Path("/proc")
SELDOM = 30.0
"""Seconds until it is asked anew what a process shares with others."""
KIB = 1024


class Use(msgspec.Struct, frozen=True):
    """Bytes."""

    own: int
    """Shared with nobody: what its end gives back."""
    peak: int
    """The most that `own` has been, as far as the peak of RSS tells."""


class Tree:
    """Looks at processes again and again. What they share is asked seldom: the kernel goes through all of their pages
    for that, 2 ms per 100 MiB.
    """

    def __init__(self, proc: Path = PROC, clock: Callable[[], float] = monotonic) -> None:
        self._proc = proc
        self._clock = clock
        self._shared: dict[int, tuple[float, int]] = {}
        """Bytes of RSS, by process, and when they are to be asked anew."""

    def look(self, pids: Iterable[int]) -> dict[int, Use]:
        """Of these and all below them; those that are gone, or another user's, are left out."""
        found = {pid: use for pid in family(pids, self._proc) if (use := self._use(pid))}
        self._shared = {pid: shared for pid, shared in self._shared.items() if pid in found}
        return found

    def _use(self, pid: int) -> Use | None:
        now = self._clock()
        due, shared = self._shared.get(pid, (now, 0))
        try:
            if now >= due:
                shared = _shared(self._proc / str(pid))
                self._shared[pid] = now + SELDOM, shared
            status = _fields(self._proc / str(pid) / "status", "VmRSS", "VmHWM")
        except OSError:
            return None
        own = max(0, status.get("VmRSS", 0) - shared)
        return Use(own, max(own, status.get("VmHWM", 0) - shared))


def _shared(process: Path) -> int:
    found = _fields(process / "smaps_rollup", "Rss", "Private_Clean", "Private_Dirty", "Private_Hugetlb")
    rss = found.pop("Rss", 0)
    return max(0, rss - sum(found.values()))


def resident(proc: Path = PROC) -> int:
    """RSS of this process, in bytes; 0 where nobody knows."""
    try:
        return _fields(proc / "self/status", "VmRSS").get("VmRSS", 0)
    except OSError:
        return 0


def machine(proc: Path = PROC) -> tuple[int, int] | None:
    """Bytes that there are, and that are used; None where nobody knows."""
    try:
        found = _fields(proc / "meminfo", "MemTotal", "MemAvailable")
        return found["MemTotal"], found["MemTotal"] - found["MemAvailable"]
    except (OSError, KeyError):
        return None


def family(pids: Iterable[int], proc: Path = PROC) -> list[int]:
    """These, and all below them."""
    found: list[int] = []
    left = list(pids)
    while left:
        found.append(pid := left.pop())
        left.extend(_children(pid, proc))
    return found


def _children(pid: int, proc: Path) -> list[int]:
    try:
        tasks = list((proc / str(pid) / "task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (OSError, ValueError):
        return []


def _fields(path: Path, *names: str) -> dict[str, int]:
    """Bytes, of lines like "Rss:    12 kB"."""
    found = {}
    for line in path.read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in names:
            found[name] = int(rest.split()[0]) * KIB
    return found
