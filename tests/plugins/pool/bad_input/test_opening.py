"""What cannot be: asyncpg's exception where it has one, else a sentence that says what to change; nothing is left."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest

from tests.plugins.pool.bad_input.kinds import KINDS, made, outcome

pytestmark = pytest.mark.anyio


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
