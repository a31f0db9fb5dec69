"""How much memory the tasks of this machine may use together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

MEMINFO = Path("/proc/meminfo")


class Memory(msgspec.Struct, frozen=True):
    limit: int
    """Bytes; 0: nobody knows."""
    used: int
    """Bytes that count against it already."""
    bound: str
    """Whose limit it is: "machine", a control group's folder, or "[memory] limit"."""


def memory(plugin: Any = None, meminfo: Path = MEMINFO) -> Memory:
    """By the capability "memory" of a kernel, `plugin`, which knows control groups; else the machine's."""
    if plugin is not None:
        for bound in plugin.state().bounds:
            return Memory(bound.limit, bound.used, bound.name)
    return _machine(meminfo)


def _machine(meminfo: Path) -> Memory:
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        total, free = (int(lines[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError, IndexError):
        total, free = _by_pages("SC_PHYS_PAGES"), _by_pages("SC_AVPHYS_PAGES")
    return Memory(total, max(0, total - free), "machine" if total else "")


def _by_pages(name: str) -> int:
    try:
        return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
