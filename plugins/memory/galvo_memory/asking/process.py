"""What the kernel tells of any process, without its help."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from galvo_local import printable
from galvo_memory.errors import MemoryProblem, Unreadable
from galvo_memory.signals.files import fields, read

KIB = 1024
UNITS = ("VmHWM", "RssAnon", "RssFile", "RssShmem", "VmSwap")
STARTED = 22
"""The field of /proc/PID/stat that says when, in ticks since the machine's start (proc_pid_stat(5))."""


class NoProcess(MemoryProblem):
    """There is none with that number, or it may not be looked at."""


class Process(msgspec.Struct, frozen=True):
    pid: int
    command: str
    seconds: float
    """Since its start."""
    started: int
    """Ticks: with the pid, the process's identity."""
    peak: int
    """Bytes of RSS that it had at most."""
    anonymous: int
    """Bytes that it has allocated."""
    files: int
    """Bytes of programs and libraries, mostly, which others may have in common."""
    shared: int
    swapped: int

    @classmethod
    def of(cls, pid: int, proc: Path = Path("/proc")) -> Process:
        """Raises NoProcess."""
        folder = proc / str(pid)
        try:
            numbers = [(found or 0) * KIB for found in fields(folder / "status", *UNITS)]
            stat = read(folder / "stat").rpartition(")")[2].split()
            started = int(stat[STARTED - 3])
            up = float(read(proc / "uptime").split()[0])
            command = read(folder / "cmdline").replace("\0", " ").strip() or read(folder / "comm").strip()
        except Unreadable as error:
            raise NoProcess(f"no process {pid} that can be looked at: {error}") from None
        except (ValueError, IndexError):
            raise NoProcess(f"process {pid}: its /proc files are not as Linux writes them") from None
        if stat[0] == "Z":
            raise NoProcess(f"process {pid} has ended")
        seconds = max(0.0, up - started / os.sysconf("SC_CLK_TCK"))
        return cls(pid, printable(command), seconds, started, *numbers)
