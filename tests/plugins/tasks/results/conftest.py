from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from galvo_tasks import jobs
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.results.asking import APP, Asking
from tests.plugins.tasks.stand import Stand, standing


@pytest.fixture(scope="module")
def shared(module_redis: OwnRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One worker for all tests of a module."""
    with standing(tmp_path_factory.mktemp("shared"), module_redis.url, app=APP, result="2KiB") as stand:
        stand.worker("--class", "quick", "--concurrency", "2")
        yield stand


@pytest.fixture
async def asking(shared: Stand) -> AsyncIterator[Asking]:
    """Who asks that worker."""
    made = Asking(shared)
    yield made
    made.close()
    await jobs.close()


@pytest.fixture
async def idle(tmp_path: Path, own_redis: OwnRedis) -> AsyncIterator[Asking]:
    """Who asks, with a Redis of its own, while no worker runs."""
    async with alone(tmp_path, own_redis.url) as made:
        yield made


@pytest.fixture
async def hasty(tmp_path: Path, own_redis: OwnRedis) -> AsyncIterator[Asking]:
    """The same, with a deadline of a second."""
    async with alone(tmp_path, own_redis.url, deadline=1.0) as made:
        yield made


@asynccontextmanager
async def alone(folder: Path, url: str, **settings: Any) -> AsyncIterator[Asking]:
    with standing(folder, url, app=APP, **settings) as stand:
        made = Asking(stand)
        yield made
        made.close()
        await jobs.close()
