# ruff: noqa: ASYNC240
# Nothing else runs in these event loops.
from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from galvo_embedded import Servers

pytestmark = pytest.mark.anyio


async def ask(dsn: str, question: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@pytest.mark.parametrize("major", [16, 18])
async def test_postgres_answers(folder: Path, make: Callable[..., Servers], major: int) -> None:
    dsn = await make(folder, postgres=major).postgres()

    assert f"PostgreSQL {major}." in await ask(dsn, "select version()")
    assert await ask(dsn, "select upper('é') || current_setting('timezone')") == "ÉUTC"
    assert await ask(dsn, "show listen_addresses") == ""
    assert await ask(dsn, "show fsync") == "off"


async def test_redis_answers_and_keeps_nothing(folder: Path, make: Callable[..., Servers]) -> None:
    with redis.Redis.from_url(await make(folder).redis()) as client:
        assert client.ping()
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("port") == {"port": "0"}


async def test_a_server_starts_only_when_asked_for(folder: Path, make: Callable[..., Servers]) -> None:
    servers = make(folder)
    assert not list(folder.iterdir())
    await servers.redis()
    assert [path.name for path in folder.iterdir()] == ["redis"]


async def test_asking_again_is_cheap(warm: Path, make: Callable[..., Servers]) -> None:
    servers = make(warm)
    dsn = await servers.postgres()
    start = time.perf_counter()
    assert [await servers.postgres() for _ in range(10)] == [dsn] * 10
    assert time.perf_counter() - start < 1


async def test_the_environment_changes_nothing(
    warm: Path, make: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "x", "PGUSER": "y"}.items():
        monkeypatch.setenv(name, value)
    assert await ask(await make(warm).postgres(), "select 7") == 7


async def test_options_cannot_move_the_server(warm: Path, make: Callable[..., Servers]) -> None:
    options = {"port": "7777", "listen_addresses": "*", "work_mem": "7MB"}
    dsn = await make(warm, options=options).postgres()
    assert await ask(dsn, "select current_setting('work_mem') || current_setting('listen_addresses')") == "7MB"


async def test_one_line_says_which_server_is_used(
    warm: Path, make: Callable[..., Servers], caplog: pytest.LogCaptureFixture
) -> None:
    servers = make(warm)
    with caplog.at_level(logging.INFO, "galvo.embedded"):
        await servers.postgres()
        await servers.postgres()
    (line,) = caplog.messages
    assert line.startswith("no URL configured: using embedded PostgreSQL 18.")
    assert line.endswith(f" in {warm}/postgres-18")


async def test_a_long_log_starts_anew(warm: Path, make: Callable[..., Servers]) -> None:
    log = warm / "postgres-18" / "log"
    log.write_bytes(b"x" * (5 << 20) + b"y")
    await make(warm).postgres()
    assert log.stat().st_size < 10_000
