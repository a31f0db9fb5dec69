"""Real servers for every test: one embedded PostgreSQL and Redis per run, one fresh database per test."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from galvo_embedded import Servers

NUMBERS = itertools.count()
ENDED: dict[str, list[str]] = {}
"""Databases of tests that have ended, by their servers."""

hypothesis.settings.register_profile("galvo", deadline=None)  # a busy machine is no fault of what is tested
hypothesis.settings.load_profile("galvo")


LONG = (
    "tests/system/", "tests/plugins/bench/", "tests/plugins/cache/test_analysis_oracle",
    "tests/plugins/cache/test_rows",
    "tests/plugins/cache/coherence/", "tests/plugins/cache/traces/", "tests/plugins/cache/test_stateful",
    "tests/plugins/pool/sizing/", "tests/plugins/index/", "tests/plugins/embedded/",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of few long tests come first: whoever gets one of them last keeps everybody waiting."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> None:
    """A developer's GALVO_ variables must not change what the tests see."""
    for name in [name for name in os.environ if name.startswith("GALVO_")]:
        del os.environ[name]


@pytest.fixture(autouse=True, scope="module")
def frozen() -> None:
    """A full collection looks at what tests make: it takes 0.3 s where it looks at all that pytest has collected."""
    if gc.get_freeze_count() < 100_000:  # none yet, or a test has thawed it
        gc.collect()
        gc.freeze()


@pytest.fixture
def anyio_backend() -> str:
    """asyncpg and redis are asyncio only; the kernel's own tests add trio."""
    return "asyncio"


def in_memory() -> str | None:
    """Where files are kept in memory, if there is room: a database is made there in a fifth of the time."""
    there = Path("/dev/shm")  # noqa: S108  # mkdtemp makes a folder of its own in it
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK) and shutil.disk_usage(there).free > 6 << 30:
        return str(there)
    return None


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder for embedded servers: as root they run as nobody, who may not enter pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="galvo-test-", dir=in_memory()))
    folder.chmod(0o711)
    yield folder
    until_released(folder)
    shutil.rmtree(folder)


def until_released(folder: Path) -> None:
    """Wait until the embedded servers in `folder` have stopped: they hold locks while they live."""
    for lock in folder.rglob("*.lock"):
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder in which embedded servers can run."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Embedded servers of this test run."""
    with reachable_folder() as folder:
        made = Servers(folder, options={"fsync": "off", "full_page_writes": "off"})
        yield made
        made.close()


@pytest.fixture(scope="session")
def server_dsn(servers: Servers) -> str:
    """The maintenance database of the run's PostgreSQL."""
    return asyncio.run(servers.postgres())


@contextmanager
def new_database(server_dsn: str) -> Iterator[str]:
    """A fresh, empty database. The connection that makes the server's next one drops it."""
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    dropped = [f'drop database "{old}" with (force)' for old in ENDED.pop(server_dsn, [])]
    asyncio.run(execute(server_dsn, *dropped, f'create database "{name}" strategy = file_copy'))
    yield server_dsn.replace("/postgres?", f"/{name}?")
    ENDED.setdefault(server_dsn, []).append(name)


@pytest.fixture
def dsn(server_dsn: str) -> Iterator[str]:
    """A fresh, empty database."""
    with new_database(server_dsn) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def project() -> Path:
    """The repository's root."""
    return Path(__file__).parent.parent


async def execute(dsn: str, *statements: str) -> None:
    """On a connection of their own, one by one."""
    connection = await asyncpg.connect(dsn)
    try:
        for sql in statements:
            await connection.execute(sql)
    finally:
        await connection.close()
