"""Where the kernel tells of memory; parameters, so that tests can say something else."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class Paths(msgspec.Struct, frozen=True):
    statm: Path = Path("/proc/self/statm")
    cgroup: Path = Path("/proc/self/cgroup")
    mountinfo: Path = Path("/proc/self/mountinfo")
    """Of whoever reads: another process's would name folders as that one sees them."""
    pressure: Path = Path("/proc/pressure/memory")
    """Of the machine; a cgroup's own is taken where there is one."""
    meminfo: Path = Path("/proc/meminfo")
    pid: int = 0
    """0: this process."""

    @classmethod
    def of(cls, pid: int) -> Paths:
        """Those of another process."""
        folder = Path("/proc") / str(pid)
        return cls(statm=folder / "statm", cgroup=folder / "cgroup", pid=0 if pid == os.getpid() else pid)
