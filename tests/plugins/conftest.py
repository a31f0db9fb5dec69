"""What the tests of several plugins share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import new_database
from tests.plugins.cache.coherence.own_redis import OwnRedis


@pytest.fixture
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    """A running Redis that the test may break."""
    redis = OwnRedis(folder)
    redis.start()
    yield redis
    redis.close()


@pytest.fixture(scope="module")
def contract_dsn(server_dsn: str) -> Iterator[str]:
    """One empty database for all checks of a contract."""
    with new_database(server_dsn) as dsn:
        yield dsn
