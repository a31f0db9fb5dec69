"""When pools of buffers and of objects pay, and when they do not: against making a new one each time."""

from __future__ import annotations

import json
import sqlite3
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from galvo_bench.method.rounds import Candidate, Operation, compare
from galvo_bench.results.model import Section
from galvo_bench.running.stand import Stand
from galvo_memory import BufferPool, ObjectPool

KIB = 1 << 10
SIZES = {"16 KiB": 16 * KIB, "64 KiB": 64 * KIB, "256 KiB": 256 * KIB, "1 MiB": 1 << 20, "16 MiB": 16 << 20}
PAGE = 4 * KIB
WORK = 64 << 20
"""Bytes per round, so that large buffers do not take forever."""
OBJECTS: dict[str, tuple[Callable[[], Any], int]] = {
    "object()": (object, 50),
    "json.JSONDecoder()": (json.JSONDecoder, 50),
    "sqlite3.connect()": (lambda: sqlite3.connect(":memory:"), 50),
    "ssl.create_default_context()": (ssl.create_default_context, 4),
}
"""How one is made, and how often in a round."""


async def measure(stand: Stand) -> list[Section]:
    """A section for each size, and one for each kind of object."""
    sections = [await _sized(stand, name, size) for name, size in SIZES.items()]
    return sections + [await _made(stand, name, *made) for name, made in OBJECTS.items()]


async def _sized(stand: Stand, name: str, size: int) -> Section:
    each = max(4, min(1000, WORK // size // 4))
    plain, zeroing = BufferPool(4 * size), BufferPool(4 * size, zero=True)
    marks = memoryview(bytes(range(256)) * (size // PAGE // 256 + 1))[: -(-size // PAGE)]

    def fresh() -> None:
        memory = bytearray(size)
        memory[::PAGE] = marks

    def pooled(pool: BufferPool) -> Callable[[], None]:
        def take() -> None:
            with pool.take(size) as view:
                view[::PAGE] = marks

        return take

    candidates = [
        Candidate("bytearray", _times(fresh, each), 2, each),
        Candidate("BufferPool", _times(pooled(plain), each), 2, each),
        Candidate("BufferPool, zeroed", _times(pooled(zeroing), each), 2, each),
    ]
    rows = await compare(candidates, stand.rounds, "wall", stand.tick)
    return Section("buffers", f"A buffer of {name}: taken, written to in each page, dropped", "Wall time.", [*rows])


def _times(work: Callable[[], None], each: int) -> Operation:
    async def operation() -> None:
        for _ in range(each):
            work()

    return operation


async def _made(stand: Stand, name: str, make: Callable[[], Any], times: int) -> Section:
    async with AsyncExitStack() as stack:
        pool: ObjectPool[Any] = await stack.enter_async_context(ObjectPool(make, dispose=_close, max_size=1))

        async def fresh() -> None:
            _close(make())

        async def pooled() -> None:
            async with pool.acquire():
                pass

        rows = await compare(
            [Candidate("made each time", fresh, times), Candidate("ObjectPool", pooled, 50)],
            stand.rounds, "wall", stand.tick,
        )  # fmt: skip
    return Section("buffers", f"{name}: made, or taken from a pool", "Wall time.", [*rows])


def _close(made: Any) -> None:
    if isinstance(made, sqlite3.Connection):
        made.close()
