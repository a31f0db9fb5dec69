"""Redis away, and no worker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from redis import Redis

from galvo_tasks import TasksProblem, celery_app, jobs
from galvo_tasks.jobs import Cancelled, Job, JobCancelled, JobFailed, JobProblem, JobUnknown, ResultsAway, State, watch
from galvo_tasks.jobs import job as job_module
from galvo_tasks.jobs.ear import Ear
from galvo_tasks.jobs.ledger import Ledger, ledger_of
from galvo_tasks.settings import TasksSettings
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.results.asking import APP, Asking, until
from tests.plugins.tasks.stand import standing

pytestmark = pytest.mark.anyio


async def test_one_is_cancelled_and_one_expires_before_any_worker_runs(idle: Asking) -> None:
    job, late, other = idle.ask("counted", 1), idle.ask("counted", 3, expires=0.01), idle.ask("counted", 2)
    assert await job.state() is State.WAITING
    assert await job.cancel() is State.CANCELLED
    assert await job.cancel() is State.CANCELLED
    with pytest.raises(JobCancelled):
        await job.result(timeout=1)
    idle.stand.worker()
    assert await other.result(timeout=20) == 2
    with pytest.raises(JobFailed, match="failed: Expired: no worker had time before expires"):
        await late.result(timeout=20)
    assert idle.stand.notes() == ["begin 2"]
    assert await job.state() is State.CANCELLED


async def test_redis_that_is_gone_is_one_clear_error(hasty: Asking, own_redis: OwnRedis) -> None:
    job = hasty.ask("counted", 1)
    own_redis.kill()
    for ask in (job.state, job.cancel, job.result):
        async with asyncio.timeout(5):
            with pytest.raises(ResultsAway, match=r"the Redis for progress and results is away .* see results under"):
                await ask()
    with pytest.raises(TasksProblem, match="was not sent"):
        hasty.ask("counted", 1)


async def test_redis_that_says_nothing_is_away_after_the_deadline(hasty: Asking, own_redis: OwnRedis) -> None:
    job = hasty.ask("counted", 1)
    own_redis.stop()
    try:
        async with asyncio.timeout(10):
            with pytest.raises(ResultsAway):
                await job.state()
    finally:
        own_redis.go_on()
    assert await job.state() is State.WAITING


async def test_who_waits_goes_on_over_lost_connections(
    idle: Asking, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "LOOK", 1000.0)
    job = idle.ask("counted", 1)
    ledger = Ledger(idle.app)
    async with asyncio.timeout(20), aclosing(job.progress()) as updates:
        assert (await anext(updates)).state is State.WAITING
        with Redis.from_url(own_redis.url) as redis:
            redis.client_kill_filter(_type="pubsub")
            redis.client_kill_filter(_type="normal", skipme=True)
        ledger.begin(job.id)
        assert (await anext(updates)).state is State.RUNNING
        ledger.leave(job.id, State.DONE, result="7")
        assert (await anext(updates)).state is State.DONE
    assert await job.result() == 7
    ledger.close()


async def test_who_is_not_told_looks_from_time_to_time(idle: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "LOOK", 0.02)
    monkeypatch.setattr(Ear, "_take", lambda self, told: None)  # messages are lost
    job = idle.ask("counted", 1)
    async with asyncio.timeout(20), aclosing(job.progress()) as updates:
        assert (await anext(updates)).state is State.WAITING
        ledger_of(idle.app).begin(job.id)
        assert (await anext(updates)).state is State.RUNNING


async def test_a_worker_that_is_not_told_looks_from_time_to_time(
    idle: Asking, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK", 0.02)
    job = idle.ask("counted", 1)
    ledger_of(idle.app).begin(job.id)
    watching = watch.Watch(idle.app)
    with watching.running(job.id, grace=10.0) as run, Redis.from_url(own_redis.url) as redis:
        assert not run.cancelled
        redis.hset(f"galvo:test:job:{job.id}", "cancel", "1")
        idle.stand.until(lambda: run.cancelled)
        with pytest.raises(Cancelled):
            run.progress(1, 2, "")
    watching.stop()


async def test_a_process_is_ended_only_while_the_job_runs_in_it(idle: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda process, number: killed.append(process))
    ledger, watching = ledger_of(idle.app), watch.Watch(idle.app)
    done, left, on = (idle.ask("counted", 1) for _ in range(3))
    for job in (done, left, on):
        ledger.begin(job.id)
    with watching.running(left.id, grace=10.0) as run:
        pass
    watching._end(run)
    with watching.running(done.id, grace=10.0) as run:
        ledger.leave(done.id, State.DONE, result="1")
        watching._end(run)
    assert await done.result(timeout=1) == 1
    assert not killed
    with watching.running(on.id, grace=10.0) as run:
        watching._end(run)
    assert killed == [os.getpid()]
    assert [await job.state() for job in (left, on)] == [State.RUNNING, State.CANCELLED]
    watching.stop()


@pytest.fixture
def results(folder: Path) -> Iterator[OwnRedis]:
    """Another Redis than the broker's."""
    (folder / "results").mkdir()
    redis = OwnRedis(folder / "results")
    redis.start()
    yield redis
    redis.close()


async def test_a_result_outlives_an_outage_of_its_redis(tmp_path: Path, own_redis: OwnRedis, results: OwnRedis) -> None:
    with standing(tmp_path, own_redis.url, app=APP, results=results.url, deadline=1.0) as stand:
        asking = Asking(stand)
        job = asking.ask("counted", 1, "gate")
        stand.worker()
        await until(job, "step 0")
        results.kill()
        asking.open("gate")
        with pytest.raises(ResultsAway):
            await job.result(timeout=20)
        results.start()  # and it has forgotten all
        async with asyncio.timeout(20):
            while await known(job) is not State.DONE:  # noqa: ASYNC110  # the worker writes it
                await asyncio.sleep(0.01)
        assert await job.result() == 1
        asking.close()
        await jobs.close()


async def known(job: Job) -> State | None:
    try:
        return await job.state()
    except JobUnknown:
        return None


async def test_an_application_without_a_redis() -> None:
    app = celery_app("test", TasksSettings.model_validate({"broker": "amqp://localhost"}))
    with pytest.raises(JobProblem, match=r"set results under \[tasks\]"):
        await Job("x", app).state()


@pytest.mark.parametrize("name, ends", [("counted", ("1", "ResultsAway")), ("wrong", ("LookupError",))])
async def test_a_job_that_cannot_tell_its_end_is_not_killed_for_it(
    tmp_path: Path, own_redis: OwnRedis, results: OwnRedis, name: str, ends: tuple[str, ...]
) -> None:
    with standing(tmp_path, own_redis.url, app=APP, results=results.url) as stand:
        asking = Asking(stand)
        job = asking.ask(name, 1, "gate", time_limit=2.5)
        worker = stand.worker()
        await until(job, "step 0")
        results.stop()
        asking.open("gate")
        await asyncio.to_thread(stand.until, lambda: job.id in worker.log() or "limit" in worker.log())
        await asyncio.to_thread(stand.until, lambda: not unacknowledged(own_redis))
        results.go_on()
        assert await end(job) in ends  # the Redis may have heard of it after all
        assert "limit" not in worker.log()
        asking.close()
        await jobs.close()


async def end(job: Job) -> str:
    try:
        return str(await job.result(timeout=30))
    except JobFailed as failed:
        return failed.kind


def unacknowledged(broker: OwnRedis) -> bool:
    with Redis.from_url(broker.url) as redis:
        return bool(redis.hlen("galvo.unacked"))
