"""Starlette and FastAPI: the kernel lives as long as the application."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

import galvo_asgi
from galvo import GalvoError, Kernel
from galvo_asgi.refusing import Refusal
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.plugins.asgi.conftest import sessions, until_alone
from tests.plugins.asgi.inside import NotStarted, inside
from tests.plugins.asgi.shop import create_app


@pytest.fixture
def kernel(shop_dsn: str) -> Kernel:
    return Kernel.of({CachePlugin: {}, PoolPlugin: {"url": shop_dsn, "min_size": 2}})


def test_it_lives_as_long_as_the_application_and_longer_than_its_own_lifespan(kernel: Kernel, shop_dsn: str) -> None:
    app = create_app(kernel)  # before there is an event loop, as a module does

    async def once() -> None:
        assert not kernel.running
        async with inside(app) as running:
            assert kernel.running
            assert [await running.get("/name/1") for _ in range(3)] == ["birch"] * 3
            assert kernel.plugin_stats("cache")["hits"] >= 2
            assert app.state.said == ["oak"]
            assert running.state == {"greeting": "hello", "kernel": kernel}
            assert await sessions(shop_dsn) >= 2
        assert app.state.said == ["oak", "goodbye"]
        assert not kernel.running
        assert not hasattr(app.state, "kernel")
        await asyncio.wait_for(until_alone(shop_dsn), 10)

    for _ in range(2):  # a second time, too, in another event loop
        asyncio.run(once())


@pytest.mark.anyio
async def test_starlette_finds_it_in_the_state_and_so_do_mounted_applications(kernel: Kernel) -> None:
    async def name(request: Request) -> JSONResponse:
        assert request.state.kernel is kernel
        return JSONResponse(await request.state.kernel.fetchval("select name from material where id = 1"))

    inner = Starlette(routes=[Route("/name", name)])
    app = Starlette(routes=[Route("/name", name), Mount("/inner", inner)], lifespan=galvo_asgi.lifespan(kernel))
    async with inside(app) as running:
        assert [await running.get("/name"), await running.get("/inner/name")] == ["birch"] * 2
        assert app.state.kernel is kernel


@pytest.mark.anyio
async def test_a_transaction_commits_before_the_answer(kernel: Kernel) -> None:
    async with inside(create_app(kernel)) as running:
        for number, (then, status, kept) in enumerate(
            [
                ("", 200, True), ("refuse", 409, False), ("fail", 500, False), ("violate", 500, False),
                ("swallow", 500, False),
            ],
            100,
        ):  # fmt: skip
            assert await running.get(f"/name/{number}") is None  # and is kept, so that the write has to say so
            assert (await running.client.post(f"/name/{number}/ash?then={then}")).status_code == status, then
            assert await running.get(f"/name/{number}") == ("ash" if kept else None), then


@pytest.mark.anyio
async def test_websockets(kernel: Kernel) -> None:
    async with inside(create_app(kernel)) as running:
        assert await running.websocket("/names", "2", "1", "2") == ["oak", "birch", "oak"]
        with pytest.raises(GalvoError, match=r"as long as the websocket: write `async with kernel.transaction\(\)`"):
            await running.websocket("/stays")


@pytest.mark.anyio
async def test_a_request_without_the_lifespan_is_told_what_to_change(
    kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    async with inside(create_app(kernel), lifespan=False) as running:
        with pytest.raises(GalvoError, match=r"write FastAPI\(lifespan=.*--lifespan off.*with TestClient\(app\)"):
            await running.websocket("/names", "1")
        assert await running.get("/name/1") == 500


@pytest.mark.anyio
async def test_one_kernel_is_for_one_application(kernel: Kernel) -> None:
    async with inside(create_app(kernel)) as first:
        with pytest.raises(NotStarted, match="give each a kernel of its own"):
            await inside(create_app(kernel)).__aenter__()
        assert await first.get("/name/1") == "birch"


@pytest.mark.anyio
async def test_what_is_no_kernel() -> None:
    with pytest.raises(GalvoError, match="gave no Kernel: give a kernel, or a function that makes one"):
        await galvo_asgi.started(dict).__aenter__()  # type: ignore[arg-type]  # the mistake


@pytest.mark.anyio
async def test_an_application_that_cannot_start_leaves_nothing_behind(kernel: Kernel, shop_dsn: str) -> None:
    def refusing(app: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(NotStarted, match="ZeroDivisionError"):
        await inside(FastAPI(lifespan=galvo_asgi.lifespan(kernel, refusing))).__aenter__()
    assert not kernel.running
    nowhere = Kernel.of({PoolPlugin: {"url": "postgresql://nobody@127.0.0.1:1/none"}})
    for _ in range(2):
        with pytest.raises(NotStarted, match=r"nothing listens at 127\.0\.0\.1:1"):
            await inside(FastAPI(lifespan=galvo_asgi.lifespan(nowhere))).__aenter__()
    log = logging.getLogger("uvicorn.error")
    [left] = [each for each in log.filters if isinstance(each, Refusal)]  # no server has logged it
    log.removeFilter(left)
    await asyncio.wait_for(until_alone(shop_dsn), 10)
