from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import reachable_folder
from tests.plugins.cache.coherence.own_redis import OwnRedis


@pytest.fixture(scope="module", params=["amqp", "redis"])
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a RabbitMQ's and of a Redis' own, empty place."""
    if request.param == "amqp":
        yield request.getfixturevalue("rabbit").fresh()
        return
    with reachable_folder() as folder:
        redis = OwnRedis(folder)
        redis.start()
        yield redis.url
        redis.close()
