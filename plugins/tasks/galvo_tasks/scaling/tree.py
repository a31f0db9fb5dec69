"""What processes and their children have of memory: proc(5)'s PID/{status,smaps_rollup} and PID/task/TID/children."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

PROC = Path("/proc")
KIB = 1024


class Use(msgspec.Struct, frozen=True):
    """Bytes."""

    own: int
    """Shared with nobody: what its end gives back."""
    peak: int
    """The most that `own` has been, as far as the peak of RSS tells."""


def use(pid: int, proc: Path = PROC) -> Use | None:
    """None for a process that is gone, or another user's."""
    try:
        rollup = _fields(proc / str(pid) / "smaps_rollup", "Rss", "Private_Clean", "Private_Dirty", "Private_Hugetlb")
        status = _fields(proc / str(pid) / "status", "VmHWM")
    except OSError:
        return None
    rss = rollup.get("Rss", 0)
    own = sum(rollup.values()) - rss
    return Use(own, own + max(0, status.get("VmHWM", 0) - rss))


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
