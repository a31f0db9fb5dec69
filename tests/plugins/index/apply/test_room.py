# ruff: noqa: ASYNC240
# Nothing else runs in these event loops.
"""A disk with too little room: seen before, or met in the middle of a build."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from galvo_index.apply.journal import Journal
from galvo_index.apply.run import apply
from tests.plugins.index.apply.kills import QUICK, check, wishes

pytestmark = pytest.mark.anyio


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system in memory of 2 MB, for a tablespace."""
    disk = folder / "disk"
    disk.mkdir()
    prefix = [] if not os.geteuid() else ["sudo", "-n"]
    command = [*prefix, "mount", "-t", "tmpfs", "-o", "size=2m,mode=0777", "galvo-test", disk]
    try:
        failed = subprocess.run(command, check=False, capture_output=True).returncode
    except FileNotFoundError:
        failed = 1
    if failed:
        pytest.skip("neither root nor sudo: no right to mount a tmpfs")
    yield disk
    for attempt in range(100):  # the last of the server's processes may still be ending
        if not subprocess.run([*prefix, "umount", disk], check=attempt == 99, capture_output=True).returncode:
            break
        time.sleep(0.1)


async def test_a_disk_that_fills(small_disk: Path, own_url: str, own_connection: asyncpg.Connection) -> None:
    connection, url = own_connection, own_url
    data = Path(await connection.fetchval("show data_directory"))
    space = small_disk / "space"
    space.mkdir()
    os.chown(space, data.stat().st_uid, data.stat().st_gid)
    space.chmod(0o700)
    await connection.execute("insert into item select g, 'n' || g, 1 from generate_series(3000, 200000) g")
    await connection.execute(f"create tablespace small location '{space}'")

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url, server_settings={"default_tablespace": "small"})

    index = wishes("create index on item (name, price, id)")
    _, (outcome,) = await apply(connect, index, QUICK)
    assert outcome.text.startswith(f"the disk of {space} has 2.06 MB free, and the build may need "), outcome
    _, (outcome,) = await apply(connect, index, replace(QUICK, free=10**12))
    assert outcome.text.startswith("the database says: could not extend file"), outcome
    await check(connection)
    assert [entry.state for entry in await Journal(connection).entries()] == ["failed", "dropped"]
    left = await connection.fetch("select relname from pg_class where reltablespace > 1700 order by 1")
    assert [row[0] for row in left if "journal" not in row[0] and "toast" not in row[0]] == []


async def test_by_the_operators_word(dsn: str, connection: asyncpg.Connection) -> None:
    _, (outcome,) = await apply(lambda: asyncpg.connect(dsn), wishes(), replace(QUICK, free=1000))
    assert outcome.text.startswith("the server's disk has 1 kB free, and the build may need")
    await check(connection)
