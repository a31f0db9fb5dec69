"""A real limit of memory for a worker and all its processes: a control group (v1, as root), or what does the same."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from galvo_tasks.scaling.tree import Tree

MOUNT = Path("/sys/fs/cgroup/memory")


class Group:
    """`join` is a shell command that puts the shell that runs it into the group."""

    join = ":"
    configured = ""
    """What the settings need to know of it."""

    def killed(self) -> int:
        """Processes that were killed for the limit."""
        raise NotImplementedError

    def watch(self, pid: int) -> None:
        """The worker's main process has this id."""


class Control(Group):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.join = f"echo $$ > {folder}/cgroup.procs"

    def killed(self) -> int:
        lines = (self._folder / "memory.oom_control").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


class Sum(Group):
    """Where nobody may make groups: kills the largest process when all together have more, as the OOM killer does."""

    def __init__(self, limit: int) -> None:
        self.configured = f"[memory]\nlimit = {limit}\n"
        self._limit = limit
        self._killed = 0
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def killed(self) -> int:
        return self._killed

    def watch(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._run, args=(pid,))
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, pid: int) -> None:
        tree = Tree()
        while not self._end.wait(0.02):
            uses = {one: found.own for one, found in tree.look([pid]).items()}
            if sum(uses.values()) > self._limit:
                self._killed += 1
                with suppress(ProcessLookupError):
                    os.kill(max(uses, key=lambda one: uses[one]), signal.SIGKILL)


@contextmanager
def limited(limit: int) -> Iterator[Group]:
    """Bytes, for all that joins it."""
    folder = MOUNT / f"galvo-test-{os.getpid()}-{time.monotonic_ns()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(limit))
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        group = Sum(limit)
        try:
            yield group
        finally:
            group.close()
        return
    try:
        yield Control(folder)
    finally:
        _empty(folder)
        folder.rmdir()


def _empty(folder: Path, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while pids := (folder / "cgroup.procs").read_text().split():
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        assert time.monotonic() < end, f"{pids} do not end"
        time.sleep(0.01)
