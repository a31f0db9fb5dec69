"""What cannot be: asyncpg's exception where it has one, else a sentence that says what to change; nothing is left."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest

from galvo import GalvoError, Kernel, PluginError
from galvo_cache import CachePlugin
from galvo_embedded import Servers
from galvo_pool import PoolPlugin, create_pool

pytestmark = pytest.mark.anyio
KINDS = pytest.mark.parametrize("kind", ["chained", "plain"])


def kernel(kind: str) -> Kernel | None:
    return Kernel.of({CachePlugin: {}, PoolPlugin: {}}) if kind == "chained" else None


def made(dsn: str, kind: str, **keywords: Any) -> Any:
    if kind == "asyncpg":
        return asyncpg.create_pool(dsn, **keywords)
    return create_pool(dsn, kernel=kernel(kind), **keywords)


@pytest.fixture(autouse=True)
async def nothing_is_left(server_dsn: str, dsn: str) -> AsyncIterator[None]:
    """No task, and no connection to this test's database."""
    before = asyncio.all_tasks()
    yield
    for _ in range(1500):
        left = {task for task in asyncio.all_tasks() - before if "TestRunner" not in str(task)}
        if not left:
            break
        await anyio.sleep(0.01)
    assert not left, left
    name = dsn.split("/")[3].split("?")[0]
    server = await asyncpg.connect(server_dsn)
    try:
        sql = "select count(*) from pg_stat_activity where datname = $1"
        for _ in range(200):
            if not (open_now := await server.fetchval(sql, name)):
                break
            await anyio.sleep(0.01)
        assert open_now == 0
    finally:
        await server.close()


async def outcome(call: Callable[[], Any]) -> BaseException:
    try:
        async with call():
            pass
    except Exception as error:
        return error
    pytest.fail("it opened")


# -- it cannot open -----------------------------------------------------------------------------------

SERVER: dict[str, tuple[dict[str, Any], type[BaseException]]] = {
    "user": ({"user": "nobody_here"}, asyncpg.InvalidAuthorizationSpecificationError),
    "database": ({"database": "nothing_here"}, asyncpg.InvalidCatalogNameError),
    "TLS": ({"ssl": "require", "host": "127.0.0.1", "port": 1}, ConnectionRefusedError),
    "setting": ({"server_settings": {"nothing": "x"}}, asyncpg.UndefinedObjectError),
    "value": ({"server_settings": {"work_mem": "much"}}, asyncpg.InvalidParameterValueError),
    "keyword": ({"max_sice": 3}, TypeError),
    "timeout": ({"timeout": 0}, TimeoutError),
}


@KINDS
@pytest.mark.parametrize("case", SERVER)
@pytest.mark.parametrize("least", [0, 3])
async def test_what_the_server_refuses(dsn: str, kind: str, case: str, least: int) -> None:
    keywords, expected = SERVER[case]

    async def use(which: str) -> BaseException:
        try:
            async with made(dsn, which, **{"min_size": least, "max_size": 4, **keywords}) as pool:
                await pool.fetchval("select 1")
        except Exception as error:
            return error
        return pytest.fail("it answered")

    stock, ours = await use("asyncpg"), await use(kind)
    assert isinstance(stock, expected), stock
    assert type(ours) is type(stock)
    assert str(ours) == str(stock)


@KINDS
async def test_a_server_without_tls(dsn: str, kind: str, server_dsn: str) -> None:
    from tests.plugins.pool.relay import relay

    async with relay(dsn) as (url, _):
        url = url.replace("sslmode=disable", "sslmode=require")
        stock = await outcome(lambda: made(url, "asyncpg", min_size=2))
        ours = await outcome(lambda: made(url, kind, min_size=2))
        assert type(ours) is type(stock)
        assert isinstance(ours, ConnectionError)


