"""Connections are opened a few at a time; while none can be had everybody hears so at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from galvo import Kernel
from galvo_pool import PoolPlugin, create_pool
from galvo_pool.gate import Gate
from tests.plugins.pool.heard import until
from tests.plugins.pool.relay import relay

pytestmark = pytest.mark.anyio
MANY = 24


def chain(kind: str) -> Kernel | None:
    return Kernel.of({PoolPlugin: {}}) if kind == "chained" else None


KINDS = pytest.mark.parametrize("kind", ["chained", "plain"])


async def use(pool: Any, holding: list[int], go: asyncio.Event) -> None:
    async with pool.acquire() as connection:
        holding.append(await connection.fetchval("select pg_backend_pid()"))
        if len(holding) == MANY:
            go.set()
        await go.wait()


@KINDS
async def test_a_crowd_opens_a_few_at_a_time(dsn: str, kind: str) -> None:
    """Twice as many with every round, so never more than have opened already, and one."""
    opened, opening, most = 0, 0, 0

    async def connect(*args: Any, **keywords: Any) -> Any:
        nonlocal opened, opening, most
        opening += 1
        assert opening <= min(16, 2 + opened), "no storm"
        most = max(most, opening)
        try:
            return await asyncpg.connect(*args, **keywords)
        finally:
            opening -= 1
            opened += 1

    async with create_pool(dsn, kernel=chain(kind), min_size=0, max_size=MANY, connect=connect) as pool:
        holding: list[int] = []
        await asyncio.gather(*(use(pool, holding, go) for go in [asyncio.Event()] for _ in range(MANY)))
        assert len(set(holding)) == MANY
        assert opened >= MANY
        assert most > 2, "it speeds up"


async def test_asyncpgs_pool_is_a_storm(dsn: str) -> None:
    """What the relay counts is what it should."""
    async with relay(dsn) as (url, counted), asyncpg.create_pool(url, min_size=0, max_size=MANY) as pool:
        holding: list[int] = []
        await asyncio.gather(*(use(pool, holding, go) for go in [asyncio.Event()] for _ in range(MANY)))
        assert counted.asked == MANY
        assert counted.most > 16


@KINDS
async def test_min_size_opens_a_few_at_a_time(dsn: str, kind: str) -> None:
    async with relay(dsn) as (url, counted):
        async with create_pool(url, kernel=chain(kind), min_size=MANY, max_size=MANY) as pool:
            assert pool.get_size() == MANY
            assert counted.asked == MANY
            assert counted.most <= 16
        await until(lambda: not counted._tasks)


@KINDS
async def test_callers_hear_of_an_outage_at_once(dsn: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred callers one or a few try, and all get the same error."""
    async with relay(dsn) as (url, counted), create_pool(url, kernel=chain(kind), min_size=0, max_size=100) as pool:
        assert await pool.fetchval("select 1") == 1
        monkeypatch.setattr(pool.gate._ramp._source, "uniform", lambda low, high: 60.0)
        monkeypatch.setattr("galvo_pool.sizing.ramp.CAP", 60.0)
        await counted.refuse()
        await until(lambda: not pool.get_idle_size())
        first = await asyncio.gather(*(pool.execute("select 1") for _ in range(100)), return_exceptions=True)
        before = pool.gate.failures
        asked = await asyncio.gather(*(pool.execute("select 1") for _ in range(100)), return_exceptions=True)
        assert {type(error) for error in [*first, *asked]} == {ConnectionRefusedError}
        assert all(str(error) for error in asked)
        assert len({id(error) for error in asked}) == 100, "each has a traceback of its own"
        assert 1 <= before <= 4
        if kind == "plain":  # a kernel's plugin tries by itself
            assert pool.gate.failures == before, "nobody asked the server while the pause lasted"
        assert pool.gate.failing


