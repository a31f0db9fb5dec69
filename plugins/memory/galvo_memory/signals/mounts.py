"""Where control groups are mounted: lines of /proc/self/mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from galvo_memory.signals.files import read

ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(msgspec.Struct, frozen=True):
    root: str
    """The group that is at `at`: "/" unless only a part of the hierarchy is mounted, as in containers."""
    at: Path
    version: int


def mounts(path: Path) -> list[Mount]:
    """Those that tell of memory, version 1 first: in a hybrid only that one has the controller. Raises Unreadable."""
    return sorted(_found(read(path)), key=lambda mount: mount.version)


def _found(text: str) -> Iterator[Mount]:
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(kind) < 3:
            continue
        root, at = (ESCAPED.sub(lambda code: chr(int(code[1], 8)), field) for field in fields[3:5])
        if kind[0] == "cgroup2":
            yield Mount(root, Path(at), 2)
        elif kind[0] == "cgroup" and "memory" in kind[2].split(","):
            yield Mount(root, Path(at), 1)
