"""What a crash of the whole machine leaves in the folder does not stop the next start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from galvo_embedded import Servers
from tests.plugins.embedded.conftest import alive

pytestmark = pytest.mark.anyio


@pytest.fixture
def reused_pid(seeded: Path) -> int:
    """The pid of a living process of the server's own user, as a container's restart hands them out."""
    owner = (seeded / "postgres-18" / "data").stat().st_uid
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter(["uids"]):
        if process.info["uids"] and process.info["uids"].real == owner and process.pid not in mine:
            return process.pid
    return 1


async def test_a_stale_pid_in_use_by_something_else(
    seeded: Path, make: Callable[..., Servers], reused_pid: int
) -> None:
    data = seeded / "postgres-18" / "data"
    pid_file = data / "postmaster.pid"
    pid_file.write_text(f"{reused_pid}\n{data}\n1700000000\n5432\n/tmp/gone\n\n  0  0\nready   \n")
    shutil.chown(pid_file, data.stat().st_uid)
    assert await make(seeded).postgres()


async def test_stale_url_sockets_and_half_done_initdb(seeded: Path, make: Callable[..., Servers]) -> None:
    home = seeded / "postgres-18"
    (home / "data").rename(home / "new-half")
    (home / "url").write_text("postgresql://nowhere\n18.0\n/tmp/galvo-gone/.s.PGSQL.5432\n")
    (home / "url.new").write_text("half")
    (home / "sockets").symlink_to(seeded / "galvo-gone")
    assert "nowhere" not in await make(seeded).postgres()
    assert not (home / "new-half").exists()


async def test_an_empty_data_folder(seeded: Path, make: Callable[..., Servers]) -> None:
    data = seeded / "postgres-18" / "data"
    shutil.rmtree(data)
    data.mkdir()
    assert await make(seeded).postgres()


async def test_the_folder_was_removed_under_a_running_server(
    folder: Path,
    make: Callable[..., Servers],
    processes: Callable[[Path], list[psutil.Process]],
    until: Callable[[Callable[[], object]], None],
) -> None:
    servers = make(folder)
    first, running = await servers.redis(), processes(folder)
    assert running
    shutil.rmtree(folder / "redis")
    assert await make(folder).redis() != first
    servers.close()
    until(lambda: not any(map(alive, running)))  # their locks went with the folder: nobody else can wait for them
