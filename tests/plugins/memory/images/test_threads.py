"""Whoever stops waiting for a thread, and however, has ended only when it has."""

from __future__ import annotations

import asyncio
import threading

import anyio
import pytest

from galvo_memory.budgets import Admission
from galvo_memory.images import threads
from galvo_memory.images.threads import in_thread

pytestmark = pytest.mark.anyio


class Decoder:
    """Ends when `go` is set, however long ago it was told to stop."""

    def __init__(self) -> None:
        self.begun, self.told, self.go, self.ended = (threading.Event() for _ in range(4))

    def __call__(self, stop: threading.Event) -> str:
        self.begun.set()
        if stop.wait(30):
            self.told.set()
        assert self.go.wait(30)
        self.ended.set()
        raise OSError("truncated")


@pytest.mark.parametrize("way", ["timeout", "wait_for", "cancel", "anyio"])
async def test_it_holds_its_budget_until_the_thread_has_ended(way: str) -> None:
    decoder, admission = Decoder(), Admission(100)
    scope, timeout = anyio.CancelScope(), asyncio.timeout(None)

    async def held() -> None:
        async with admission.hold(100):
            await in_thread(decoder)

    async def waits() -> None:
        if way == "timeout":
            async with timeout:
                await held()
        elif way == "wait_for":
            await asyncio.wait_for(held(), 0.3)
        elif way == "anyio":
            with scope:
                await held()
        else:
            await held()

    task = asyncio.create_task(waits())
    assert await asyncio.to_thread(decoder.begun.wait, 30)
    if way == "anyio":
        scope.cancel()
    if way == "timeout":
        timeout.reschedule(0)
    if way == "cancel":
        task.cancel()
    assert await asyncio.to_thread(decoder.told.wait, 30)
    for _ in range(3):
        if way == "cancel":
            task.cancel()  # as an impatient server does
        await asyncio.sleep(0)
    assert (admission.held, task.done()) == (100, False)
    decoder.go.set()
    outcome = (await asyncio.gather(task, return_exceptions=True))[0]
    assert decoder.ended.is_set()
    assert admission.held == 0
    expected: dict[str, type] = {"anyio": type(None), "cancel": asyncio.CancelledError}
    assert type(outcome) is expected.get(way, TimeoutError)


async def test_who_waits_for_his_turn_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one = anyio.CapacityLimiter(1)
    monkeypatch.setattr(threads, "_limit", lambda: one)
    first, second = Decoder(), Decoder()
    tasks = [asyncio.create_task(in_thread(first))]
    assert await asyncio.to_thread(first.begun.wait, 30)
    tasks.append(asyncio.create_task(in_thread(second)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    assert not second.begun.is_set()
    tasks[0].cancel()
    first.go.set()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]


def test_trio() -> None:
    """It holds off its cancellations itself."""
    decoder = Decoder()

    async def main() -> None:
        assert await in_thread(lambda _: 7) == 7
        with pytest.raises(OSError, match="gone"):
            await in_thread(gone)
        async with anyio.create_task_group() as group:
            group.start_soon(in_thread, decoder)
            await anyio.to_thread.run_sync(decoder.begun.wait, 30)
            group.cancel_scope.cancel()
            decoder.go.set()
        assert decoder.told.is_set()
        assert decoder.ended.is_set()

    anyio.run(main, backend="trio")


def gone(_: threading.Event) -> None:
    raise OSError("gone")
