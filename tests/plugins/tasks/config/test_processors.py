"""Files as Linux writes them: version 2, version 1, a hybrid, a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from galvo_tasks.config.memory import memory
from galvo_tasks.config.processors import Paths, Processors, processors


def files(folder: Path, cgroup: str, mount: str, quotas: dict[str, str]) -> Paths:
    at = folder / "groups"
    for name, text in quotas.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    paths = Paths(folder / "cgroup", folder / "mountinfo")
    paths.cgroup.write_text(cgroup)
    paths.mountinfo.write_text(mount.format(at=at))
    return paths


V2 = "41 31 0:38 / {at} rw,relatime - cgroup2 cgroup2 rw\n"
V1 = "32 31 0:29 / {at} rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
CONTAINER = "32 31 0:29 /docker/abc {at} rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"


@pytest.mark.parametrize(
    "cgroup, mount, quotas, quota",
    [
        ("0::/a/b\n", V2, {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", V2, {"a/b/cpu.max": "50000 100000\n", "a/cpu.max": "150000 100000\n"}, 0.5),
        ("0::/a/b\n", V2, {"a/b/cpu.max": "max 100000\n"}, None),
        ("4:cpu,cpuacct:/a\n0::/\n", V1, {"a/cpu.cfs_quota_us": "300000\n", "a/cpu.cfs_period_us": "100000\n"}, 3.0),
        ("4:cpu,cpuacct:/a\n", V1, {"a/cpu.cfs_quota_us": "-1\n", "a/cpu.cfs_period_us": "100000\n"}, None),
        ("4:cpu:/docker/abc\n", CONTAINER, {"cpu.cfs_quota_us": "5000\n", "cpu.cfs_period_us": "10000\n"}, 0.5),
        ("4:cpu:/elsewhere\n", CONTAINER, {"cpu.cfs_quota_us": "5000\n", "cpu.cfs_period_us": "10000\n"}, 0.5),
        ("4:cpu:/docker/abc/in\n", CONTAINER, {"in/cpu.cfs_quota_us": "2\n", "in/cpu.cfs_period_us": "1\n"}, 2.0),
        ("0::/../..\n", V2, {"cpu.max": "20000 10000\n"}, 2.0),
        ("0::/a\n", V2, {"a/cpu.max": "nonsense\n"}, None),
        ("nonsense\n", "nonsense\n", {}, None),
        ("", "", {}, None),
    ],
)
def test_the_quota_of_the_groups(
    tmp_path: Path, cgroup: str, mount: str, quotas: dict[str, str], quota: float | None
) -> None:
    assert processors(files(tmp_path, cgroup, mount, quotas)).quota == quota


@pytest.mark.parametrize(
    "available, quota, usable", [(8, None, 8), (8, 2.0, 2), (8, 1.5, 2), (8, 0.1, 1), (2, 16.0, 2)]
)
def test_what_is_usable(available: int, quota: float | None, usable: int) -> None:
    assert Processors(available, quota).usable == usable


def test_the_affinity_counts() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert processors().usable == 1
    finally:
        os.sched_setaffinity(0, before)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert processors(Paths(tmp_path / "a", tmp_path / "b")).quota is None


def test_the_memory_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n")
    found = memory(meminfo=path)
    assert (found.limit, found.used, found.bound) == (1000 << 10, 600 << 10, "machine")
    assert memory(meminfo=tmp_path / "none").limit == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
