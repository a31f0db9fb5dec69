"""Redis is not trusted: what galvo did not write is one clear error, and nothing is made of it."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from galvo_tasks.jobs import Job, JobFailed, JobProblem, JobTimeout, JobUnknown
from galvo_tasks.jobs.errors import Unreadable
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.results.asking import Asking

pytestmark = pytest.mark.anyio
KEY = "galvo:test:job:x"
PICKLE = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"state": "finished"}, "its state"),
        ({"state": b"\xff"}, "its state"),
        ({"state": "s" * 5_000}, "too large"),
        ({"state": "running", "done": "many"}, "its progress"),
        ({"state": "running", "done": "nan"}, "its progress"),
        ({"state": "running", "total": "-1"}, "its progress"),
        ({"state": "running", "text": "t" * 5_000}, "too large"),
        ({"state": "failed", "error": "e" * 5_000}, "too large"),
        ({"state": "done", "result": PICKLE}, "its result"),
        ({"state": "done", "result": "NaN"}, "its result: NaN is no JSON"),
        ({"state": "done", "result": "[" * 100_000}, "its result"),
        ({"state": "done", "result": "1" * (2 << 20)}, "too large"),
    ],
)
async def test_what_galvo_did_not_write(idle: Asking, own_redis: OwnRedis, fields: dict[str, Any], words: str) -> None:
    with Redis.from_url(own_redis.url) as redis:
        redis.hset(KEY, mapping=fields)
    with pytest.raises(Unreadable) as caught:
        await Job("x", idle.app).result(timeout=1)
    assert words in str(caught.value)
    assert "delete it" in str(caught.value)
    assert len(str(caught.value)) < 300


async def test_another_kind_of_value(idle: Asking, own_redis: OwnRedis) -> None:
    with Redis.from_url(own_redis.url) as redis:
        redis.set(KEY, "text")
    for ask in (Job("x", idle.app).state, Job("x", idle.app).cancel):
        with pytest.raises(Unreadable, match="WRONGTYPE"):
            await ask()


async def test_done_without_a_result(idle: Asking, own_redis: OwnRedis) -> None:
    with Redis.from_url(own_redis.url) as redis:
        redis.hset(KEY, "state", "done")
    with pytest.raises(JobUnknown):
        await Job("x", idle.app).result(timeout=1)


async def test_no_class_is_made_of_the_name_of_an_exception(idle: Asking, own_redis: OwnRedis) -> None:
    with Redis.from_url(own_redis.url) as redis:
        redis.hset(KEY, mapping={"state": "failed", "kind": "os.system", "error": "true"})
    with pytest.raises(JobFailed, match=r"job x failed: os.system: true"):
        await Job("x", idle.app).result(timeout=1)


@pytest.mark.parametrize("id", ["", "a b", "x\n", "é", "x" * 129, "../x*"])
def test_what_cannot_be_an_id(id: str) -> None:
    with pytest.raises(JobProblem, match="no id of a job"):
        Job(id)


async def test_what_is_kept_is_forgotten_in_time(idle: Asking, own_redis: OwnRedis) -> None:
    job = idle.ask("counted", 1)
    with Redis.from_url(own_redis.url) as redis:
        assert 6 * 86_400 < redis.ttl(f"galvo:test:job:{job.id}") <= 7 * 86_400
    with pytest.raises(JobTimeout):
        await job.result(timeout=0.05)
