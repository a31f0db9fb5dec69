"""What the tests of several plugins share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.cache.coherence.own_redis import OwnRedis


@pytest.fixture
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    """A running Redis that the test may break."""
    redis = OwnRedis(folder)
    redis.start()
    yield redis
    redis.close()
