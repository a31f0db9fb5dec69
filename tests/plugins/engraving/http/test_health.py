"""`/health` while the database is there, and while it takes nobody."""

from __future__ import annotations

import asyncio

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from galvo import GalvoError
from galvo_engraving.accounts import tokens
from galvo_engraving.serving import away, dashboard
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio


async def test_it_is_well_as_long_as_its_database_answers(api: Api, server_dsn: str) -> None:
    client = api.stranger()
    name = await api.shop.db.fetchval("select current_database()")
    server = await asyncpg.connect(server_dsn)
    try:
        for well in (True, False, True):
            await server.execute(f'alter database "{name}" allow_connections {well}')
            if not well:
                await server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
            for _ in range(500):  # a connection that has been lost is found out by whoever uses it
                told = await client.get("/health")
                if (told.status_code == 200) is well:
                    break
                await asyncio.sleep(0.02)
            if well:
                assert (told.status_code, told.json()) == (200, {"healthy": True})
            else:
                assert (told.status_code, told.json()) == (503, {"problem": "the database does not answer"})
    finally:
        await server.execute(f'alter database "{name}" allow_connections true')
        await server.close()


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError, FileNotFoundError, TimeoutError, GalvoError, asyncpg.AdminShutdownError,
     asyncpg.ConnectionDoesNotExistError, asyncpg.InvalidCatalogNameError, asyncpg.InterfaceError,
     asyncpg.ObjectNotInPrerequisiteStateError],
)  # fmt: skip
async def test_a_database_that_is_away_is_told_as_that(error: type[Exception]) -> None:
    app = FastAPI()
    away.install(app)

    @app.get("/")
    async def ask() -> None:
        raise error("secret")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        told = await client.get("/")
    assert (told.status_code, told.json(), told.headers["retry-after"]) == (503, {"problem": away.SENTENCE}, "1")


async def test_what_is_wrong_with_a_value_is_no_database_that_is_away() -> None:
    app = FastAPI()
    away.install(app)

    @app.get("/")
    async def ask() -> None:
        raise asyncpg.DataError("secret")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        with pytest.raises(asyncpg.DataError):
            await client.get("/")


async def test_the_dashboard_tells_it_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    if api.shop.kernel is None:
        pytest.skip("there is none")

    async def nobody(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(tokens, "admitted", nobody)
    client = api.stranger()
    client.headers["host"] = "localhost"
    told = await client.get(f"{dashboard.PATH}/events")
    assert (told.status_code, told.text, told.headers["retry-after"]) == (503, away.SENTENCE, "1")
