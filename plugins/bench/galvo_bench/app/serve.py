"""`python -m galvo_bench.app.serve plain|full`: the shop on uvicorn, with nothing of galvo or with all of it.

APP_URL is the database, APP_REDIS the Redis. It says on which port it answers, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from galvo_bench.load.lines import commands, say
from galvo_engraving.app import create_app
from galvo_engraving.config import EngravingSettings
from galvo_engraving.serving.loops import run
from galvo_engraving.serving.opening import galvanised, plain

CONNECTIONS = 10
"""In both; asyncpg's own default."""

KEPT = 300
"""Seconds that connections may idle: longer than a turn, so that none ends while it is asked."""


@asynccontextmanager
async def opening(app: FastAPI) -> AsyncIterator[None]:
    url, redis, settings = os.environ["APP_URL"], os.environ["APP_REDIS"], EngravingSettings()
    overrides: dict[str, dict[str, Any]] = {
        "embedded": {"on": False},
        "pool": {"url": url, "min_size": CONNECTIONS, "max_size": CONNECTIONS},
        "cache": {"redis": redis},
        "tasks": {"broker": redis},
    }
    opened = plain(url, settings, overrides) if sys.argv[1] == "plain" else galvanised(settings, overrides)
    async with opened as shop:
        if shop.kernel is not None:
            off = {one["name"]: one["reason"] for one in shop.kernel.plugins() if one["state"] == "failed"}
            if off:
                raise RuntimeError(f"not all plugins run: {off}")
        app.state.shop = shop
        yield


class Server(uvicorn.Server):
    """Says when it has started."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and self.started:
            say({"port": sockets[0].getsockname()[1]})


async def main() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as bound:
        # asyncio does so only on sockets that it makes: without it, an answer's second part waits 40 ms for an ACK.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = Server(
            uvicorn.Config(create_app(opening), log_level="warning", access_log=False, timeout_keep_alive=KEPT)
        )
        serving = asyncio.create_task(server.serve([bound]))
        async with commands() as asked:
            async for _ in asked:
                pass
        server.should_exit = server.force_exit = True
        await serving


if __name__ == "__main__":
    run(main())
