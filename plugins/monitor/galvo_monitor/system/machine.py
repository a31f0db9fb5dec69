"""CPU, memory, pressure and the own process: ten values in less than half a millisecond."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

import msgspec
import psutil

PRESSURE = Path("/proc/pressure")
TOTAL = re.compile(r"^(some|full) .*total=(\d+)", re.M)
KINDS = (("cpu", "some"), ("memory", "some"), ("memory", "full"), ("io", "some"), ("io", "full"))
"""That all tasks wait for the CPU cannot be, of a whole machine."""


class Sample(msgspec.Struct, frozen=True):
    """Shares are 0 to 1; None is what cannot be read, or needs an earlier sample to be told."""

    at: float
    """Monotonic seconds."""
    cpu: float | None
    memory: float | None
    available: float | None
    """Bytes."""
    own_cpu: float | None
    """Of all CPUs."""
    rss: float | None
    threads: float | None
    files: float | None
    pressure: dict[tuple[str, str], float]
    """By resource and kind: share of the time since the last sample in which some, or all, tasks waited for it."""


class Machine:
    """`sample` blocks for a moment: call it in a thread, never in two at once.

    Shares are of the time between two samples, by own differences: psutil keeps its own for each thread.
    """

    def __init__(self, *, pressure: Path = PRESSURE, clock: Callable[[], float] = monotonic) -> None:
        self._pressure = pressure
        self._clock = clock
        self._own = psutil.Process()
        self._cpus = psutil.cpu_count() or 1
        self._before: dict[str, float] = {}

    def sample(self) -> Sample:
        """Never raises."""
        now = self._clock()
        sums = {"at": now, **self._cpu(), **self._stalls()}
        memory = self._memory()
        own = self._process()
        if "cpu" in own:
            sums["own"] = own["cpu"]
        before, self._before = self._before, sums

        def share(name: str, whole: str) -> float | None:
            parts = (name, whole)
            if any(part not in sums or part not in before for part in parts):
                return None
            length = sums[whole] - before[whole]
            return min(1.0, max(0.0, (sums[name] - before[name]) / length)) if length > 0 else None

        seconds = sums["at"] - before["at"] if before else 0.0
        own_cpu = (sums["own"] - before["own"]) / seconds / self._cpus if seconds > 0 and "own" in before else None
        stalled = {kinds: share("/".join(kinds), "at") for kinds in KINDS}
        return Sample(
            at=now,
            cpu=share("busy", "cpu"),
            memory=memory[0],
            available=memory[1],
            own_cpu=own_cpu,
            rss=own.get("rss"),
            threads=own.get("threads"),
            files=own.get("files"),
            pressure={kinds: value for kinds, value in stalled.items() if value is not None},
        )

    def _cpu(self) -> dict[str, float]:
        try:
            times = psutil.cpu_times()
        except (psutil.Error, OSError, RuntimeError):
            return {}
        # Guests are in `user` already.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return {"cpu": total, "busy": total - times.idle - getattr(times, "iowait", 0.0)}

    def _memory(self) -> tuple[float | None, float | None]:
        try:
            memory = psutil.virtual_memory()
        except (psutil.Error, OSError, RuntimeError):
            return None, None
        return 1 - memory.available / memory.total, float(memory.available)

    def _process(self) -> dict[str, float]:
        found: dict[str, float] = {}
        with suppress(psutil.Error, OSError), self._own.oneshot():
            times = self._own.cpu_times()
            found["cpu"] = times.user + times.system
            found["rss"] = float(self._own.memory_info().rss)
            found["threads"] = float(self._own.num_threads())
            found["files"] = float(self._own.num_fds())
        return found

    def _stalls(self) -> dict[str, float]:
        """Seconds since the machine's start, by "io/some"; what this kernel does not tell is not in it."""
        found: dict[str, float] = {}
        for resource in ("cpu", "memory", "io"):
            with suppress(OSError, ValueError):
                for kind, total in TOTAL.findall((self._pressure / resource).read_text()):
                    found[f"{resource}/{kind}"] = int(total) / 1e6
        return found
