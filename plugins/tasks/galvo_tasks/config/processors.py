"""How many CPUs this process may use: its affinity, and the quota of each control group round it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path, PurePosixPath

import msgspec

ESCAPED = re.compile(r"\\([0-7]{3})")


class Paths(msgspec.Struct, frozen=True):
    """Parameters, so that tests can say something else."""

    cgroup: Path = Path("/proc/self/cgroup")
    mountinfo: Path = Path("/proc/self/mountinfo")


class Processors(msgspec.Struct, frozen=True):
    available: int
    """By the affinity (sched_getaffinity(2)): what taskset and cpusets leave."""
    quota: float | None = None
    """CPUs' worth of time: cpu.max (cgroup v2) or cpu.cfs_quota_us (v1), the smallest round this process."""

    @property
    def usable(self) -> int:
        """Whole CPUs, one at least; a part of one is used, too."""
        return self.available if self.quota is None else max(1, min(self.available, ceil(self.quota)))


def processors(paths: Paths | None = None) -> Processors:
    """Files that cannot be read, or say what nobody knows, set no limit."""
    return Processors(_available(), min(_quotas(paths or Paths()), default=None))


def _available() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(paths: Paths) -> Iterator[float]:
    """Of every group that has one, in both versions: in a hybrid either may hold the controller."""
    groups = dict(_groups(_read(paths.cgroup)))
    for version, root, at in _mounts(_read(paths.mountinfo)):
        if version not in groups:
            continue
        path, base = PurePosixPath(groups[version]), PurePosixPath(root)
        inside = path.relative_to(base) if path.is_relative_to(base) else path.relative_to("/")
        here = at if ".." in inside.parts else at / inside
        for folder in (here, *here.parents):
            if folder.is_relative_to(at) and (quota := _quota(folder, version)) is not None:
                yield quota


def _quota(folder: Path, version: int) -> float | None:
    if version == 2:
        words = _read(folder / "cpu.max").split()
    else:
        words = [_read(folder / name).strip() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    try:
        quota, period = map(int, words)
    except ValueError:
        return None  # "max", or no such file
    return quota / period if quota > 0 and period > 0 else None  # version 1 writes -1 where there is none


def _groups(text: str) -> Iterator[tuple[int, str]]:
    """This process's group of each version, from lines like "4:cpu,cpuacct:/a/b" and "0::/a/b"."""
    for line in text.splitlines():
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            yield 2, path
        elif "cpu" in controllers.split(","):
            yield 1, path


def _mounts(text: str) -> Iterator[tuple[int, str, Path]]:
    """Version, the group at the mount's root, and where: lines as in proc_pid_mountinfo(5)."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(kind) < 3:
            continue
        root, at = (ESCAPED.sub(lambda code: chr(int(code[1], 8)), field) for field in fields[3:5])
        if kind[0] == "cgroup2":
            yield 2, root, Path(at)
        elif kind[0] == "cgroup" and "cpu" in kind[2].split(","):
            yield 1, root, Path(at)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
