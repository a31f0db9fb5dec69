"""Ways in which asynchronous code asks for a task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from redis.asyncio import Redis

from galvo_bench.running.peers import need
from galvo_bench.running.stand import Stand
from galvo_bench.tasks.jobs import jobs_of
from galvo_bench.tasks.plain import celery
from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.publishing import publisher

Ask = Callable[[], Awaitable[object]]
Make = Callable[[Stand, AsyncExitStack], Awaitable[Ask]]
SCHEMA = "galvo_bench_procrastinate"


async def in_the_loop(stand: Stand, stack: AsyncExitStack) -> Ask:
    task = await _task(stand, stack, "loop")

    async def ask() -> None:
        task.apply_async()

    return ask


async def in_threads(stand: Stand, stack: AsyncExitStack) -> Ask:
    task = await _task(stand, stack, "threads")
    return lambda: asyncio.to_thread(task.apply_async)


async def submitted(stand: Stand, stack: AsyncExitStack) -> Ask:
    url = await _redis(stand, stack, "submit")
    app = celery_app("bench", TasksSettings.model_validate({"broker": url}))
    stack.callback(publisher.close, app)
    submit: Ask = jobs_of(app).nothing.submit
    return submit


async def taskiq(stand: Stand, stack: AsyncExitStack) -> Ask:
    url = await _redis(stand, stack, "taskiq")
    broker = need("taskiq_redis").ListQueueBroker(url)

    async def nothing() -> None:
        pass

    task = broker.task(task_name="bench.nothing")(nothing)
    await broker.startup()
    stack.push_async_callback(broker.shutdown)
    return lambda: task.kiq()  # it is another object each time


async def procrastinate(stand: Stand, stack: AsyncExitStack) -> Ask:
    """In a schema of its own, without a sync connector."""
    module = need("procrastinate")
    dsn = await stand.postgres()
    connection = await asyncpg.connect(dsn)
    stack.push_async_callback(connection.close)
    await connection.execute(f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}")
    stack.push_async_callback(connection.execute, f"drop schema {SCHEMA} cascade")
    connector = module.PsycopgConnector(conninfo=dsn, kwargs={"options": f"-c search_path={SCHEMA}"}, max_size=10)
    app = module.App(connector=connector)

    async def nothing() -> None:
        pass

    task = app.task(name="bench.nothing")(nothing)
    await stack.enter_async_context(app.open_async())
    await app.schema_manager.apply_schema_async()
    defer: Ask = task.defer_async
    return defer


async def _task(stand: Stand, stack: AsyncExitStack, name: str) -> Any:
    url = await _redis(stand, stack, name)
    app = celery({"broker_url": url.replace("unix:", "redis+socket:"), "task_ignore_result": True})
    stack.callback(app.close)
    return jobs_of(app).nothing


async def _redis(stand: Stand, stack: AsyncExitStack, name: str) -> str:
    """Its own, empty before and after."""
    url = await stand.redis_of(name)
    client = Redis.from_url(url)
    stack.push_async_callback(client.aclose)
    stack.push_async_callback(client.flushdb)
    await client.flushdb()
    return url


BASELINE = "Celery's apply_async in the loop"
OURS: dict[str, Make] = {
    BASELINE: in_the_loop,
    "the same by asyncio.to_thread": in_threads,
    "galvo's submit": submitted,
}
PEERS: dict[str, Make] = {"taskiq-redis kiq": taskiq, "procrastinate defer_async": procrastinate}
