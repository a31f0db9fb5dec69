"""An application as people write it, for uvicorn and for Starlette's test client."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, WebSocket

import galvo_asgi
from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin

TheKernel = Annotated[Kernel, Depends(galvo_asgi.kernel)]
LOCK = 4711


@asynccontextmanager
async def own(app: Any) -> AsyncIterator[dict[str, Any]]:
    """What the application does besides."""
    app.state.said = [await app.state.kernel.fetchval("select name from material where id = 2")]
    yield {"greeting": "hello"}
    app.state.said.append(await app.state.kernel.fetchval("select 'goodbye'"))


def create_app(kernel: Any) -> FastAPI:
    app = FastAPI(lifespan=galvo_asgi.lifespan(kernel, own))

    @app.get("/name/{id}")
    async def name(id: int, kernel: TheKernel) -> Any:
        return await kernel.fetchval("select name from material where id = $1", id)

    @app.get("/waits")
    async def waits(kernel: TheKernel) -> Any:
        await kernel.execute(f"select pg_advisory_xact_lock({LOCK})")
        return os.getpid()

    @app.post("/name/{id}/{name}")
    async def insert(id: int, name: str, session: galvo_asgi.Transaction, then: str = "") -> Any:
        await session.execute("insert into material values ($1, $2)", id, name)
        match then:
            case "refuse":
                raise HTTPException(409, "no")
            case "fail":
                raise ZeroDivisionError
            case "wait":
                await session.execute(f"select pg_advisory_xact_lock({LOCK})")
            case "swallow":  # PostgreSQL makes a rollback of the COMMIT
                with suppress(Exception):
                    await session.execute("select 1/0")
            case "violate":  # only the COMMIT notices
                await session.execute("insert into part values ($1, -1)", id)
        return "done"

    @app.websocket("/names")
    async def names(socket: WebSocket, kernel: TheKernel) -> None:
        await socket.accept()
        async for id in socket.iter_text():
            await socket.send_text(await kernel.fetchval("select name from material where id = $1", int(id)))

    @app.websocket("/stays")
    async def stays(socket: WebSocket, session: galvo_asgi.Transaction) -> None:
        await socket.accept()

    return app


def kernel() -> Kernel:
    return Kernel.of({CachePlugin: {}, PoolPlugin: {"url": os.environ["DATABASE_URL"], "min_size": 1}})


app = create_app(kernel)
