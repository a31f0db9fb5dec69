"""Submit, progress, result, cancel: a real worker, which all tests here share."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from redis import Redis

from galvo_tasks.jobs import Job, JobCancelled, JobFailed, JobTimeout, JobUnknown, Progress, State
from galvo_tasks.jobs import job as job_module
from galvo_tasks.jobs.results import CONNECTIONS, WAITING
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.results.asking import KEPT, Asking, until

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told of each change: nobody looks by himself here."""
    monkeypatch.setattr(job_module, "LOOK", 1000.0)


async def test_a_result(asking: Asking) -> None:
    job = asking.ask("counted", 3)
    assert await job.result(timeout=20) == 3
    assert await job.state() is State.DONE
    assert await Job(job.id, asking.app).result(timeout=0) == 3  # in any process, and more than once


@pytest.mark.parametrize("name", KEPT)
async def test_a_result_is_what_the_task_gave(asking: Asking, name: str) -> None:
    assert await asking.ask("value", name).result(timeout=20) == KEPT[name]


async def test_progress_is_told_as_it_comes_and_ends_with_the_job(asking: Asking) -> None:
    job = asking.ask("counted", 4, "gate-1")
    seen = []
    async with asyncio.timeout(20):
        async for update in job.progress():
            seen.append(update)
            if update.text == "step 0":
                asking.open("gate-1")
    assert Progress(State.RUNNING, 0, 4, "step 0") in seen
    assert seen[-1] == Progress(State.DONE, 4, 4, "all")
    assert [update.done for update in seen] == sorted(update.done for update in seen)
    assert len(set(map(str, seen))) == len(seen)


async def test_a_result_is_not_waited_for_longer_than_asked(asking: Asking) -> None:
    job = asking.ask("counted", 1, "gate-2")
    await until(job, "step 0")
    with pytest.raises(JobTimeout, match=r"has not ended within 0.05 s: it goes on"):
        await job.result(timeout=0.05)
    asking.open("gate-2")
    assert await job.result(timeout=20) == 1


async def test_a_failure_is_told_with_its_reason(asking: Asking) -> None:
    job = asking.ask("broken")
    with pytest.raises(JobFailed, match=rf"^job {job.id} failed: LookupError: nothing there$") as caught:
        await job.result(timeout=20)
    assert (caught.value.kind, caught.value.text) == ("LookupError", "nothing there")
    assert await job.state() is State.FAILED


@pytest.mark.parametrize(
    "name, kind, words",
    [
        ("bytes", "NotJson", "type bytes is not JSON serializable: return None, bool, int"),
        ("set", "NotJson", "type set"),
        ("nan", "NotJson", "Out of range float"),
        ("deep", "NotJson", "recursion"),
        ("large", "ResultTooLarge", "2.9 KiB is more than 2.0 KiB: put it into the database and return its key, or"),
    ],
)
async def test_a_result_that_cannot_be_kept_is_one_clear_error(
    asking: Asking, name: str, kind: str, words: str
) -> None:
    with pytest.raises(JobFailed) as caught:
        await asking.ask("value", name).result(timeout=20)
    assert caught.value.kind == kind
    assert words in caught.value.text
    assert "\n" not in str(caught.value)


async def test_a_retry_is_no_end(asking: Asking) -> None:
    job = asking.ask("again", 0.1)
    assert await job.result(timeout=20) == 1


async def test_a_retry_that_waits_can_be_cancelled(asking: Asking) -> None:
    job = asking.ask("again", 0.5)
    async with asyncio.timeout(20), aclosing(job.progress()) as updates:
        async for update in updates:
            if update.state is State.RETRYING:
                break
    assert await job.cancel() is State.CANCELLED
    after = len(asking.stand.notes())
    with pytest.raises(JobCancelled):
        await job.result(timeout=20)
    assert await asking.ask("counted", 1).result(timeout=20) == 1
    await asyncio.sleep(0.8)
    assert asking.stand.notes()[after:] == ["begin 1"]


async def test_a_running_one_ends_at_its_next_progress(asking: Asking) -> None:
    job = asking.ask("counted", 1, "never")
    await until(job, "step 0")
    assert await job.cancel() is State.RUNNING
    assert await job.cancel() in (State.RUNNING, State.CANCELLED)
    with pytest.raises(JobCancelled, match=f"^job {job.id} was cancelled$"):
        await job.result(timeout=20)
    assert await job.cancel() is State.CANCELLED
    assert f"{job.id}] raised" not in asking.stand.workers[0].log()


async def test_a_cancelled_one_is_not_called_failed_even_if_it_fails_while_it_ends(asking: Asking) -> None:
    job = asking.ask("wrapped")
    await asking.noted("begin wrapped")
    await job.cancel()
    with pytest.raises(JobCancelled):
        await job.result(timeout=20)


async def test_a_coroutine_is_cancelled_inside(asking: Asking) -> None:
    job = asking.ask("awaited", 0)
    await asking.noted("begin awaited")
    assert await job.cancel() is State.RUNNING
    with pytest.raises(JobCancelled):
        await job.result(timeout=20)
    assert "cancelled inside" in asking.stand.notes()


async def test_a_coroutine_tells_its_progress(asking: Asking) -> None:
    job = asking.ask("awaited", 5)
    assert await job.result(timeout=20) == 5
    assert [seen async for seen in job.progress()] == [Progress(State.DONE, 5, 5, "coroutine")]


@pytest.mark.parametrize("name", ["deaf", "stubborn"])
async def test_one_that_does_not_listen_loses_its_process(asking: Asking, module_redis: OwnRedis, name: str) -> None:
    job = asking.ask(name)
    await asking.noted(f"begin {name}")
    assert await job.cancel() is State.RUNNING
    with pytest.raises(JobCancelled):
        await job.result(timeout=20)
    assert await asking.ask("counted", 1).result(timeout=20) == 1
    with Redis.from_url(module_redis.url) as redis:
        await asyncio.to_thread(asking.stand.until, lambda: not redis.hlen("galvo.unacked"))
        assert not list(redis.scan_iter("*dead*"))
    assert asking.stand.notes().count(f"begin {name}") == 1
    assert await job.state() is State.CANCELLED


async def test_the_time_limit_is_told(asking: Asking) -> None:
    with pytest.raises(JobFailed, match=r"failed: TimeLimitExceeded: longer than 1 s$"):
        await asking.ask("slow").result(timeout=20)


async def test_an_end_comes_before_a_cancel(asking: Asking) -> None:
    job = asking.ask("counted", 1)
    assert await job.result(timeout=20) == 1
    assert await job.cancel() is State.DONE
    assert await job.result(timeout=0) == 1


async def test_an_unknown_job(asking: Asking) -> None:
    job = Job("nobody-asked", asking.app)
    for ask in (job.state, job.result, job.cancel):
        with pytest.raises(JobUnknown, match="no job nobody-asked is known: its task has no keep_result"):
            await ask()
    with pytest.raises(JobUnknown):
        await anext(job.progress())


async def test_five_connections_are_enough_for_all_who_wait(asking: Asking, module_redis: OwnRedis) -> None:
    job = asking.ask("counted", 1, "gate-3")
    waiting = [asyncio.create_task(job.result(timeout=60)) for _ in range(100)]
    await until(job, "step 0")
    with Redis.from_url(module_redis.url) as redis:
        assert len([one for one in redis.client_list() if one["name"] == WAITING]) <= CONNECTIONS + 1
    asking.open("gate-3")
    assert await asyncio.gather(*waiting) == [1] * 100
