"""A private PostgreSQL of Debian's packages: it has contrib and HypoPG, which the embedded one lacks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from galvo_bench.index import server as private
from tests.conftest import in_memory

IN_CI = "NO_SKIPS" in os.environ  # read before conftest.py clears such variables
OPTIONS = {
    "listen_addresses": "",
    "shared_preload_libraries": "pg_stat_statements",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # it would hold locks and change statistics in the middle of a test
    "jit": "off",
    "max_connections": "50",
}


def programs() -> Path:
    """The newest server's folder of programs; skips the test when there is none, which CI does not accept."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "postgres").exists()]
    newest = max(found, key=lambda path: int(path.parent.name), default=None)
    missing = "" if newest else "postgresql"
    if newest and not Path(f"/usr/share/postgresql/{newest.parent.name}/extension/hypopg.control").exists():
        missing = f"postgresql-{newest.parent.name}-hypopg"
    if newest and not missing:
        return newest
    reason = f"Debian's {missing} is not installed"
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def server() -> Iterator[str]:
    """Yields the URL of its maintenance database; on a unix socket, as `postgres` when we are root."""
    programs()
    with private.server(OPTIONS, in_memory()) as dsn:
        yield dsn
