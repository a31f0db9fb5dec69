"""What `galvo doctor` says of the interpreter, the installed packages and the process's limits."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path

from galvo.checkup import Finding
from galvo.plugin import API_VERSION
from galvo.sizes import show

PYTHON_ENDS = {
    (3, 11): date(2027, 10, 31), (3, 12): date(2028, 10, 31), (3, 13): date(2029, 10, 31), (3, 14): date(2030, 10, 31),
}  # fmt: skip
"""When the last security fix comes (https://devguide.python.org/versions/); newer ones live longer."""
SOON = 180
"""Days before an end at which it is time to plan."""
FILES = 1024
"""Open files with which a web application with a pool and a few hundred clients gets along."""
SHARED = Path("/dev/shm")  # noqa: S108  # it is looked at, nothing is written

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def today() -> date:
    return datetime.now(UTC).date()


def versions() -> Iterator[Finding]:
    end = PYTHON_ENDS.get(sys.version_info[:2])
    found = f"{platform.python_version()} on {platform.system()} {platform.release()} ({platform.machine()})"
    if end is not None and end <= today():
        yield Finding("Python", f"{found}, no fixes since {end}", "problem", "move to a newer Python")
    elif end is not None and (end - today()).days <= SOON:
        yield Finding("Python", f"{found}, no fixes after {end}", "advice", "plan the move to a newer Python")
    else:
        yield Finding("Python", found)
    yield Finding("galvo", f"{metadata.version('galvo')}, plugin API {'.'.join(map(str, API_VERSION))}")
    yield _plugins()


def _plugins() -> Finding:
    found = {
        point.dist.name: point.dist.version for point in metadata.entry_points(group="galvo.plugins") if point.dist
    }
    if not found:
        return Finding("plugins", "none is installed", "problem", "pip install galvo-pool: without it no SQL runs")
    groups: dict[str, list[str]] = {}
    for name, version in sorted(found.items()):
        groups.setdefault(version, []).append(name)
    return Finding("plugins", "; ".join(f"{version}: {', '.join(names)}" for version, names in groups.items()))


def limits() -> Iterator[Finding]:
    yield from _files()
    yield _cores()
    yield from _shared()
    if hasattr(os, "geteuid"):
        root = os.geteuid() == 0
        found = "root" if root else f"user {os.geteuid()}"
        advice = "run the application as a user of its own" if root else ""
        yield Finding("user", found, "advice" if root else "ok", advice)


def _files() -> Iterator[Finding]:
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        yield Finding("open files", "no limit")
    elif soft < FILES:
        most = "no limit" if hard == resource.RLIM_INFINITY else hard
        advice = f"ulimit -n {FILES} (hard limit: {most}), LimitNOFILE={FILES} in a systemd unit"
        yield Finding("open files", f"{soft} at most", "problem" if soft < 256 else "advice", advice)
    else:
        yield Finding("open files", f"{soft} at most")


def _cores() -> Finding:
    there = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    found = f"{allowed}" if allowed == there else f"{allowed} of {there}"
    share = _quota()
    if share is not None and share < allowed:
        advice = "raise the quota of its control group (docker run --cpus), or expect pauses when it is used up"
        return Finding(
            "CPUs", f"{found}, and of their time {share:g}", "advice" if share < 1 else "ok", advice * (share < 1)
        )
    return Finding("CPUs", found)


def _quota() -> float | None:
    """CPUs that the control group may use together; None: no limit, or not known."""
    try:
        quota, period = QUOTA.read_text("ascii").split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _shared() -> Iterator[Finding]:
    if not SHARED.is_dir():
        return
    told = os.statvfs(SHARED)
    free, whole = told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize
    found = f"{show(free)} of {show(whole)} free"
    if free < 64 << 20:
        yield Finding("shared memory", found, "advice", f"free {SHARED}, or docker run --shm-size=256m: servers use it")
    else:
        yield Finding("shared memory", found)
