"""The same id, or the same key, a second time."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from galvo_tasks.jobs import Job, JobProblem, JobUnknown, State
from galvo_tasks.jobs.ledger import ledger_of
from galvo_tasks.publishing.problems import BrokerRefused, PayloadTooLarge
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.results.asking import Asking

pytestmark = pytest.mark.anyio


async def test_an_id_that_has_ended_begins_anew(idle: Asking) -> None:
    ledger = ledger_of(idle.app)
    job = idle.ask("counted", 1, task_id="fixed")
    ledger.begin(job.id)
    ledger.leave(job.id, State.DONE, result="1")
    idle.ask("counted", 2, task_id="fixed", retries=1)  # a retry that was published late
    assert await job.result(timeout=1) == 1
    idle.ask("counted", 2, task_id="fixed")
    assert await job.state() is State.WAITING
    assert ledger.begin(job.id) is State.RUNNING
    idle.ask("counted", 3, task_id="fixed")
    assert await job.state() is State.RUNNING
    ledger.fail(job.id, "ValueError", "why")
    idle.ask("counted", 4, task_id="fixed")
    assert await job.state() is State.WAITING


async def test_the_id_of_a_cancelled_one_is_refused(idle: Asking) -> None:
    """Its message may wait still: it would run instead of not at all."""
    job = idle.ask("counted", 1, task_id="fixed")
    await job.cancel()
    with pytest.raises(JobProblem, match="job fixed was cancelled: ask for it with another task_id"):
        idle.ask("counted", 1, task_id="fixed")
    assert await job.state() is State.CANCELLED


def counted(asking: Asking) -> Any:
    def nothing(steps: Any) -> None: ...

    return asking.app.task(name="tests.plugins.tasks.results.work.counted", keep_result=True)(nothing)


async def test_a_result_is_known_while_its_key_counts(idle: Asking, own_redis: OwnRedis) -> None:
    task, ledger = counted(idle), ledger_of(idle.app)
    job = await task.submit((1,), key="k")
    with Redis.from_url(own_redis.url) as redis:
        (key,), hash = list(redis.scan_iter("galvo.key.*")), f"galvo:test:job:{job.id}"
        ledger.begin(job.id)
        ledger.leave(job.id, State.RETRYING)
        ledger.begin(job.id)
        ledger.leave(job.id, State.DONE, result="1")
        assert redis.ttl(hash) > redis.ttl(key) > 80_000
        again = await task.submit((1,), key="k")
        assert (again.id, await again.result(timeout=1)) == (job.id, 1)
        other = await task.submit((1,))
        ledger.begin(other.id)
        ledger.leave(other.id, State.DONE, result="1")
        assert 0 < redis.ttl(f"galvo:test:job:{other.id}") <= 3600


async def test_what_was_not_published_is_not_waited_for(idle: Asking, own_redis: OwnRedis) -> None:
    task = counted(idle)
    with pytest.raises(PayloadTooLarge):
        await task.submit(("x" * 300_000,))
    with pytest.raises(TypeError):
        task.apply_async((), task_id="fixed")
    with Redis.from_url(own_redis.url) as redis:
        assert list(redis.scan_iter("galvo:test:job:*")) == []
        redis.set("test.quick\x06\x165", "no list")
        with pytest.raises(BrokerRefused) as refused:
            await task.submit((1,))
        with pytest.raises(JobUnknown):
            await Job(refused.value.id, idle.app).state()


async def test_a_job_that_waits_already_goes_on_waiting_when_its_key_is_refused(idle: Asking) -> None:
    task = counted(idle)
    job = await task.submit((1,), key="k")
    with pytest.raises(PayloadTooLarge):
        await task.submit(("x" * 300_000,), key="k")
    assert await job.state() is State.WAITING
