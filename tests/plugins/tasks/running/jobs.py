"""Tasks for the tests of this folder."""

from __future__ import annotations

import asyncio
import builtins
import contextvars
import os
import time
from pathlib import Path
from typing import Any

from celery.signals import task_prerun

from galvo import Kernel
from galvo_tasks import celery_app
from galvo_tasks.running import cancel, in_loop, worker_kernel
from galvo_tasks.running.retries import Backoff
from tests.plugins.tasks.jobs import note

app = celery_app("test")
seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nothing")


@task_prerun.connect
def _set(task_id: str, **_: Any) -> None:
    seen.set(task_id)


@app.task(bind=True)
async def told(self: Any, name: str) -> None:
    await asyncio.sleep(0)
    note(f"{name} {self.request.id == seen.get()} {self.request.retries} {os.getpid()}")


@app.task
async def slow(name: str, seconds: float = 60.0, cleaning: float = 0.0) -> str:
    note(f"{name} begins")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError as error:
        note(f"{name} cancelled: {error}")
        await asyncio.sleep(cleaning)
        note(f"{name} cleaned up")
        raise
    return name


@app.task
async def cancelled_from_within() -> None:
    raise asyncio.CancelledError


@app.task
def asks(sql: str) -> None:
    """No coroutine."""
    note(f"sync: {in_loop(worker_kernel().fetchval(sql))}")


@app.task
async def asks_too(sql: str) -> None:
    async def load() -> Any:
        return await worker_kernel().fetchval(sql)

    note(f"async: {await worker_kernel().cached('key', load)}")


@app.task
async def cancels(task_id: str) -> None:
    note(f"cancel: {cancel(task_id)}")


@app.task
def sync_slow(name: str, seconds: float) -> None:
    note(f"{name} begins")
    time.sleep(seconds)
    note(f"{name} ends")


@app.task(time_limit=0.2)
async def limited() -> None:
    await asyncio.sleep(60)


@app.task
async def stubborn() -> None:
    """Holds its loop, so that nothing can be cancelled."""
    note("stubborn begins")
    time.sleep(60)  # noqa: ASYNC251


@app.task
async def watches() -> None:
    """Notes at the end of its loop whether the kernel still runs."""
    kernel = await worker_kernel().ready()
    note(str(os.getpid()))
    watching.add(asyncio.create_task(_watch(kernel)))


watching: set[asyncio.Task[None]] = set()


async def _watch(kernel: Kernel) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        note(f"{os.getpid()} has a kernel that runs: {kernel.running}")


QUICK = Backoff(
    first=0.05, floor=0.02, most=0.2, budget=60, on={KeyError: None, OSError: Backoff(0.05, floor=0.02, budget=0.4)}
)


@app.task(bind=True, backoff=QUICK, idempotent=True)
def flaky(self: Any, name: str, times: int = 2, error: str = "ValueError") -> None:
    _attempt(self, name)
    if self.request.retries < times:
        raise getattr(builtins, error)(f"{name} {self.request.retries}")


@app.task(bind=True, backoff=QUICK, idempotent=True)
async def flaky_too(self: Any, name: str, times: int = 2) -> None:
    _attempt(self, name)
    await asyncio.sleep(0)
    if self.request.retries < times:
        raise ValueError(name)


@app.task(bind=True)
async def asks_again(self: Any, name: str) -> None:
    _attempt(self, name)
    if self.request.retries < 1:
        raise self.retry(countdown=0.05)


def _attempt(task: Any, name: str) -> None:
    request = task.request
    info, headers = request.delivery_info, request.headers or {}
    known = {"galvo-key", "galvo-lost", "redelivered", "shop"} & {*headers}
    note(f"{name} {request.retries} {info['priority']} {info['routing_key']} {sorted(known)} {time.time()}")


here: list[int] = []
all_here = asyncio.Event()


@app.task
async def meets(number: int, others: int) -> None:
    """Waits until all of them run."""
    here.append(number)
    if len(here) == others:
        all_here.set()
    await all_here.wait()
    note(f"{number} met {len(here)}")


@app.task
def waits_in_loop(name: str) -> None:
    in_loop(_sleeps(name))


async def _sleeps(name: str) -> None:
    note(f"{name} begins")
    try:
        await asyncio.sleep(60)
    finally:
        note(f"{name} ends")


@app.task(bind=True, backoff=Backoff(first=0.05, floor=0.02))
def fails_on_go(self: Any) -> None:
    note(f"attempt {self.request.retries}")
    while not Path("go").exists():
        time.sleep(0.01)
    if self.request.retries == 0:
        raise ValueError
