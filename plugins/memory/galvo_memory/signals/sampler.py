"""Takes samples; microseconds each."""

from __future__ import annotations

import sys
from time import monotonic

from galvo_memory.errors import Unreadable
from galvo_memory.signals.bound import Bound
from galvo_memory.signals.files import fields
from galvo_memory.signals.groups import Groups
from galvo_memory.signals.paths import Paths
from galvo_memory.signals.resident import Resident
from galvo_memory.signals.rlimits import rlimits
from galvo_memory.signals.sample import Sample
from galvo_memory.signals.stalled import stalled

KIB = 1024


class Sampler:
    """Of one process. What cannot be read is left out of the samples, and `problems` says in a sentence why."""

    def __init__(self, paths: Paths | None = None, *, limit: int | None = None) -> None:
        """`limit`: bytes, as configured."""
        self._paths = paths or Paths()
        self._limit = limit
        self._resident = Resident(self._paths)
        self._groups = Groups(self._paths.cgroup, self._paths.mountinfo)
        self._others: list[str] = []

    @property
    def problems(self) -> list[str]:
        """Of the last sample."""
        if sys.platform != "linux":
            return [f"{sys.platform} has no /proc: psutil tells of memory; cgroups and who waits are not known"]
        return [*filter(None, [self._resident.problem]), *self._groups.problems, *self._others]

    def rss(self) -> int:
        """Bytes, and nothing else. Raises Unreadable."""
        return self._resident.read()

    def sample(self) -> Sample:
        """Raises Unreadable when not even RSS can be read."""
        rss = self._resident.read()
        self._others = []
        bounds = [*self._groups.bounds(), *self._own()]
        if self._limit is not None:
            bounds.append(Bound("[memory] limit", self._limit, rss))
        if (machine := self._machine()) is not None:
            bounds.append(machine)
        smallest = min(bounds, key=lambda bound: bound.limit, default=None)
        fullest = max(bounds, key=lambda bound: bound.share, default=None)
        return Sample(
            rss=rss,
            limit=smallest.limit if smallest else None,
            used=smallest.used if smallest else rss,
            psi_some10=self._stalled(),
            blocks=0 if self._paths.pid else sys.getallocatedblocks(),
            at=monotonic(),
            bound=smallest.name if smallest else "",
            fullest=fullest if smallest and fullest and fullest.share > smallest.share else None,
        )

    def _own(self) -> list[Bound]:
        try:
            return rlimits(self._paths)
        except (Unreadable, OSError) as error:
            self._others.append(f"{error}: the limits of the process itself are not known")
            return []

    def _machine(self) -> Bound | None:
        path = self._paths.meminfo
        try:
            total, free = fields(path, "MemTotal", "MemAvailable")
            if total is None or free is None:
                raise Unreadable(path, "it has no MemTotal and MemAvailable")
        except Unreadable as error:
            return self._asked(error)
        return Bound("machine", total * KIB, (total - free) * KIB)

    def _asked(self, error: Unreadable) -> Bound | None:
        """Where there is no /proc/meminfo."""
        import psutil

        try:
            memory = psutil.virtual_memory()
        except (psutil.Error, OSError, RuntimeError):
            self._others.append(f"{error}: the machine's memory is not known")
            return None
        self._others.append(f"{error}: psutil is asked instead")
        return Bound("machine", memory.total, memory.total - memory.available)

    def _stalled(self) -> float:
        try:
            return stalled(self._groups.pressure or self._paths.pressure)
        except Unreadable as error:
            self._others.append(f"{error}: nobody sees who waits for memory")
            return 0.0

    def close(self) -> None:
        self._resident.close()
