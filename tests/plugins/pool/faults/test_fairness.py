"""Tasks that want the same get the same."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from galvo_pool.idle import Idle
from tests.plugins.pool.faults.variants import VARIANTS, pooled
from tests.plugins.pool.faults.whole import whole

pytestmark = pytest.mark.anyio
TASKS, ROUNDS = 20, 1000


async def counts(dsn: str, variant: str, other: asyncpg.Connection | None) -> list[int]:
    """How often each task had a connection, of `ROUNDS` times in all. The pool is sound afterwards, `other` sees."""
    async with pooled(dsn, variant, min_size=4) as pool:
        done = [0] * TASKS

        async def client(number: int) -> None:
            while sum(done) < ROUNDS:
                async with pool.acquire() as con:
                    await con.fetchval("select random()")
                done[number] += 1

        await asyncio.gather(*(client(number) for number in range(TASKS)))
        if other is not None:
            await whole(pool, other)
    return done


def fair(done: list[int]) -> bool:
    return max(done) <= 1.5 * min(done)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_nobody_starves(dsn: str, other: asyncpg.Connection, variant: str) -> None:
    done = await counts(dsn, variant, other)
    print(f"{variant}: {min(done)} to {max(done)}")
    assert fair(done), done


class Laid(Idle):
    """What comes back is laid down and the first who waits is woken to look for it, as in asyncio.LifoQueue."""

    def put_nowait(self, holder: Any) -> None:
        self.out -= 1
        if holder.expected:
            holder.expected = False
            self.busy -= 1
        (self._live if holder.is_connected() else self._dead).append(holder)
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break

    async def get(self) -> Any:
        while (holder := self.take()) is None:
            waiter = self._loop.create_future()
            self.waiters.append(waiter)
            await waiter
        return holder


async def test_a_queue_that_starves_is_seen(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("galvo_pool.pool.Idle", Laid)
    monkeypatch.setattr("galvo_pool.pool.Pool.take", lambda pool: pool._queue.take())  # it does not look who waits
    done = await counts(dsn, "cache and pool", None)  # without resets, so that nobody awaits anything in a release
    print(f"laid down: {min(done)} to {max(done)}")
    assert not fair(done), done