@KINDS
async def test_so_they_do_of_a_balancer_without_a_server(dsn: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts every connection, and ends it."""
    async with relay(dsn) as (url, counted), create_pool(url, kernel=chain(kind), min_size=0, max_size=100) as pool:
        monkeypatch.setattr(pool.gate._ramp._source, "uniform", lambda low, high: 60.0)
        monkeypatch.setattr("galvo_pool.sizing.ramp.CAP", 60.0)
        counted.serves = False
        asked = await asyncio.gather(*(pool.execute("select 1") for _ in range(100)), return_exceptions=True)
        assert {type(error) for error in asked} == {asyncpg.ConnectionDoesNotExistError}
        assert counted.asked <= 4
        assert pool.gate.failing


@KINDS
async def test_the_first_success_ends_it(dsn: str, kind: str) -> None:
    async with relay(dsn) as (url, counted), create_pool(url, kernel=chain(kind), min_size=0, max_size=8) as pool:
        assert await pool.fetchval("select 1") == 1
        await counted.refuse()
        await until(lambda: not pool.get_idle_size())
        for _ in range(5):
            with pytest.raises(ConnectionRefusedError):
                await pool.fetchval("select 1")
        assert pool.gate.failing
        await counted.listen()
        refused = 0
        while True:
            try:
                assert await pool.fetchval("select 1") == 1
                break
            except ConnectionRefusedError:
                refused += 1
                await asyncio.sleep(0.01)
        assert refused < 200
        assert not pool.gate.failing
        async with AsyncExitStack() as stack:
            for _ in range(8):
                await stack.enter_async_context(pool.acquire())
        assert pool.get_size() == 8


async def test_a_pause_is_over_when_it_is_over(dsn: str) -> None:
    """Nobody is told of a failure by hearsay for ever."""
    gate, tries = Gate(asyncio.get_running_loop()), 0

    async def fails() -> None:
        nonlocal tries
        tries += 1
        raise ConnectionRefusedError(111, "no")

    async def works() -> str:
        return "open"

    with pytest.raises(ConnectionRefusedError):
        await gate.open(fails)
    with pytest.raises(ConnectionRefusedError, match="no"):
        await gate.open(works)
    assert tries == 1
    assert await gate.open(works, insist=True) == "open", "min_size is kept, whatever the others heard"
    assert await gate.open(works) == "open"


async def test_an_error_of_ones_own_is_not_told_to_others() -> None:
    gate = Gate(asyncio.get_running_loop())

    async def wrong() -> None:
        raise asyncpg.InvalidPasswordError("wrong")

    async def works() -> str:
        return "open"

    with pytest.raises(asyncpg.InvalidPasswordError):
        await gate.open(wrong)
    assert not gate.failing
    assert await gate.open(works) == "open"


async def test_whoever_gives_up_leaves_its_turn_to_others() -> None:
    gate, go = Gate(asyncio.get_running_loop()), asyncio.Event()
    began = 0

    async def slow() -> int:
        nonlocal began
        began += 1
        await go.wait()
        return 1

    tasks = [asyncio.create_task(gate.open(slow)) for _ in range(6)]
    await until(lambda: began == 2)
    for task in (tasks[0], tasks[1], tasks[2]):
        task.cancel()
    await until(lambda: began == 4)
    go.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[3:] == [1, 1, 1]
    assert {type(outcome) for outcome in outcomes[:3]} == {asyncio.CancelledError}


@KINDS
@pytest.mark.parametrize("limit", ["role", "database"])
async def test_a_server_that_is_full(dsn: str, server_dsn: str, kind: str, limit: str) -> None:
    """TooManyConnectionsError, as asyncpg has it, and those that are open go on."""
    async with AsyncExitStack() as stack:
        server = await asyncpg.connect(server_dsn)
        stack.push_async_callback(server.close)
        name = dsn.split("/")[3].split("?")[0]
        user, own = "postgres", dsn
        if limit == "role":
            user = f"few_{name}"
            own = dsn.replace("postgres@", f"{user}@")
            await server.execute(f"create role {user} login connection limit 2")
        else:
            user = f"many_{name}"
            own = dsn.replace("postgres@", f"{user}@")
            await server.execute(f"create role {user} login; alter database {name} connection limit 2")
        stack.push_async_callback(server.execute, f"drop role {user}")
        async with create_pool(own, kernel=chain(kind), min_size=1, max_size=4) as pool:
            async with pool.acquire() as one, pool.acquire() as two:
                with pytest.raises(asyncpg.TooManyConnectionsError):
                    await pool.acquire()
                assert await one.fetchval("select 1") == await two.fetchval("select 1") == 1
            assert await pool.fetchval("select 1") == 1
