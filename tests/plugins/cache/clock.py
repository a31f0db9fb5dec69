"""The cache's time in the test's hands."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from galvo_cache import plugin as cache_plugin
from galvo_cache import reading
from tests.plugins.cache.stand import Stand


class Clock:
    """Stands still unless it is set forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic()
        for module in (cache_plugin, reading):
            monkeypatch.setattr(module, "monotonic", lambda: self.now)


async def costly(stand: Stand, clock: Clock, seconds: float, sql: str, *args: Any) -> Any:
    """The first answer of a read that takes so long."""
    await stand.kernel.fetchval(sql, -1)  # the statement is known: what comes now is one query
    stop = stand.gate.stop(sql)
    answers: list[Any] = []

    async def read() -> None:
        answers.append(await stand.kernel.fetchval(sql, *args))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await stop.reached.wait()
        clock.now += seconds
        stop.go.set()
    return answers[0]


async def turned(true: Callable[[], object]) -> None:
    """Wait for what a background task does."""
    with anyio.fail_after(10):
        while not true():  # noqa: ASYNC110  # nothing tells
            await anyio.sleep(0.001)
