from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from celery import Celery, chain
from celery._state import _task_stack
from redis import Redis

from galvo_tasks import Priority
from galvo_tasks.config.errors import UnknownClass
from galvo_tasks.publishing.problems import NotSerialisable, PayloadTooLarge, Refused
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.stand import Stand

pytestmark = pytest.mark.anyio

WRONG = [
    (Refused, {"priority": 9}, "say Priority.URGENT"),
    (Refused, {"delay": -1}, "delay = -1"),
    (Refused, {"expires": float("nan")}, "expires = nan"),
    (Refused, {"deadline": "1"}, "deadline = '1'"),
    (Refused, {"key": ""}, "key = ''"),
    (PayloadTooLarge, {"args": ("x" * 300_000,)}, "293 KiB at least, over payload = 256 KiB"),
    (PayloadTooLarge, {"args": ([["x" * 150_000], ["x" * 150_000]],)}, "293 KiB at least, over payload = 256 KiB"),
    (NotSerialisable, {"args": ("a", {1})}, r"argument 2 \(set\)"),
    (NotSerialisable, {"kwargs": {"seconds": 1j}}, r"seconds \(complex\)"),
    (TypeError, {"args": ()}, "missing 1 required"),
]


def messages(redis: Redis, queue: str = "test.quick\x06\x165") -> list[Any]:
    return [json.loads(raw) for raw in reversed(redis.lrange(queue, 0, -1))]


async def test_it_is_in_the_list_of_its_class_and_priority(noted: Any, redis: Redis) -> None:
    job = await noted.submit(("a",), {"seconds": 1.5}, priority=Priority.URGENT, delay=None)
    (message,) = messages(redis, "test.quick")
    assert message["headers"]["id"] == job.id
    assert message["headers"]["galvo-at"] > 1e9
    await noted.submit(("b",), priority=Priority.BULK)
    await noted.submit(("c",))
    assert len(messages(redis, "test.quick\x06\x169")) == len(messages(redis)) == 1


async def test_a_worker_runs_it(stand: Stand, noted: Any) -> None:
    await noted.submit(("x" * 20_000,))  # compressed
    noted.delay("delayed")
    stand.worker()
    stand.until(lambda: stand.notes() == ["x" * 20_000, "delayed"])


@pytest.mark.parametrize("error, words, text", WRONG)
async def test_what_is_asked_wrongly_is_refused_before_anything_is_sent(
    noted: Any, redis: Redis, error: type[Exception], words: dict[str, Any], text: str
) -> None:
    with pytest.raises(error, match=text):
        await noted.submit(**{"args": ("a",), **words})
    assert not redis.keys("test.*")


@pytest.mark.parametrize("words", [{"queue": "nobody"}, {"serializer": "pickle"}, {"priority": 3}, {"priority": True}])
def test_apply_async_refuses_the_same(noted: Any, redis: Redis, words: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        noted.apply_async(("a",), **words)
    with noted.app.producer_or_acquire() as producer, pytest.raises(PayloadTooLarge):
        noted.apply_async(("x" * 300_000,), producer=producer)
    assert not redis.keys("test.*")


async def test_an_unknown_class_is_refused(app: Celery[Any]) -> None:
    @app.task(runtime="slow")
    def lost() -> None: ...

    with pytest.raises(UnknownClass, match="quick, image, bulk"):
        await lost.submit()


async def test_large_arguments_are_compressed(noted: Any, redis: Redis) -> None:
    await noted.submit(("x" * 20_000,))
    (raw,) = redis.lrange("test.quick\x06\x165", 0, -1)
    assert len(raw) < 2000
    assert json.loads(raw)["headers"]["compression"] == "application/x-gzip"


async def test_a_key_is_one_task(noted: Any, redis: Redis) -> None:
    jobs = [await noted.submit((text,), key=key) for text, key in (("a", "7"), ("b", "7"), ("a", "8"))]
    assert jobs[0].id == jobs[1].id != jobs[2].id
    assert [message["headers"]["id"] for message in messages(redis)] == [jobs[0].id, jobs[2].id]
    for _ in range(2):  # as a retry does
        noted.apply_async(("c",), headers={"galvo-key": "9"})
    assert redis.llen("test.quick\x06\x165") == 3


def test_a_retry_is_a_message_of_its_own(noted: Any, redis: Redis) -> None:
    """Celery gives a retry the headers and the broker's priority of the message that failed."""
    old = {"galvo-at": 1.0, "galvo-delay": 3.0, "mine": "kept"}
    retry = {"task_id": "same", "retries": 1, "priority": 7, "queue": "test.quick", "headers": old}
    noted.apply_async(("a",), **retry)
    (message,) = messages(redis, "test.quick\x06\x167")
    kept = {name: value for name, value in message["headers"].items() if name in old}
    assert kept.pop("galvo-at") > 1e9
    assert kept == {"mine": "kept"}
    noted.apply_async(("a",), **{**retry, "retries": 2}, countdown=30.0)
    assert redis.zcard("test.quick\x06\x16delayed") == 1


def test_a_signature_that_has_travelled_keeps_its_priority(noted: Any, redis: Redis) -> None:
    step = json.loads(json.dumps(noted.si("second").set(priority=Priority.URGENT)))
    noted.app.signature(step).apply_async(root_id="first", parent_id="first")
    assert len(messages(redis, "test.quick")) == 1


def test_within_a_task_it_is_a_child_and_waits_for_its_broker(noted: Any, own_redis: OwnRedis, redis: Redis) -> None:
    """A worker outlives an outage; what its task asks for does too."""
    own_redis.kill()
    restart = threading.Timer(1.0, own_redis.start)  # longer than those outside of tasks try
    restart.start()
    noted.push_request(id="parent", root_id="root", called_directly=False)
    _task_stack.push(noted)
    try:
        noted.delay("child")
    finally:
        _task_stack.pop()
        noted.pop_request()
        restart.join()
    (message,) = messages(redis)
    assert (message["headers"]["root_id"], message["headers"]["parent_id"]) == ("root", "parent")


def test_a_chain_runs(noted: Any, stand: Stand) -> None:
    chain(noted.si("first"), noted.si("second").set(priority=Priority.URGENT)).apply_async()
    stand.worker()
    stand.until(lambda: stand.notes() == ["first", "second"])


async def test_what_is_to_run_at_once_is_not_submitted(app: Celery[Any], own_redis: OwnRedis) -> None:
    own_redis.kill()
    app.conf.task_always_eager = True
    with pytest.raises(Refused, match=r"with task_always_eager: await idempotent\(\.\.\.\) itself"):
        await app.tasks["idempotent"].submit(("a",))
    app.tasks["idempotent"].delay("a")
