"""The control groups round a process, innermost first: each may have a limit, and the one reached first counts."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePosixPath

from galvo_memory.errors import Unreadable
from galvo_memory.signals.bound import Bound
from galvo_memory.signals.files import fields, number, read, there
from galvo_memory.signals.mounts import Mount, mounts

NO_LIMIT = 1 << 60
"""Bytes: version 1 writes its largest number of pages where there is no limit."""


class Groups:
    """Of the process whose cgroup file is `cgroup`; found anew when it is moved."""

    def __init__(self, cgroup: Path, mountinfo: Path) -> None:
        self._cgroup = cgroup
        self._mountinfo = mountinfo
        self._text: str | None = None
        self._folders: list[Path] = []
        self._version = 2
        self.problems: list[str] = []

    def bounds(self) -> list[Bound]:
        """Those with a limit. What cannot be read is left out, and told in `problems`."""
        self.problems = []
        found = []
        try:
            self._find()
        except Unreadable as error:
            self._text = None
            self.problems.append(f"{error}: no cgroup's limit is known")
            return []
        for folder in self._folders:
            try:
                bound = self._bound(folder)
            except Unreadable as error:
                self.problems.append(f"{error}: this cgroup's limit is not known")
                continue
            if bound is not None:
                found.append(bound)
        return found

    @property
    def pressure(self) -> Path | None:
        """The group's own PSI; only version 2 has that."""
        path = self._folders[0] / "memory.pressure" if self._folders and self._version == 2 else None
        with suppress(Unreadable):
            return path if path is not None and there(path) else None
        return None

    def _find(self) -> None:
        text = read(self._cgroup)
        if text == self._text:
            return
        groups = dict(_memberships(text))
        if not groups:
            raise Unreadable(self._cgroup, "it names no group that tells of memory")
        mount = next((one for one in mounts(self._mountinfo) if one.version in groups), None)
        if mount is None:
            raise Unreadable(self._mountinfo, "it names no mounted cgroup that tells of memory")
        self._version = mount.version
        self._folders = _folders(mount, groups[mount.version])
        self._text = text

    def _bound(self, folder: Path) -> Bound | None:
        """None without a limit, and where the controller is not on."""
        usage = folder / USAGE[self._version]
        own = folder == self._folders[0]
        if not (self._version == 1 and own) and not there(usage):
            return None  # the hierarchy's root, or a group without the memory controller
        stat, limits = folder / "memory.stat", [number(folder / LIMIT[self._version])]
        if self._version == 1 and own:
            limits += fields(stat, "hierarchical_memory_limit")  # also of groups that a container does not see
        elif self._version == 2 and there(high := folder / "memory.high"):
            limits.append(number(high))  # above it, every allocation has to wait
        limit = min((one for one in limits if one is not None and one < NO_LIMIT), default=None)
        if limit is None:
            return None
        used, [cache] = number(usage), fields(stat, CACHE[self._version])
        return Bound(str(folder), limit, max(0, (used or 0) - (cache or 0)))


LIMIT = {1: "memory.limit_in_bytes", 2: "memory.max"}
USAGE = {1: "memory.usage_in_bytes", 2: "memory.current"}
CACHE = {1: "total_inactive_file", 2: "inactive_file"}
"""What can be taken back at once."""


def _memberships(text: str) -> list[tuple[int, str]]:
    """The group of each version, from lines like "4:memory:/a/b" and "0::/a/b"."""
    found = []
    for line in text.splitlines():
        number, controllers, path = ([*line.split(":", 2), "", ""])[:3]
        if number == "0" and not controllers:
            found.append((2, path))
        elif "memory" in controllers.split(","):
            found.append((1, path))
    return found


def _folders(mount: Mount, group: str) -> list[Path]:
    """From the group up to the mount's root; the root alone when the group lies outside of what is mounted."""
    path, root = PurePosixPath(group), PurePosixPath(mount.root)
    inside = path.relative_to(root) if path.is_relative_to(root) else path.relative_to("/")
    if ".." in inside.parts:
        return [mount.at]
    here = mount.at / inside
    if not there(here):
        return [mount.at]
    return [here, *(parent for parent in here.parents if parent.is_relative_to(mount.at))]
