"""One worker with a kernel for all tests of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from galvo_tasks import celery_app
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.stand import Stand, standing

JOBS = "tests.plugins.tasks.running.jobs"
Send = Callable[..., str]


@pytest.fixture(scope="module")
def shared(module_redis: OwnRedis, tmp_path_factory: pytest.TempPathFactory, server_dsn: str) -> Iterator[Stand]:
    """Its worker has one process, and a pool."""
    with standing(tmp_path_factory.mktemp("app"), module_redis.url, app=f"{JOBS}:app") as stand:
        turn_on_pool(stand.folder, server_dsn)
        stand.worker("--class", "quick", "--concurrency", "1", "--verbose")
        yield stand


def turn_on_pool(folder: Path, dsn: str) -> None:
    path = folder / "settings" / "galvo.toml"
    path.write_text(path.read_text().replace("[pool]\non = false", f'[pool]\nurl = "{dsn}"'))


def sender(stand: Stand) -> Send:
    """`send("name", *args, **options)` gives the task's id."""
    app = celery_app("test", stand.settings)

    def send(name: str, *args: Any, **options: Any) -> str:
        return str(app.send_task(f"{JOBS}.{name}", args, **options).id)

    return send


@pytest.fixture
def send(shared: Stand) -> Send:
    (shared.folder / "notes").unlink(missing_ok=True)
    return sender(shared)
