"""asyncpg's suite, as a command: it finds what differs from asyncpg.Pool, and only that. A small part runs here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from tests.asyncpg_suite.__main__ import DIFFERENT, INTERRUPTED, NO_SOURCES
from tests.conftest import in_memory

COMMAND = [sys.executable, "-m", "tests.asyncpg_suite"]
HERE = __name__


class Faithful(asyncpg.Pool):
    """Adds nothing."""


class Careless(asyncpg.Pool):
    """Never calls `reset`; a connection whose `setup` failed is taken away from those who still have it."""

    def __init__(self, *args: Any, setup: Any, reset: object = None, **kwargs: Any) -> None:
        async def taking_away(connection: Any) -> None:
            try:
                await setup(connection)
            except BaseException:
                connection._detach()
                raise

        super().__init__(*args, setup=setup and taking_away, **kwargs)


def environment() -> dict[str, str]:
    """Its servers sync what they write: in memory that is a fifth of the time."""
    return {**os.environ, "TMPDIR": in_memory() or tempfile.gettempdir()}


def command(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, *arguments]
    done = subprocess.run(words, cwd=project, env=environment(), capture_output=True, text=True, timeout=110)
    if done.returncode == NO_SOURCES and not os.environ.get("CI"):
        pytest.skip(done.stderr)
    assert not done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    return done


@pytest.mark.parametrize("way", ["pool", "lent"])
def test_a_pool_that_adds_nothing(way: str, project: Path) -> None:
    names = "test_pool_0 or test_execute_script or test_cursor_iterable_0"
    done = command(project, "--way", way, "--variant", f"{HERE}:Faithful", "-k", names)
    assert done.returncode == 0, done.stdout
    *_, stock, ours = (line.split() for line in done.stdout.splitlines())
    assert stock[2:6] == ours[2:6]
    passed, failed, skipped, subtests, pools = map(int, ours[2:7])
    assert passed > 15
    assert (failed, skipped) == (0, 0)
    assert subtests > 15
    assert pools > (20 if way == "pool" else 30)


def test_a_pool_that_lacks_something(project: Path) -> None:
    """In one of the tests only a subtest fails."""
    names = "test_pool_0 or test_pool_exception_in_setup_and_init"
    done = command(project, "--way", "pool", "--variant", f"{HERE}:Careless", "-k", names)
    assert done.returncode == DIFFERENT
    assert "2 that pass with asyncpg.Pool and not with this one:" in done.stdout
    assert "test_pool.py::TestPool::test_pool_07\n    AssertionError: 0 != 10\n" in done.stdout
    assert "test_pool.py::TestPool::test_pool_exception_in_setup_and_init\n" in done.stdout


def test_interrupted(project: Path) -> None:
    """Ctrl-C: one line, exit code 130, nothing left."""
    victim = subprocess.Popen(
        [*COMMAND, "--way", "pool", "--variant", f"{HERE}:Faithful"],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    children = until_a_server_runs(victim)
    victim.send_signal(signal.SIGINT)
    _, err = victim.communicate(timeout=60)
    assert victim.returncode == INTERRUPTED
    assert err == "interrupted\n"
    assert not [child for child in children if child.is_running()]


def until_a_server_runs(command: subprocess.Popen[str]) -> list[psutil.Process]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if command.poll() == NO_SOURCES and not os.environ.get("CI"):
            pytest.skip(command.communicate()[1])
        assert command.poll() is None, command.communicate()[1]
        children = psutil.Process(command.pid).children(recursive=True)
        if any(name(child).startswith("postgres: checkpointer") for child in children):
            return children
        time.sleep(0.05)
    raise AssertionError("no server of the suite came up")


def name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
