"""An ASGI server inside of the test: lifespan messages as a server sends them, requests through httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx


class Inside:
    """A running application. `state` is what its lifespan left for requests."""

    def __init__(self, app: Any, state: dict[str, Any]) -> None:
        self._app = app
        self.state = state
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._with_state, raise_app_exceptions=False), base_url="http://shop"
        )

    async def _with_state(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "state": dict(self.state)}, receive, send)

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        return answer.json() if answer.status_code == 200 else answer.status_code

    async def websocket(self, path: str, *texts: str) -> list[str]:
        """What it answers to `texts`."""
        messages = [{"type": "websocket.connect"}, *({"type": "websocket.receive", "text": text} for text in texts)]
        coming = iter([*messages, {"type": "websocket.disconnect", "code": 1000}])
        answers: list[str] = []

        async def receive() -> Any:
            return next(coming)

        async def send(message: Any) -> None:
            answers.extend([message["text"]] if message["type"] == "websocket.send" else [])

        scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "scheme": "ws", "asgi": {}}
        await self._with_state(scope, receive, send)
        return answers


class NotStarted(Exception):
    """The application refused to start."""


@asynccontextmanager
async def inside(app: Any, *, lifespan: bool = True) -> AsyncIterator[Inside]:
    """`app`, started; without `lifespan` as by a server that does not know of that. Raises NotStarted."""
    state: dict[str, Any] = {}
    said: asyncio.Queue[Any] = asyncio.Queue()
    told: asyncio.Queue[Any] = asyncio.Queue()
    running = None
    if lifespan:
        running = asyncio.create_task(app({"type": "lifespan", "asgi": {}, "state": state}, told.get, said.put))
        told.put_nowait({"type": "lifespan.startup"})
        answer = await said.get()
        if answer["type"] != "lifespan.startup.complete":
            await asyncio.wait([running])
            raise NotStarted(answer["message"]) from running.exception()
    made = Inside(app, state)
    try:
        async with made.client:
            yield made
    finally:
        if running is not None:
            told.put_nowait({"type": "lifespan.shutdown"})
            await running
            assert (await said.get())["type"] == "lifespan.shutdown.complete"
