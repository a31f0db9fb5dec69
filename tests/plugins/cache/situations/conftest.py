"""What the situations share."""

from __future__ import annotations

import os
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


# Not all green yet (issue 3 is open): `GALVO_SITUATIONS=1 pytest tests/plugins/cache/situations` runs them.
collect_ignore_glob = [] if "GALVO_SITUATIONS" in os.environ else ["test_*.py"]
