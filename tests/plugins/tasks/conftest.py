from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import reachable_folder
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks import rabbit as node
from tests.plugins.tasks.stand import Stand, standing


@pytest.fixture
def stand(tmp_path: Path, own_redis: OwnRedis) -> Iterator[Stand]:
    """An application with a Redis of its own as its broker."""
    with standing(tmp_path, own_redis.url) as stand:
        yield stand


@pytest.fixture(scope="session")
def rabbit() -> Iterator[node.Rabbit]:
    """One RabbitMQ for all tests of a run that ask for it; `rabbit.fresh()` is the URL of a new virtual host."""
    with node.running() as rabbit:
        yield rabbit


@pytest.fixture(scope="module")
def module_redis() -> Iterator[OwnRedis]:
    """A Redis for all tests of a module."""
    with reachable_folder() as folder:
        redis = OwnRedis(folder)
        redis.start()
        yield redis
        redis.close()
