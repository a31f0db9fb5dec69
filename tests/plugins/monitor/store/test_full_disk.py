"""The disk of the history is full, on a file system in memory that is made for it."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from galvo_monitor.store.rollups import RollUps
from tests.plugins.monitor.store.history import DAY, LAG, ROWS, Clock, begin, filled, running

pytestmark = pytest.mark.anyio


def as_root(*words: str | Path) -> bool:
    for prefix in ([], ["sudo", "-n"]):
        try:
            if not subprocess.run([*prefix, *words], check=False, capture_output=True).returncode:
                return True
        except FileNotFoundError:
            continue
    return False


@contextmanager
def small_disk(folder: Path, owner: int) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir()
    if not as_root("mount", "-t", "tmpfs", "-o", f"size=64k,mode=0700,uid={owner}", "galvo-test", disk):
        assert "CI" not in os.environ, "CI must be able to mount a tmpfs"
        pytest.skip("neither root nor sudo: no right to mount a tmpfs")
    try:
        yield disk
    finally:
        assert as_root("umount", disk)


async def test_one_sentence_and_nothing_is_lost(dsn: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = await asyncpg.connect(dsn)
    clock = Clock()
    try:
        owner = os.stat(await other.fetchval("show data_directory")).st_uid
        with small_disk(folder, owner) as disk:
            async with running(dsn) as context:
                since = await begin(context) - DAY
                store = filled(since, 24 * 60 + 1)
                rollups = RollUps(context, store, clock=clock)
                await rollups.start(since)
                await other.execute(f"create tablespace galvo_small location '{disk}'")
                await other.execute("alter table galvo.monitor_history set tablespace galvo_small")
                try:
                    with caplog.at_level(logging.WARNING):
                        for _ in range(3):
                            await rollups.write(since + DAY + 60)
                            assert await context.fetchval("select 1") == 1
                            clock.now += 3600
                    said = [record.getMessage() for record in caplog.records if record.name == "galvo.monitor"]
                    assert said == [rollups.problem]
                    assert said == ["history is kept in memory only, until this is over: the database's disk is full"]
                    assert store.latest(LAG) is not None
                    assert as_root("mount", "-o", "remount,size=8m", disk)
                    await rollups.write(since + DAY + 60)
                    assert rollups.problem is None
                    assert await context.fetchval(ROWS) == 2 * (288 + 24)
                finally:
                    await other.execute("drop table galvo.monitor_history")
                    await other.execute("drop tablespace galvo_small")
    finally:
        await other.close()
