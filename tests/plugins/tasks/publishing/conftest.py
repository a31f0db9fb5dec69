from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from galvo_tasks import celery_app
from galvo_tasks.publishing.publisher import close
from galvo_tasks.settings import TasksSettings
from tests.plugins.cache.coherence.own_redis import OwnRedis

NOTED = "tests.plugins.tasks.jobs.noted"


@contextmanager
def application(broker: str, **settings: Any) -> Iterator[Celery[Any]]:
    """One that knows the task of the workers' own."""
    made = celery_app("test", TasksSettings.model_validate({"broker": broker, **settings}))

    def noted(text: str, seconds: float = 0.0) -> None: ...

    if NOTED not in made.tasks:  # every application has it, where another test has imported the workers' own
        made.task(name=NOTED, shared=False)(noted)

    @made.task(name="idempotent", idempotent=True)
    def idempotent(text: str) -> None: ...

    try:
        yield made
    finally:
        close(made)
        made.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait for it. Raises AssertionError after 20 s."""
    for _ in range(2000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


@pytest.fixture
def app(own_redis: OwnRedis) -> Iterator[Celery[Any]]:
    with application(own_redis.url) as made:
        yield made


@pytest.fixture
def noted(app: Celery[Any]) -> Any:
    return app.tasks[NOTED]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries to connect follow each other at once."""
    monkeypatch.setattr("galvo_tasks.publishing.publisher.PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr("galvo_tasks.publishing.breaker.PAUSE", 0.2)
    monkeypatch.setattr("galvo_tasks.outbox.relay.PAUSES", (0.05,))


@pytest.fixture
def redis(own_redis: OwnRedis) -> Iterator[Redis]:
    with Redis.from_url(own_redis.url) as client:
        yield client


@pytest.fixture
def black_hole() -> Iterator[socket.socket]:
    """Accepts connections and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server
