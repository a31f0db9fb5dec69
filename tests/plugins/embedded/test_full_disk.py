# ruff: noqa: ASYNC221
# Nothing else runs in these event loops.
"""A full disk, on file systems in memory that are made for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from galvo import PluginError
from galvo_embedded import Servers

pytestmark = pytest.mark.anyio

_ASK = """
import asyncio, sys
from pathlib import Path
from galvo_embedded import Servers
asyncio.run(Servers(Path(sys.argv[1])).postgres())
"""


def _mount(folder: Path, size: str) -> bool:
    options = f"size={size},mode=0711,uid={os.geteuid()}"
    command = ["mount", "-t", "tmpfs", "-o", options, "galvo-test", folder]
    for prefix in ([], ["sudo", "-n"]):
        try:
            if not subprocess.run([*prefix, *command], check=False, capture_output=True).returncode:
                return True
        except FileNotFoundError:
            continue
    return False


@pytest.fixture
def small_disk(folder: Path, ended: Callable[[Path], None]) -> Iterator[Callable[[str], Path]]:
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        disk = folder / "disk"
        disk.mkdir()
        if not _mount(disk, size):
            assert "CI" not in os.environ, "CI must be able to mount a tmpfs"
            pytest.skip("neither root nor sudo: no right to mount a tmpfs")
        mounted.append(disk)
        return disk

    yield mount
    for disk in mounted:
        ended(disk)
        for attempt in range(100):  # the last of the server's processes may still be ending
            command = [*(["sudo", "-n"] if os.geteuid() else []), "umount", disk]
            if not subprocess.run(command, check=attempt == 99, capture_output=True).returncode:
                break
            time.sleep(0.1)


async def test_at_the_first_start(small_disk: Callable[[str], Path], make: Callable[..., Servers]) -> None:
    disk = small_disk("8m")
    with pytest.raises(PluginError, match=f"no space left on {disk}/postgres-18: free some or set GALVO_EMB"):
        await make(disk).postgres()
    assert not list(disk.glob("postgres-18/new-*"))


async def test_at_a_later_start(
    small_disk: Callable[[str], Path], make: Callable[..., Servers], ended: Callable[[Path], None]
) -> None:
    disk = small_disk("96m")
    servers = make(disk)
    await servers.postgres()
    servers.close()
    ended(disk)
    ballast = disk / "ballast"
    subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=4k"], check=False, capture_output=True)
    with pytest.raises(PluginError, match=f"no space left on {disk}/postgres-18"):
        await servers.postgres()
    ballast.unlink()
    assert await servers.postgres()
    servers.close()


def test_in_a_namespace_of_an_ordinary_user(folder: Path) -> None:
    """The way without any right: a tmpfs in a user namespace, and an ordinary user in another inside it."""
    inside = 'mount -t tmpfs -o size=8m,mode=0777 x "$1" && exec unshare -U --map-user=1000 "$2" -c "$3" "$1"'
    command = ["unshare", "-rm", "sh", "-c", inside, "sh", folder, sys.executable, _ASK]
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        assert "CI" not in os.environ or _can_mount(), "CI must be able to fill a disk in some way"
        pytest.skip("user namespaces are forbidden here")
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    assert f"plugin 'embedded': no space left on {folder}/postgres-18: free some" in said.stderr


def _can_mount() -> bool:
    return not os.geteuid() or not subprocess.run(["sudo", "-n", "true"], check=False).returncode
