"""Objects are made when needed, cleaned, checked, handed on in turn, and thrown away when they are no good."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

from galvo_memory import ObjectPool
from galvo_memory.pools import PoolClosed, registry
from galvo_memory.pools import objects as module

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Engine:
    def __init__(self, number: int) -> None:
        self.number = number
        self.resets = 0
        self.good = True
        self.disposed = False


class Works:
    """Makes engines, and remembers them."""

    def __init__(self) -> None:
        self.engines: list[Engine] = []
        self.fails = 0
        self.blocks: anyio.Event | None = None

    def make(self) -> Engine:
        if self.fails:
            self.fails -= 1
            raise ZeroDivisionError("no engine")
        self.engines.append(Engine(len(self.engines)))
        return self.engines[-1]

    async def make_slowly(self) -> Engine:
        await anyio.lowlevel.checkpoint()
        return self.make()

    async def reset(self, engine: Engine) -> None:
        if self.blocks is not None:
            await self.blocks.wait()
        engine.resets += 1

    def dispose(self, engine: Engine) -> None:
        engine.disposed = True

    def pool(self, **options: Any) -> ObjectPool[Engine]:
        return ObjectPool(self.make, **{"reset": self.reset, "dispose": self.dispose, "name": "engines", **options})


@pytest.fixture
def works() -> Works:
    return Works()


async def test_the_last_one_comes_first(works: Works) -> None:
    async with works.pool() as pool:
        async with pool.acquire() as first, pool.acquire() as second:
            assert (first.number, second.number) == (0, 1)
        async with pool.acquire() as again:
            assert again is first, "given back last"
            assert again.resets == 1
        assert (pool.made, pool.reused) == (2, 1)
    assert all(engine.disposed for engine in works.engines)


async def test_async_factory_and_validate(works: Works) -> None:
    async def validate(engine: Engine) -> bool:
        await anyio.lowlevel.checkpoint()
        return engine.good

    async with ObjectPool(works.make_slowly, validate=validate, dispose=works.dispose) as pool:
        async with pool.acquire() as first:
            first.good = False
        async with pool.acquire() as second:
            assert second is not first
            assert first.disposed


async def test_waiting_is_fair_and_has_a_limit(works: Works) -> None:
    order: list[int] = []
    async with works.pool(max_size=1) as pool, anyio.create_task_group() as tasks:

        async def use(number: int) -> None:
            async with pool.acquire():
                order.append(number)

        async with pool.acquire():
            for number in range(5):
                tasks.start_soon(use, number)
                await anyio.wait_all_tasks_blocked()
            with pytest.raises(TimeoutError, match=r"engines within 0\.01 s: 1 of 1 \(max_size\).*test_objects\.py"):
                async with pool.acquire(timeout=0.01):
                    pass
        async with pool.acquire():  # comes last, and does not pass them
            order.append(5)
        assert order == [0, 1, 2, 3, 4, 5]
    assert len(works.engines) == 1


async def test_cancelled_while_it_waits_in_any_moment(works: Works) -> None:
    """Nobody's turn is lost: also when it comes together with the cancellation."""
    async with works.pool(max_size=1) as pool:
        for turns in range(6):
            async with anyio.create_task_group() as tasks:
                scope, got = anyio.CancelScope(), []

                async def give_up(scope: anyio.CancelScope = scope) -> None:
                    with scope:
                        async with pool.acquire():
                            await anyio.lowlevel.checkpoint()

                async def patient(got: list[bool] = got) -> None:
                    async with pool.acquire():
                        got.append(True)

                async with pool.acquire():
                    tasks.start_soon(give_up)
                    await anyio.wait_all_tasks_blocked()
                    tasks.start_soon(patient)
                    await anyio.wait_all_tasks_blocked()
                for _ in range(turns):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()
            assert got == [True]
    assert len(works.engines) == 1


async def test_a_factory_that_fails_keeps_nobody_waiting(works: Works) -> None:
    works.fails = 2
    async with works.pool(max_size=1) as pool:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                async with pool.acquire(timeout=5):
                    pass
        async with pool.acquire(timeout=5) as engine:
            assert engine.number == 0


async def test_what_cannot_be_reset_is_thrown_away(works: Works, caplog: pytest.LogCaptureFixture) -> None:
    def broken(engine: Engine) -> None:
        raise ZeroDivisionError("cannot")

    async with works.pool(reset=broken) as pool:
        with caplog.at_level(logging.WARNING, "galvo.memory"):
            async with pool.acquire() as first:
                pass
        assert "reset of one of engines failed, it is thrown away: cannot" in caplog.text
        assert first.disposed
        async with pool.acquire() as second:
            assert second is not first
    works.blocks = anyio.Event()
    async with works.pool(reset_timeout=0.01, max_size=1) as pool:
        async with pool.acquire() as stuck:
            pass
        assert stuck.disposed
        assert "took more than 0.01 s" in caplog.text


async def test_reset_also_after_errors_and_cancellation(works: Works) -> None:
    async with works.pool() as pool:
        with pytest.raises(ZeroDivisionError):
            async with pool.acquire() as engine:
                raise ZeroDivisionError
        with anyio.CancelScope() as scope:
            async with pool.acquire() as same:
                scope.cancel()
                await anyio.lowlevel.checkpoint()
        assert same is engine
        assert engine.resets == 2


async def test_old_ones_go(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    async with works.pool(max_idle_seconds=60) as pool:
        async with pool.acquire(), pool.acquire():
            pass
        now += 59
        async with pool.acquire() as used:
            pass
        now += 1
        assert pool.sweep() == 1
        assert [engine.disposed for engine in works.engines] == [engine is not used for engine in works.engines]
        now += 60
        async with pool.acquire() as fresh:
            assert fresh.number == 2


async def test_told_and_freed(works: Works) -> None:
    async with works.pool(bytes_each=1000) as pool:
        async with pool.acquire(), pool.acquire(), pool.acquire():
            [held] = [held for held in registry.held() if held.name == "engines"]
            assert (held.taken, held.out, held.idle) == (3, 3000, 0)
            assert "in test_told_and_freed" in held.places[0]
        assert pool.free(0.5) == 2000
        assert registry.free(1).bytes >= 1000
        assert all(engine.disposed for engine in works.engines)


async def test_closed(works: Works) -> None:
    pool = works.pool(max_size=1)
    refused: list[bool] = []

    async def wait() -> None:
        try:
            async with pool.acquire():
                pass
        except PoolClosed:
            refused.append(True)

    async with anyio.create_task_group() as tasks:
        async with pool.acquire() as engine:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(pool.close)
            await anyio.wait_all_tasks_blocked()
            assert not engine.disposed
        await pool.close()
        assert engine.disposed
        assert engine.resets == 0
    assert refused == [True]
    with pytest.raises(PoolClosed, match="the pool engines is closed"):
        async with pool.acquire():
            pass


def test_bad_input() -> None:
    async def dispose(engine: Engine) -> None: ...

    with pytest.raises(ValueError, match="max_size is 0"):
        ObjectPool(object, max_size=0)
    with pytest.raises(ValueError, match="dispose must be a plain function"):
        ObjectPool(object, dispose=dispose)
