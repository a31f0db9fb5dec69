"""Every async test here runs on asyncio and on trio; no GALVO_ variable of the developer's leaks in."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import anyio.lowlevel
import pytest


@pytest.fixture(scope="session", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("GALVO_"):
            monkeypatch.delenv(name)


async def _until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not true():
            await anyio.lowlevel.checkpoint()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """`await until(lambda: ...)`: let everybody else run until it is true."""
    return _until


@asynccontextmanager
async def _no_leak() -> AsyncIterator[None]:
    before = {task.id for task in anyio.get_running_tasks()}
    yield
    left = [task.name for task in anyio.get_running_tasks() if task.id not in before]
    assert not left, f"tasks left running: {left}"


@pytest.fixture
def no_leak() -> Callable[[], AbstractAsyncContextManager[None]]:
    """`async with no_leak():` fails if a task that began inside still runs at its end."""
    return _no_leak
