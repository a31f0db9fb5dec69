"""Nothing is found where nothing is wrong, not even with limits that let the smallest table count."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from galvo_embedded import Servers
from galvo_index.health import RULES, Limits, Report, examine
from tests.plugins.index.healthy import NAMES, NEW, load, make, use

pytestmark = pytest.mark.anyio
EACH = "GALVO_INDEX_EACH_SCHEMA" in os.environ  # read before conftest.py clears such variables
ALONE = ("empty", NEW)
SHARP = Limits(
    counted=0, index=8192, waste=8192, child=0, large_child=10**9, dead=1, rows=1, used_up=0.5, wal=1, build=1,
    transaction=10, idle=10, checkpoints=1,
)  # fmt: skip
"""As sharp as makes sense: a foreign key to a parent that loses no row needs no index, say."""
DISK = """
do $$ begin execute format('alter database %I set random_page_cost = 1.1', current_database()); end $$
"""
"""What is below the tests is no fault of a schema."""


async def look(dsn: str, only: Collection[str] = ()) -> Report:
    connection = await asyncpg.connect(dsn)
    try:
        return await examine(connection, only, limits=SHARP)
    finally:
        await connection.close()


def check(report: Report) -> None:
    assert [(one.rule, one.subject, one.seen) for one in report.findings] == []
    assert {one.rule for one in report.unknown} <= {"bloated-index"}


async def fill(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(DISK)
    await load(connection, name)
    await connection.close()


async def test_all_in_one_database(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(DISK)
    names = [name for name in NAMES if name not in ALONE]
    for name in names:
        await make(connection, name, name)
    await connection.execute("vacuum (analyze)")
    for name in names:
        await use(connection, name, name)
    await connection.close()
    check(await look(dsn))


@pytest.mark.parametrize("name", ALONE)
async def test_each_that_needs_a_database_of_its_own(dsn: str, name: str) -> None:
    await fill(dsn, name)
    check(await look(dsn))


@contextmanager
def embedded(folder: Path, major: int) -> Iterator[Servers]:
    servers = Servers(folder, postgres=major, options={"fsync": "off"})
    try:
        yield servers
    finally:
        servers.close()


@pytest.mark.skipif(not EACH, reason="GALVO_INDEX_EACH_SCHEMA is not set")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("major", [15, 16])
async def test_each_on_older_servers(debian_dsn: str, folder: Path, name: str, major: int) -> None:
    if major == 15:
        await fill(debian_dsn, name)
        # Its autovacuum is off, which is what these two would say.
        return check(await look(debian_dsn, RULES.keys() - {"dead-rows", "stale-statistics"}))
    with embedded(folder, major) as servers:
        dsn = await servers.postgres()
        await fill(dsn, name)
        return check(await look(dsn))


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 20
