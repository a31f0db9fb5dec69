"""Trees of files as Linux has them: cgroup versions 1 and 2, both at once, in containers, nested."""

from __future__ import annotations

from pathlib import Path

from galvo_memory.signals import Paths

MIB = 1 << 20
NO_LIMIT = 9223372036854771712
V2 = "36 25 0:32 {root} {at} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "35 31 0:32 {root} {at} rw,relatime shared:7 master:2 - cgroup cgroup rw,memory\n"
OTHERS = (
    "22 1 0:21 / /proc rw,nosuid - proc proc rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "malformed\n"
)


class Tree:
    """A machine with 1000 MiB of which 400 are used, and a process of 100 MiB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = folder / "cgroup mount"
        self.at.mkdir(parents=True)
        self.paths = Paths(
            statm=folder / "statm", cgroup=folder / "cgroup", mountinfo=folder / "mountinfo",
            pressure=folder / "pressure", meminfo=folder / "meminfo",
        )  # fmt: skip
        self.write("meminfo", f"MemTotal:  {1000 * 1024} kB\nMemFree: 1 kB\nMemAvailable:  {600 * 1024} kB\n")
        self.rss(100)
        self.waiting(0.0)
        self.member("0::/")
        self.mount(V2)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def rss(self, mib: int) -> None:
        self.write("statm", f"99999 {mib * 256} 412 5 0 123 0\n")

    def waiting(self, some: float) -> None:
        self.write("pressure", f"some avg10={some:.2f} avg60=0.00 avg300=0.00 total=3\nfull avg10=9.00 avg60=0.00\n")

    def member(self, *lines: str) -> None:
        """Lines of /proc/PID/cgroup."""
        self.write("cgroup", "".join(f"{line}\n" for line in lines))

    def mount(self, *kinds: str, root: str = "/") -> None:
        escaped = str(self.at).replace(" ", "\\040")
        self.write("mountinfo", OTHERS + "".join(kind.format(root=root, at=escaped) for kind in kinds))

    def v2(self, group: str, current: int, most: int | None, high: int | None = None, cache: int = 0) -> None:
        """MiB."""
        for name, text in {
            "memory.current": f"{current * MIB}\n", "memory.max": _limit(most), "memory.high": _limit(high),
            "memory.stat": f"anon 7\nfile 9\nactive_file 1\ninactive_file {cache * MIB}\n",
        }.items():  # fmt: skip
            self.write(f"{self.at.name}/{group}/{name}", text)

    def v1(self, group: str, usage: int, limit: int | None, whole: int | None = None, cache: int = 0) -> None:
        """MiB. `whole`: the limit of groups around it, seen or not."""
        most = NO_LIMIT if limit is None else limit * MIB
        hierarchical = most if whole is None else whole * MIB
        for name, text in {
            "memory.usage_in_bytes": f"{usage * MIB}\n", "memory.limit_in_bytes": f"{most}\n",
            "memory.stat": f"inactive_file 1\nhierarchical_memory_limit {hierarchical}\n"
            f"total_inactive_file {cache * MIB}\n",
        }.items():  # fmt: skip
            self.write(f"{self.at.name}/{group}/{name}", text)


def _limit(mib: int | None) -> str:
    return "max\n" if mib is None else f"{mib * MIB}\n"