@KINDS
async def test_a_wrong_password(dsn: str, kind: str) -> None:
    connection = await asyncpg.connect(dsn)
    name = await connection.fetchval("select current_database()")
    user, hba = f"sure_{name}", Path(await connection.fetchval("show hba_file"))
    rules = await asyncio.to_thread(hba.read_text)
    await connection.execute(f"create role {user} login password 'right'")
    try:
        await asyncio.to_thread(hba.write_text, f"local all {user} scram-sha-256\n{rules}")
        await connection.execute("select pg_reload_conf()")
        while not await connection.fetchval("select $1 = any(user_name) from pg_hba_file_rules limit 1", user):
            pass
        url = dsn.replace("postgres@", f"{user}:wrong@")
        with anyio.fail_after(10):
            while True:  # until the server has read it
                try:
                    await (await asyncpg.connect(url)).close()
                except asyncpg.InvalidPasswordError:
                    break
        for least in (0, 2):
            with pytest.raises(asyncpg.InvalidPasswordError) as caught:
                async with made(url, kind, min_size=least) as pool:
                    await pool.execute("select 1")
            assert "wrong" not in str(caught.value)
    finally:
        await asyncio.to_thread(hba.write_text, rules)
        await connection.execute("select pg_reload_conf()")
        await connection.execute(f"drop role {user}")
        await connection.close()


@KINDS
async def test_more_than_the_role_may_have(dsn: str, server_dsn: str, kind: str) -> None:
    server = await asyncpg.connect(server_dsn)
    user = f"few_{dsn.split('/')[3].split('?')[0]}"
    await server.execute(f"create role {user} login connection limit 2")
    try:
        url = dsn.replace("postgres@", f"{user}@")
        for which in ("asyncpg", kind):
            error = await outcome(lambda which=which: made(url, which, min_size=4, max_size=4))
            assert type(error) is asyncpg.TooManyConnectionsError
            sql = "select count(*) from pg_stat_activity where usename = $1"
            while await server.fetchval(sql, user):  # noqa: ASYNC110  # asyncpg's leaves closing to the background
                await asyncio.sleep(0.01)
    finally:
        await server.execute(f"drop role {user}")
        await server.close()


SIZES: list[dict[str, Any]] = [
    {"min_size": 5, "max_size": 2}, {"min_size": 0, "max_size": 0}, {"max_size": -1}, {"min_size": -1},
    {"max_queries": 0}, {"max_inactive_connection_lifetime": -1}, {"connection_class": dict}, {"record_class": dict},
    {"min_size": 1, "init_size": 0}, {"init_size": 99}, {"connect": 7}, {"max_size": None}, {"max_size": "many"},
]  # fmt: skip


@KINDS
@pytest.mark.parametrize("keywords", SIZES, ids=str)
async def test_keywords_that_cannot_be(dsn: str, kind: str, keywords: dict[str, Any]) -> None:
    stock, ours = (
        await outcome(lambda: made(dsn, "asyncpg", **keywords)),
        await outcome(lambda: made(dsn, kind, **keywords)),
    )
    assert type(ours) is type(stock), (ours, stock)
    if "many" not in keywords.values():
        assert str(ours) == str(stock)


@KINDS
@pytest.mark.parametrize(
    "keywords, sentence",
    [
        ({"leak_after": -1}, "leak_after is expected to be greater or equal to zero"),
        ({"max_waiting": -1}, "max_waiting is expected to be greater or equal to zero"),
        ({"reset_when": "never"}, "reset_when is 'needed' or 'always', not 'never'"),
        ({"max_lifetime": "long"}, "max_lifetime"),
        ({"check_after_idle": None}, "check_after_idle"),
        ({"leak_after": float("nan")}, "leak_after"),
        ({"max_size": "autox"}, "max_size"),
    ],
    ids=str,
)
async def test_options_of_ours(dsn: str, kind: str, keywords: dict[str, Any], sentence: str) -> None:
    error = await outcome(lambda: made(dsn, kind, **keywords))
    assert isinstance(error, ValueError | TypeError)
    assert sentence in str(error), error


# -- at a time when it cannot -------------------------------------------------------------------------

CALLS: dict[str, Callable[[Any], Any]] = {
    "acquire": lambda pool: pool.acquire(),
    "fetch": lambda pool: pool.fetch("select 1"),
    "fetchval": lambda pool: pool.fetchval("select 1"),
    "execute": lambda pool: pool.execute("select 1"),
    "executemany": lambda pool: pool.executemany("select $1", [("1",)]),
    "expire": lambda pool: pool.expire_connections(),
    "close": lambda pool: pool.close(),
}


