"""What all tests share."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from galvo_embedded import Servers


@pytest.fixture
def anyio_backend() -> str:
    """Drivers of PostgreSQL run on asyncio only."""
    return "asyncio"


@pytest.fixture(scope="session")
def dsn() -> Iterator[str]:
    """A real PostgreSQL: TEST_DATABASE_URL, or else a private one in .galvo/, which ends with the tests."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    servers = Servers(Path(".galvo"), options={"fsync": "off"})
    try:
        yield asyncio.run(servers.postgres())
    finally:
        servers.close()
