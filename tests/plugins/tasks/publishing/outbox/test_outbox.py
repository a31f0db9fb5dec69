from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from celery import Celery
from redis import Redis

from galvo import Context, Kernel
from galvo_pool import PoolPlugin
from galvo_tasks import Priority
from galvo_tasks.jobs.errors import ResultsAway
from galvo_tasks.outbox import Relay, outbox, table
from galvo_tasks.publishing.problems import NotPublished, NotSerialisable, Refused
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.publishing.conftest import NOTED, application, until
from tests.plugins.tasks.rabbit import Rabbit

pytestmark = pytest.mark.anyio
QUEUE = "test.quick\x06\x165"


@asynccontextmanager
async def relay_of(dsn: str, app: Celery[Any]) -> AsyncIterator[tuple[Kernel, Relay]]:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as kernel:
        yield kernel, Relay(Context(kernel, "tasks"), app)


def texts(redis: Redis, queue: str = QUEUE) -> list[str]:
    """Arguments in the order in which they were published."""
    return [argument_of(raw) for raw in reversed(redis.lrange(queue, 0, -1))]


def argument_of(raw: bytes) -> str:
    from base64 import b64decode

    text: str = json.loads(b64decode(json.loads(raw)["body"]))[0][0]
    return text


async def left(kernel: Kernel) -> list[Any]:
    return await kernel.fetch("select task_id, problem from galvo.task_outbox order by id")


async def test_a_task_is_asked_for_if_and_only_if_the_transaction_commits(dsn: str, noted: Any, redis: Redis) -> None:
    async with relay_of(dsn, noted.app) as (kernel, relay):
        async with kernel.transaction() as session:
            job = await outbox(session, noted, ("kept",))
        async with kernel.acquire() as session:
            transaction = session.transaction()
            await transaction.start()
            await outbox(session, noted, ("rolled back",))
            await transaction.rollback()
        assert not texts(redis)
        assert not await relay.batch()
        assert texts(redis) == ["kept"]
        assert job.id.encode() in redis.lindex(QUEUE, 0)
        assert not await left(kernel)


async def test_urgent_ones_first_and_those_of_a_priority_in_order(dsn: str, noted: Any, redis: Redis) -> None:
    connection = await asyncpg.connect(dsn)
    async with relay_of(dsn, noted.app) as (_, relay):
        for n in range(250):
            async with connection.transaction():
                await outbox(connection, noted, (f"{n}",), priority=Priority.URGENT if n == 249 else None)
        assert await relay.batch()
        assert texts(redis, "test.quick") == ["249"]
        while await relay.batch():
            pass
        assert texts(redis) == [f"{n}" for n in range(249)]
    await connection.close()


async def test_relays_take_turns(dsn: str, noted: Any, redis: Redis) -> None:
    """Two at once would mix the order."""
    async with relay_of(dsn, noted.app) as (kernel, relay):
        async with kernel.transaction() as session:
            await outbox(session, noted, ("a",))
            await outbox(session, noted, ("b",))
        async with kernel.transaction() as other:
            assert len(await table.take(other, "test", [NOTED], 1)) == 1
            await relay.batch()
            assert not texts(redis)
        await relay.batch()
        assert texts(redis) == ["a", "b"]


async def test_a_key_is_one_task(dsn: str, noted: Any, redis: Redis) -> None:
    async with relay_of(dsn, noted.app) as (kernel, relay):
        for _ in range(2):
            async with kernel.transaction() as session:
                await outbox(session, noted, ("a",), key="7", delay=0.0, expires=60.0)
                await outbox(session, noted, ("b",), key="7")
            await relay.batch()
        assert texts(redis) == ["a"]
        header = json.loads(redis.lindex(QUEUE, 0))["headers"]
        assert header["galvo-key"] == header["id"]
        assert header["expires"]


async def test_what_is_asked_wrongly_is_refused_and_the_transaction_goes_on(dsn: str, noted: Any) -> None:
    connection = await asyncpg.connect(dsn)
    with pytest.raises(Refused, match="outside of a transaction"):
        await outbox(connection, noted, ("a",))
    async with connection.transaction():
        for error, args, words in (
            (Refused, ("a",), {"priority": 3}),
            (Refused, ("a",), {"delay": float("inf")}),
            (NotSerialisable, (object(),), {}),
            (TypeError, (), {}),
        ):
            with pytest.raises(error):
                await outbox(connection, noted, args, **words)  # type: ignore[arg-type]
        await outbox(connection, noted, ("a",))
    assert await connection.fetchval("select count(*) from galvo.task_outbox") == 1
    await connection.close()