async def raised(call: Callable[[], Any]) -> tuple[type, str] | None:
    try:
        await call()
    except Exception as error:
        return type(error), str(error)
    return None


@KINDS
@pytest.mark.parametrize("call", CALLS)
async def test_before_it_is_open_and_after_it_is_closed(dsn: str, kind: str, call: str) -> None:
    outcomes = []
    for which in ("asyncpg", kind):
        pool = made(dsn, which, min_size=1)
        before = await raised(partial(CALLS[call], pool))
        await pool
        await pool.close()
        after = await raised(partial(CALLS[call], pool))
        pool = made(dsn, which, min_size=1)
        await pool
        pool.terminate()
        outcomes.append((before, after, await raised(partial(CALLS[call], pool))))
    assert outcomes[1] == outcomes[0]


@KINDS
async def test_a_lent_connection_after_its_release(dsn: str, kind: str) -> None:
    outcomes = []
    for which in ("asyncpg", kind):
        async with made(dsn, which, min_size=1, max_size=2) as pool, made(dsn, which, min_size=1) as foreign:
            lent = await pool.acquire()
            wrong = await raised(partial(foreign.release, lent))
            await pool.release(lent)
            outcomes.append(
                (
                    wrong and wrong[0],
                    await raised(partial(lent.fetch, "select 1")),
                    await raised(partial(pool.release, lent)),
                )
            )
    assert outcomes[1] == outcomes[0]


@KINDS
async def test_taking_one_while_the_only_one_is_held(dsn: str, kind: str) -> None:
    async with made(dsn, kind, min_size=1, max_size=1) as pool, pool.acquire():
        for call in (lambda: pool.acquire(timeout=0.05),):
            with pytest.raises(TimeoutError) as caught:
                await call()
            told = str(caught.value)
            assert "no connection became free within 0.05 s" in told
            assert re.search(rf"they are with {re.escape(__file__)}:\d+ in test_taking_one\w+ for 0\.\d s", told), told
    async with made(dsn, kind, min_size=1, max_size=1, acquire_timeout=0.05) as pool, pool.acquire() as lent:
        for work in (pool.acquire(), pool.fetchval("select 1"), pool.execute("select 1"), pool.fetch("select 1")):
            with pytest.raises(TimeoutError, match=r"test_bad_input\.py:\d+ in "):
                await work
        assert await lent.fetchval("select 1") == 1
        assert pool.get_idle_size() == 0


REFUSED = {asyncpg.TooManyConnectionsError, asyncpg.ConnectionDoesNotExistError}
"""The server says why and closes at once; sometimes asyncpg hears the second before the first, its own pool too."""


@KINDS
async def test_more_than_the_server_has(folder: Path, kind: str) -> None:
    """asyncpg's exception, at the start and later; nobody waits for ever, and "auto" asks what there is."""
    servers = Servers(folder, options={"max_connections": "10", "superuser_reserved_connections": "0"})
    try:
        url = await servers.postgres()
        for which in ("asyncpg", kind):
            error = await outcome(lambda which=which: made(url, which, min_size=30, max_size=30))
            assert type(error) in REFUSED, which
        async with made(url, kind, min_size=1, max_size=30) as pool:
            work = [pool.fetchval("select 1 from pg_sleep(0.2)") for _ in range(60)]
            async with asyncio.timeout(60):
                found = await asyncio.gather(*work, return_exceptions=True)
            assert {one if one == 1 else type(one) for one in found} <= {1, *REFUSED}
            assert await pool.fetchval("select 1") == 1, "those that are open go on"
        if kind == "chained":
            async with made(url, kind, min_size=1, max_size="auto") as pool:
                work = [pool.fetchval("select 1 from pg_sleep(0.1)") for _ in range(60)]
                assert await asyncio.gather(*work) == [1] * 60
                assert pool.get_max_size() <= 10
    finally:
        servers.close()


