"""`galvo tasks plan`, beside what a real worker and a real publisher open."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.config.connections import publishers, workers
from galvo_tasks.publishing.publisher import THREADS
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.program import work
from tests.plugins.tasks.program.conftest import Said
from tests.plugins.tasks.stand import Stand


def test_it_is_told_at_80_columns(said: Said) -> None:
    code, printed = said("plan", "--publishers", "3", "--workers", "image=2")
    assert code == 0
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("galvo tasks plan: shop on unix:///")
    numbers = next(line for line in lines if "publishers" in line).split()[1:4]
    assert numbers == ["3", str(THREADS), str(3 * THREADS)]
    assert next(line for line in lines if "worker image" in line).split()[2] == "2"
    assert "10,000" in next(line for line in lines if "the server takes" in line)


def test_more_than_the_server_takes(said: Said, own_redis: OwnRedis) -> None:
    with Redis.from_url(own_redis.url) as client:
        client.config_set("maxclients", 60)
    assert said("plan")[0] == 0
    code, printed = said("plan", "--workers", "image=50")
    assert code == 3
    assert "raise its maxclients" in printed
    code, printed = said("plan", "--workers", "image=50", "--json")
    assert code == 3
    assert json.loads(printed)["exceeded"] is True
    assert json.loads(printed)["most"] == 60


def test_asked_wrongly(said: Said, own_redis: OwnRedis) -> None:
    assert said("plan", "--workers", "imgae=2") == (
        1,
        "galvo: --workers imgae is no runtime class: there are quick, image, bulk, laser under [tasks.classes]\n",
    )
    own_redis.kill()
    code, printed = said("plan")
    assert code == 0
    assert "it does not tell" in printed


def test_a_class_that_asks_for_more_memory_than_there_is(shop: Celery[Any], said: Said) -> None:
    huge = TasksSettings.model_validate({"broker": shop.conf.broker_url, "classes": {"image": {"memory": "90000GiB"}}})
    shop.galvo = huge  # type: ignore[attr-defined]
    planned = json.loads(said("plan", "--json")[1])["tasks"]["image"]
    assert planned["number"] == 1
    assert "memory" in planned["why"]


def connections(redis: OwnRedis) -> int:
    with Redis.from_url(redis.url) as client:
        return len(client.client_list()) - 1


@pytest.mark.anyio
async def test_what_is_opened_is_within_the_plan(stand: Stand, own_redis: OwnRedis) -> None:
    app, many = celery_app("test", stand.settings), 40

    @app.task(name=f"{work.__name__}.handing_on", keep_result=True)
    def handing_on() -> None: ...

    jobs = await asyncio.gather(*(handing_on.submit() for _ in range(many)))
    assert all(await asyncio.gather(*(job.state() for job in jobs)))
    own = most = connections(own_redis)
    assert THREADS < own <= publishers(1, THREADS, results=True).connections
    stand.worker("--class", "quick", "--concurrency", "2")
    while len(stand.notes()) < many:
        most = max(most, connections(own_redis))
        await asyncio.sleep(0.02)
    assert 3 <= most - own <= workers("redis", "quick", 1, 2, results=True).connections
