"""A worker's main process tells how jobs ended, without waiting for a Redis that is silent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis import Redis

from galvo_tasks.guard.guard import Guard
from galvo_tasks.guard.letter import Letter
from galvo_tasks.jobs import JobFailed, State, telling
from galvo_tasks.jobs.ledger import ledger_of
from galvo_tasks.jobs.telling import teller_of
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.results.asking import Asking

pytestmark = pytest.mark.anyio
NAME = "tests.plugins.tasks.results.work.counted"


def letter(id: str) -> Letter:
    return Letter(b"[[], {}, {}]", "application/json", "utf-8", {"id": id, "task": NAME}, "", "test.quick")


async def test_what_a_silent_redis_does_not_take_is_told_later(hasty: Asking, own_redis: OwnRedis) -> None:
    job, guard = hasty.ask("counted", 1), Guard(hasty.app)
    own_redis.stop()
    guard.tell_job(letter(job.id), "PutAside", "why")
    own_redis.kill()
    await asyncio.to_thread(hasty.stand.until, lambda: teller_of(hasty.app)._away)
    own_redis.start()  # and it has forgotten all
    assert await asyncio.to_thread(teller_of(hasty.app).wait, 20) == 0
    with pytest.raises(JobFailed, match="PutAside: why"):
        await job.result(timeout=1)


async def test_whether_one_was_cancelled_is_not_waited_for_long(
    hasty: Asking, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "ASKED", 0.01)
    job, teller = hasty.ask("counted", 1), teller_of(hasty.app)
    own_redis.stop()
    assert teller.ask(job.id, lambda ledger: ledger.state(job.id)) is None
    own_redis.go_on()
    await job.cancel()
    monkeypatch.setattr(telling, "ASKED", 20.0)
    assert teller.ask(job.id, lambda ledger: ledger.state(job.id)) == b"cancelled"


async def test_one_that_cannot_be_told_does_not_hold_up_others(idle: Asking, own_redis: OwnRedis) -> None:
    job, teller = idle.ask("counted", 1), teller_of(idle.app)
    with Redis.from_url(own_redis.url) as redis:
        redis.set("galvo:test:job:foreign", "no hash")
    acts: list[tuple[str, Any]] = [
        ("foreign", lambda ledger: ledger.fail("foreign", "A", "b")),
        ("a space", lambda ledger: ledger.fail("a space", "A", "b")),
        (job.id, lambda ledger: ledger.fail(job.id, "A", "b")),
    ]
    for id, act in acts:
        teller.tell(id, act)
    assert await asyncio.to_thread(teller.wait, 20) == 0
    assert ledger_of(idle.app).state(job.id) == b"failed"
    assert await job.state() is State.FAILED