# -- loops --------------------------------------------------------------------------------------------


def elsewhere(pool: Any) -> list[BaseException | None]:
    """What its methods raise in a loop of another thread."""
    found: list[BaseException | None] = []

    async def use() -> None:
        for name, call in CALLS.items():
            if name == "expire":  # it only counts
                continue
            try:
                async with asyncio.timeout(2):
                    await call(pool)
                found.append(None)
            except Exception as error:
                found.append(error)

    thread = threading.Thread(target=lambda: asyncio.run(use()))
    thread.start()
    thread.join()
    return found


@KINDS
async def test_another_loop(dsn: str, kind: str) -> None:
    async with made(dsn, kind, min_size=1, max_size=2) as pool:
        found = await asyncio.to_thread(elsewhere, pool)
        assert {type(error) for error in found} == {asyncpg.InterfaceError}, found
        assert all("event loop" in str(error) for error in found), found
        assert await pool.fetchval("select 1") == 1, "here it goes on"


@KINDS
async def test_a_loop_that_is_closed(dsn: str, kind: str) -> None:
    async def make() -> Any:
        pool = made(dsn, kind, min_size=1, max_size=2)
        await pool
        assert await pool.fetchval("select 1") == 1
        pool.terminate()
        return pool

    pool = await asyncio.to_thread(asyncio.run, make())
    for call in CALLS.values():
        error = await raised(lambda call=call: call(pool))
        assert error is None or issubclass(error[0], asyncpg.InterfaceError), error


@KINDS
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # asyncpg's connections are not closed
async def test_a_loop_that_is_closed_while_the_pool_is_open(dsn: str, kind: str) -> None:
    """Nothing waits for ever, and the sentence says what to change."""

    pools: list[Any] = []

    async def make() -> None:
        pools.append(made(dsn, kind, min_size=1, max_size=2))
        assert await (await pools[0]).fetchval("select 1") == 1

    await asyncio.to_thread(asyncio.run, make())
    pool = pools.pop()
    for name, call in CALLS.items():
        if name == "expire":  # it only counts
            continue
        error = await raised(partial(call, pool))
        assert error, name
        assert error[0] is asyncpg.InterfaceError, (name, error)
        assert "belongs to another event loop" in error[1], (name, error)
    del pool
    gc.collect()  # which closes its sockets


# -- kernels ------------------------------------------------------------------------------------------


async def test_a_kernel_that_runs_already(dsn: str) -> None:
    async with Kernel.of({PoolPlugin: {"url": dsn, "min_size": 1}}) as running:
        with pytest.raises(asyncpg.InterfaceError, match="hand over one that does not run"):
            await create_pool(dsn, kernel=running)
        assert await running.fetchval("select 1") == 1, "it is not harmed"


async def test_a_kernel_without_a_pool(dsn: str) -> None:
    with pytest.raises(GalvoError, match=r"set `on = true` under \[pool\]"):
        await create_pool(dsn, kernel=Kernel.of({CachePlugin: {}}))


async def test_what_is_no_kernel(dsn: str) -> None:
    for wrong in ("kernel", {}, 7, Kernel):
        with pytest.raises(TypeError, match="kernel"):
            create_pool(dsn, kernel=wrong)


async def test_a_kernel_of_two_pools(dsn: str) -> None:
    shared = Kernel.of({PoolPlugin: {}})
    async with create_pool(dsn, kernel=shared, min_size=1) as pool:
        with pytest.raises((asyncpg.InterfaceError, PluginError)):
            await create_pool(dsn, kernel=shared, min_size=1)
        assert await pool.fetchval("select 1") == 1, "the first one goes on"


async def test_settings_that_cannot_be_read(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings").mkdir()
    monkeypatch.chdir(tmp_path)
    for text, part in (
        ("[pool\n", "galvo.toml"),
        ("[pool]\nmin_sice = 3\n", "min_sice"),
        ("[pool]\nmin_size = 'x'\n", "min_size"),
    ):
        (tmp_path / "settings" / "galvo.toml").write_text(text)
        with pytest.raises(GalvoError, match=part):
            await create_pool(dsn)
