"""Applications without a lifespan."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from galvo import GalvoError, Kernel
from galvo_asgi import with_kernel
from galvo_pool import PoolPlugin
from tests.plugins.asgi.conftest import until_alone
from tests.plugins.asgi.inside import NotStarted, inside

KINDS: list[str] = []


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """As Django's handler: it knows requests only."""
    KINDS.append(scope["type"])
    answer = await scope["state"]["kernel"].fetchval("select name from material where id = 1")
    if scope["type"] == "websocket":
        await send({"type": "websocket.send", "text": answer})
    else:
        await JSONResponse(answer)(scope, receive, send)


def kernel_of(dsn: str) -> Kernel:
    return Kernel.of({PoolPlugin: {"url": dsn, "min_size": 2}})


@pytest.mark.anyio
async def test_it_answers_the_lifespan_itself(shop_dsn: str) -> None:
    KINDS.clear()
    kernel = kernel_of(shop_dsn)
    app = with_kernel(bare, kernel)
    for _ in range(2):
        async with inside(app) as running:
            assert kernel.running
            assert await running.get("/") == "birch"
            assert await running.websocket("/") == ["birch"]
        assert not kernel.running
    assert KINDS == ["http", "websocket"] * 2
    await asyncio.wait_for(until_alone(shop_dsn), 10)


def test_without_lifespan_it_starts_once_with_the_first_request_and_ends_with_the_loop(shop_dsn: str) -> None:
    made: list[Kernel] = []

    def make() -> Kernel:
        made.append(kernel_of(shop_dsn))
        return made[-1]

    async def first_requests() -> None:
        async with inside(with_kernel(bare, make), lifespan=False) as running:
            assert not made
            assert await asyncio.gather(*(running.get("/") for _ in range(5))) == ["birch"] * 5

    asyncio.run(first_requests())
    assert len(made) == 1
    assert not made[0].running
    asyncio.run(asyncio.wait_for(until_alone(shop_dsn), 10))


@pytest.mark.anyio
async def test_without_lifespan_a_start_that_fails_is_tried_again(shop_dsn: str) -> None:
    urls = iter(["postgresql://nobody@127.0.0.1:1/none", shop_dsn])
    async with inside(with_kernel(bare, lambda: kernel_of(next(urls))), lifespan=False) as running:
        with pytest.raises(GalvoError, match="the kernel cannot start: plugin 'pool': nothing listens"):
            await running.websocket("/")
        assert await running.websocket("/") == ["birch"]


@pytest.mark.anyio
async def test_a_start_that_fails_is_told_to_the_server_in_one_sentence() -> None:
    with pytest.raises(NotStarted, match=r"^the kernel cannot start: plugin 'pool': nothing listens at 127.0.0.1:1"):
        await inside(with_kernel(bare, kernel_of("postgresql://nobody@127.0.0.1:1/none"))).__aenter__()


def test_it_hides_nobodys_lifespan() -> None:
    with pytest.raises(GalvoError, match=r"write Starlette\(lifespan=galvo_asgi.lifespan\(kernel\)\)"):
        with_kernel(Starlette())