async def test_many_may_be_the_first(dsn: str, noted: Any) -> None:
    """Each finds no table: it is created once, and none of their transactions fails."""

    async def one(n: int) -> None:
        connection = await asyncpg.connect(dsn)
        async with connection.transaction():
            await outbox(connection, noted, (f"{n}",))
        await connection.close()

    await asyncio.gather(*map(one, range(8)))
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("select count(*) from galvo.task_outbox") == 8
    await connection.close()


async def test_while_the_broker_is_away_everything_stays(
    dsn: str, noted: Any, own_redis: OwnRedis, redis: Redis, impatient: None
) -> None:
    async with relay_of(dsn, noted.app) as (kernel, relay):
        own_redis.kill()
        for n in range(20):
            async with kernel.transaction() as session:
                await outbox(session, noted, (f"{n}",))
        with pytest.raises(NotPublished):
            await relay.batch()
        assert len(await left(kernel)) == 20
        running = asyncio.create_task(relay.run())
        await asyncio.sleep(0.1)
        own_redis.start()
        await until(lambda: relay.published == 20)
        running.cancel()
        assert texts(redis) == [f"{n}" for n in range(20)]


async def test_one_that_cannot_be_published_does_not_keep_the_others(dsn: str, noted: Any, redis: Redis) -> None:
    async with relay_of(dsn, noted.app) as (kernel, relay):
        async with kernel.transaction() as session:
            await outbox(session, noted, ("broken",))
            await session.execute("update galvo.task_outbox set body = 'no'")
            await outbox(session, noted, ("good",))
            await session.execute("update galvo.task_outbox set task = 'unknown' where body like '%good%'")
            await outbox(session, noted, ("last",))
        await relay.batch()
        assert texts(redis) == ["last"]
        broken, unknown = await left(kernel)
        assert broken["problem"]
        assert unknown["problem"] is None  # for a relay that knows it


async def test_an_id_that_no_job_can_have_does_not_keep_the_others(
    dsn: str, app: Celery[Any], noted: Any, redis: Redis
) -> None:
    async with relay_of(dsn, app) as (kernel, relay):
        async with kernel.transaction() as session:
            await outbox(session, kept_of(app), ("broken",))
            await session.execute("update galvo.task_outbox set task_id = 'a b'")
            await outbox(session, noted, ("good",))
        await relay.batch()
        assert texts(redis) == ["good"]
        (broken,) = await left(kernel)
        assert "no id of a job" in broken["problem"]


async def test_results_that_are_away_keep_only_those_that_have_one(
    dsn: str, own_redis: OwnRedis, redis: Redis, tmp_path: Path
) -> None:
    with application(own_redis.url, results=f"unix://{tmp_path}/none.sock") as app:
        async with relay_of(dsn, app) as (kernel, relay):
            async with kernel.transaction() as session:
                for text in ("one", "two"):
                    await outbox(session, kept_of(app), ("kept",))
                    await outbox(session, app.tasks[NOTED], (text,))
            with pytest.raises(ResultsAway):
                await relay.batch()
            assert texts(redis) == ["one", "two"]
            assert [row["problem"] for row in await left(kernel)] == [None, None]


def kept_of(app: Celery[Any]) -> Any:
    def kept(text: str) -> None: ...

    return app.tasks.get("kept") or app.task(name="kept", keep_result=True, shared=False)(kept)


async def test_on_rabbitmq_only_what_may_run_twice(dsn: str, rabbit: Rabbit) -> None:
    url = rabbit.fresh()
    with application(url) as app:
        async with relay_of(dsn, app) as (kernel, relay):
            async with kernel.transaction() as session:
                with pytest.raises(Refused, match="idempotent=True"):
                    await outbox(session, app.tasks[NOTED], ("a",))
                await outbox(session, app.tasks["idempotent"], ("a",))
            await relay.batch()
        assert rabbit.queues(url) == {"test.quick": (1, 0)}
